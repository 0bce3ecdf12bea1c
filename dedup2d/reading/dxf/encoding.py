"""Text of a DXF: its code page, its escapes, and MTEXT's formatting taken away."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

# $DWGCODEPAGE by its ending; files from R2007 ($ACADVER AC1021) on are UTF-8.
_CODE_PAGES: Final = {
    "874": "cp874",
    "932": "cp932",
    "936": "gbk",
    "949": "cp949",
    "950": "cp950",
    "1250": "cp1250",
    "1251": "cp1251",
    "1252": "cp1252",
    "1253": "cp1253",
    "1254": "cp1254",
    "1255": "cp1255",
    "1256": "cp1256",
    "1257": "cp1257",
    "1258": "cp1258",
    "1361": "johab",
    "437": "cp437",
    "850": "cp850",
    "852": "cp852",
    "866": "cp866",
    "GB2312": "gbk",
    "BIG5": "big5",
    "8859-1": "latin-1",
}
_FIRST_UTF8: Final = "AC1021"


def encoding_of(header: Mapping[str, str]) -> str:
    """Python's name of the encoding that the header variables tell."""
    if header.get("$ACADVER", "") >= _FIRST_UTF8:
        return "utf-8"
    page = header.get("$DWGCODEPAGE", "").upper().replace("_", "")
    fits = (name for ending, name in _CODE_PAGES.items() if page.endswith(ending.replace("_", "")))
    return next(fits, "cp1252")


class TextDecoder:
    """Bytes of a value to text; remembers whether it had to guess."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding
        self.guessed = 0
        self._known: dict[bytes, str] = {}

    def __call__(self, value: Any) -> str:
        """The text without blanks around it."""
        if not isinstance(value, bytes):
            return str(value)
        text = self._known.get(value)
        if text is None:
            text = self._decode(value.rstrip(b"\r")).strip()
            if len(value) < 64:  # noqa: PLR2004  # names repeat, sentences do not
                self._known[value] = text
        return text

    def verbatim(self, value: Any) -> str:
        """The text with its blanks: MTEXT breaks long text anywhere."""
        return self._decode(value.rstrip(b"\r\n")) if isinstance(value, bytes) else str(value)

    def _decode(self, value: bytes) -> str:
        if value.isascii():
            return value.decode("ascii")
        # Many exporters write UTF-8 under any code page; other text is hardly ever valid UTF-8.
        for encoding in ("utf-8", self.encoding):
            try:
                return value.decode(encoding)
            except UnicodeDecodeError:
                continue
        self.guessed += 1
        return value.decode("gb18030" if self.encoding == "gbk" else "cp1252", errors="replace")


_UNICODE = re.compile(r"\\U\+([0-9A-Fa-f]{4})")
_PERCENT = re.compile(r"%%(?:([cdpCDP%])|[uokUOK]|(\d{3}))")
_SIGNS: Final = {"c": "⌀", "d": "°", "p": "±", "%": "%"}
# Formatting commands: with an argument up to a semicolon, or a single letter.
_MTEXT_ARGUMENT = re.compile(r"\\[ACFHQTWacfhqtwp][^;\\{}]*;")
_MTEXT_STACK = re.compile(r"\\S([^;]*);")
_FRACTION = re.compile(r"\s*\d+\s*[/#]\s*\d+\s*")
_BEFORE_FRACTION: Final = "\0"
_MTEXT_SWITCH = re.compile(r"\\[LlOoKkX]")
_MTEXT_BREAK = re.compile(r"\\[PN]|\^J")
_MTEXT_ESCAPE = re.compile("\\\\([\\\\{}])")


def plain_text(value: str) -> str:
    """A TEXT's value with its escapes (%%c, %%d, %%p, code points) as characters."""
    value = _UNICODE.sub(lambda m: chr(int(m[1], 16)), value)
    return _PERCENT.sub(_sign, value)


def _sign(match: re.Match[str]) -> str:
    if match[2]:
        return chr(int(match[2]))
    return _SIGNS[match[1].lower()] if match[1] else ""


def _stacked(match: re.Match[str]) -> str:
    """A stack in one line; fractions are marked: 6 with 1/2 stacked behind it is not 61/2."""
    mark = _BEFORE_FRACTION if _FRACTION.fullmatch(match[1]) else ""
    return mark + re.sub(r"[\^#]\s*", "/", match[1])


def plain_mtext(value: str) -> str:
    """An MTEXT's value without formatting; paragraphs become lines, stacks ``a/b``."""
    value = _MTEXT_ESCAPE.sub(lambda m: chr(0xE000 + ord(m[1])), value)
    value = _MTEXT_BREAK.sub("\n", value)
    value = _MTEXT_STACK.sub(_stacked, value)
    value = _UNICODE.sub(lambda m: chr(int(m[1], 16)), value)
    value = _MTEXT_ARGUMENT.sub("", value)
    value = _MTEXT_SWITCH.sub("", value).replace("\\~", " ")
    value = value.replace("{", "").replace("}", "").replace("^I", " ")
    value = re.sub(rf"(?<=\d){_BEFORE_FRACTION}", " ", value).replace(_BEFORE_FRACTION, "")
    value = "".join(chr(ord(c) - 0xE000) if 0xE000 <= ord(c) < 0xE080 else c for c in value)  # noqa: PLR2004
    return plain_text(value).strip()
