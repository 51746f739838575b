"""Somebody's words as each format can hold them: on one line, and never taken for its syntax."""

from __future__ import annotations

import re
from typing import Final

_BREAKS: Final = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]+")
_LINE_ENDS_THAT_JSON_KEEPS: Final = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}
_VTT_ESCAPES: Final = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}
_SRT_LIKENESSES: Final = {ord("<"): "‹", ord(">"): "›"}
_ASS_OVERRIDE: Final = "{\\"


def one_line(text: str) -> str:
    """Put words on one line, control characters left out."""
    return _BREAKS.sub(" ", text).strip()


def for_vtt(text: str) -> str:
    """Escape what WebVTT takes for tags, entities and the arrow between times."""
    return one_line(text).translate(_VTT_ESCAPES)


def for_srt(text: str) -> str:
    """Replace what players take for tags or times: SRT has no way to escape it."""
    return one_line(text).translate(_SRT_LIKENESSES).replace(_ASS_OVERRIDE, "{ \\")


def for_json_lines(text: str) -> str:
    """Escape, in JSON, the line ends that some readers heed besides the usual one."""
    return text.translate(_LINE_ENDS_THAT_JSON_KEEPS)


def encoded(text: str) -> bytes:
    """Encode text for a file, whatever is in it."""
    return text.encode("utf-8", errors="replace")
