"""Regular expressions of label matchers, run by RE2: in linear time, whatever the pattern.

Prometheus and Alertmanager use Go's `regexp`, which has RE2's syntax. Two differences remain: RE2
reads `\\C` (refused here), and it refuses a few very large patterns that Go still compiles.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]  # it has no types

MAX_MEMORY = 8 << 20  # bytes for one pattern and its automaton; RE2's own default
_COMPILED = 512  # patterns kept
_ANSWERS = 16_384  # kept of each kind: proofs match the same against one series for each SLO
_ANY_BYTE = re.compile(r"(?<!\\)(?:\\\\)*(\\C)")


class RegexError(ValueError):
    """RE2 refuses a pattern."""

    def __init__(self, reason: str, offset: int = 0, width: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset  # of the part that is wrong
        self.width = width


def check_regex(pattern: str) -> None:
    """Check that Prometheus compiles a pattern.

    Raises:
        RegexError: with RE2's reason, and the part of the pattern that it names.
    """
    _compiled(pattern, dot_matches_newline=True)


@lru_cache(maxsize=_ANSWERS)
def matches_whole(pattern: str, text: str) -> bool:
    """Whether a pattern matches a whole text as Prometheus' matchers do: `^(?s:pattern)$`.

    Prometheus 2.x writes `^(?:pattern)$`, where a dot does not match a line feed.

    Raises:
        RegexError: RE2 refuses the pattern.
    """
    return _fullmatch(_compiled(pattern, dot_matches_newline=True), text)


@lru_cache(maxsize=_ANSWERS)
def matches_whole_line(pattern: str, text: str) -> bool:
    """Whether a pattern matches a whole text as Alertmanager's matchers do: `^(?:pattern)$`.

    A dot does not match a line feed. The pattern is compiled between these two, so that `a)(b`
    is valid.

    Raises:
        RegexError: RE2 refuses the pattern.
    """
    return _fullmatch(_compiled(f"^(?:{pattern})$", dot_matches_newline=False), text)


def _fullmatch(compiled: Any, text: str) -> bool:  # noqa: ANN401  (re2 has no types)
    # Of bytes, the match is not translated to offsets of characters.
    return compiled.fullmatch(text.encode("utf-8", "surrogatepass")) is not None


@lru_cache(maxsize=_COMPILED)
def _compiled(pattern: str, *, dot_matches_newline: bool) -> Any:  # noqa: ANN401
    if byte := _ANY_BYTE.search(pattern):
        raise RegexError("invalid escape sequence: \\C", byte.start(1), 2)
    try:
        return re2.compile(pattern, _options(dot_matches_newline=dot_matches_newline))
    except UnicodeEncodeError as error:
        raise RegexError("invalid UTF-8", error.start, 1) from None
    except re2.error as error:
        words = error.args[0]
        reason = words.decode(errors="replace") if isinstance(words, bytes) else str(words)
        raise RegexError(*_placed(reason, pattern)) from None


@cache
def _options(*, dot_matches_newline: bool) -> Any:  # noqa: ANN401
    options = re2.Options()
    options.log_errors = False  # on standard error
    options.max_mem = MAX_MEMORY
    options.never_capture = True  # a thousand groups would take seconds
    options.dot_nl = dot_matches_newline
    return options


def _placed(reason: str, pattern: str) -> tuple[str, int, int]:
    """Find the part of the pattern that RE2 names behind its reason."""
    named = reason.partition(": ")[2]
    at = pattern.find(named) if named else -1
    if at < 0:
        return reason, 0, len(pattern)
    if named == pattern:  # the reason repeats all of it, which may be long
        return reason.partition(": ")[0], 0, len(pattern)
    return reason, at, len(named)
