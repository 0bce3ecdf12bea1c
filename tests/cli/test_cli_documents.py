"""The documents name what there is."""

from __future__ import annotations

import re
from pathlib import Path

from dedup2d.cli.root import CHAPTERS
from dedup2d.gateway.app import create_app
from dedup2d.settings import read_settings

ROOT = Path(__file__).parents[2]
HTTP = (ROOT / "docs" / "http.md").read_text("utf-8")
DOCUMENTS = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]


def paths() -> set[str]:
    """The paths of the HTTP interface, as people write them."""
    routes = create_app(read_settings({})).openapi()["paths"]
    return {re.sub(r"{\w+}", "$", path.removeprefix("/api/v1/dedup/2d")) for path in routes}


def test_every_endpoint_is_in_the_document() -> None:
    shown = re.findall(r"\$DEDUP2D(/[\w/$]*)|GET /2d(/\w+)|`(?:GET|POST) (/(?!2d)\w[\w/]*)`", HTTP)
    given = {re.sub(r"\$\w+", "$", path) for paths in shown for path in paths if path}
    assert given == paths()


def test_every_command_in_the_documents_exists() -> None:
    commands = {name for chapter in CHAPTERS.values() for name in chapter}
    text = "\n".join(path.read_text("utf-8") for path in DOCUMENTS)
    code = re.findall(r"```console.*?```|`dedup2d [^`]*`", text, re.DOTALL)
    used = set(re.findall(r"\bdedup2d ([a-z]+)", "\n".join(code)))
    assert used
    assert used <= commands


def test_links_between_documents_lead_somewhere() -> None:
    for path in DOCUMENTS:
        targets = re.findall(r"\]\((?!http|#)([^)#]+)", path.read_text("utf-8"))
        missing = [target for target in targets if not (path.parent / target).exists()]
        assert [m for m in missing if "pictures" not in m and "how-matching" not in m] == [], path
