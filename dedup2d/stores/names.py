"""How files and folders are called inside a store; the rules are the predecessor's."""

from __future__ import annotations

import re
from typing import Final
from uuid import uuid4

from dedup2d.errors import RequestError

FALLBACK_NAME: Final = "upload.bin"
MAX_NAME: Final = 200  # characters; with the uuid before it below every file system's 255

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_MEDIA_TYPE: Final = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*"
)
_FOLDER: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")


def shown(file_name: str) -> str:
    """The user's name for a file: the last component, printable, at most ``MAX_NAME`` long."""
    last = file_name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable())[:MAX_NAME]


def sanitised(file_name: str) -> str:
    """The last component with everything but ``A-Za-z0-9._-`` replaced by ``_``.

    Never empty, never hidden, at most ``MAX_NAME`` characters.
    """
    last = file_name.replace("\\", "/").rpartition("/")[2]
    return _UNSAFE.sub("_", last).strip("._-")[:MAX_NAME].rstrip("._-") or FALLBACK_NAME


def plain_media_type(media_type: str) -> str:
    """``type/subtype`` in lower case without parameters; empty for anything else.

    It comes from a client and goes into a header.
    """
    plain = media_type.partition(";")[0].strip()
    fits = len(plain) <= MAX_NAME and _MEDIA_TYPE.fullmatch(plain)
    return plain.lower() if fits else ""


def unique_name(file_name: str) -> str:
    """``{uuid4 hex}_{sanitised name}``: two uploads of one name never meet."""
    return f"{uuid4().hex}_{sanitised(file_name)}"


def part_name() -> str:
    """The name of a file that is not complete; hidden, so no sanitised name can be one."""
    return f".{uuid4().hex}.part"


def is_folder(name: str) -> bool:
    """Whether ``name`` can be a folder of ours: one plain component."""
    return _FOLDER.fullmatch(name) is not None


def checked_folder(folder: str) -> str:
    """``folder`` if ``is_folder``; raises RequestError ``INVALID_FOLDER``."""
    if not is_folder(folder):
        raise RequestError(
            "INVALID_FOLDER", "A store's folder is 1 to 128 of A-Z, a-z, 0-9, '.', '_' and '-'."
        )
    return folder
