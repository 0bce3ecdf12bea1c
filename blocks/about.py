"""What all our blocks show in Prefect's UI: a picture and where they are explained."""

from __future__ import annotations

from typing import Final

from pydantic import HttpUrl

# The project has no public address; Prefect's page says what a block is and how it is used.
DOCUMENTATION_URL: Final = HttpUrl("https://docs.prefect.io/v3/concepts/blocks")

_LOGOS: Final = (
    "https://raw.githubusercontent.com/PrefectHQ/prefect/"
    "420d0d6a78bb6df1fc18bcf188fdad43c1d22ea9/assets/block-logos"
)


def logo(name: str) -> HttpUrl:
    """The address of one of Prefect's own block pictures."""
    return HttpUrl(f"{_LOGOS}/{name}.png")
