"""Label matchers, read and applied as Alertmanager does.

Two syntaxes are in use. Versions before 0.27 know the classic one; newer versions read a text with
both parsers and take the classic reading wherever there is one. So does this module.

Regular expressions are RE2 and match the whole value, in which a dot is no line feed: that is where
these matchers differ from those of PromQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, assert_never, cast

from slo_compiler.regex import RegexError, matches_whole_line

Operator = Literal["=", "!=", "=~", "!~"]


class ConfigError(ValueError):
    """The model cannot read a configuration: Alertmanager refuses it too, or it is not modelled."""


@dataclass(frozen=True, slots=True)
class AlertMatcher:
    """One condition on a label; a label that an alert lacks is empty."""

    name: str
    operator: Operator
    value: str

    def __post_init__(self) -> None:
        if self.operator in ("=~", "!~"):
            try:
                matches_whole_line(self.value, "")
            except RegexError as error:
                raise ConfigError(
                    f"invalid regular expression {self.value}: {error.reason}"
                ) from None

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether an alert with these labels meets the condition."""
        found = labels.get(self.name, "")
        match self.operator:
            case "=":
                return found == self.value
            case "!=":
                return found != self.value
            case "=~":
                return matches_whole_line(self.value, found)
            case "!~":
                return not matches_whole_line(self.value, found)
            case _:
                assert_never(self.operator)


def parse_matchers(text: str) -> tuple[AlertMatcher, ...]:
    """Read one string of a `matchers` list, which may contain several, in braces or not.

    Raises:
        ConfigError: if neither parser of Alertmanager reads it.
    """
    try:
        return tuple(_classic(text))
    except ConfigError as refused:
        try:
            return tuple(_utf8(text))
        except ConfigError:
            raise refused from None


_CLASSIC = re.compile(
    r"[\t\n\f\r ]*([a-zA-Z_:][a-zA-Z0-9_:]*)[\t\n\f\r ]*(=~|=|!=|!~)[\t\n\f\r ]*(.*?)[\t\n\f\r ]*",
    re.DOTALL,
)


def _classic(text: str) -> Iterator[AlertMatcher]:
    """Read as pkg/labels does: tolerant, commas outside of quotes separate, odd escapes stay."""
    for part in _split(text.removeprefix("{").removesuffix("}")):
        found = _CLASSIC.fullmatch(part)
        if found is None:
            raise ConfigError(f"bad matcher format: {part}")
        name, operator, raw = found.groups()
        yield AlertMatcher(name, cast("Operator", operator), _classic_value(raw))


def _split(text: str) -> list[str]:
    parts, part, quoted, escaped = [], "", False, False
    for char in text:
        if char == "," and not quoted:
            parts.append(part)
            part = ""
            continue
        if char == '"' and not escaped:
            quoted = not quoted
        if char != ",":
            escaped = char == "\\" and not escaped
        part += char
    return [*parts, part] if part.strip() else parts


def _classic_value(raw: str) -> str:
    quoted = raw.startswith('"')
    text = raw[1:] if quoted else raw
    value, at = "", 0
    while at < len(text):
        char, last = text[at], at == len(text) - 1
        if char == '"':
            if not quoted or not last:
                break
            return value
        if char == "\\" and not last:
            at += 1
            follower = text[at]
            value += {"n": "\n", '"': '"', "\\": "\\"}.get(follower, "\\" + follower)
        else:
            value += char
        at += 1
    if quoted or at < len(text):
        raise ConfigError(f"matcher value contains unescaped double quote: {raw}")
    return value


_TOKEN = re.compile(
    r"""\s*(?:
        (?P<mark>[{},])
        | (?P<operator>=~|!=|!~|=)
        | (?P<quoted>"(?:[^"\\]|\\.)*")
        | (?P<plain>[^\s{}!=~,\\"'`]+)
    )""",
    re.VERBOSE | re.DOTALL,
)


def _utf8(text: str) -> Iterator[AlertMatcher]:
    """Read as matcher/parse does: names may be quoted, values without quotes have no specials."""
    tokens = list(_tokens(text))
    if tokens[:1] == ["{"] or tokens[-1:] == ["}"]:
        if tokens[:1] != ["{"] or tokens[-1:] != ["}"]:
            raise ConfigError(f"a brace is missing: {text}")
        tokens = tokens[1:-1]
    while tokens:
        name, operator, value, *rest = *tokens, *[""] * (3 - len(tokens))
        known = operator in ("=", "!=", "=~", "!~")
        if not known or not _is_word(name) or not _is_word(value) or (rest and rest[0] != ","):
            raise ConfigError(f"bad matcher format: {text}")
        yield AlertMatcher(_unquoted(name), cast("Operator", operator), _unquoted(value))
        tokens = rest[1:]


def _tokens(text: str) -> Iterator[str]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            raise ConfigError(f"bad matcher format: {text}")
        yield found[0].lstrip()
        at = found.end()


def _is_word(token: str) -> bool:
    return bool(token) and token not in ("{", "}", ",", "=", "!=", "=~", "!~")


_ESCAPE = re.compile(
    r"""\\(?:([abfnrtv\\"])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.|$))""",
    re.DOTALL,
)
_SIMPLE = dict(zip('abfnrtv\\"', '\a\b\f\n\r\t\v\\"', strict=True))


def _unquoted(token: str) -> str:
    """Undo the quotes and escapes of a Go string."""
    if not token.startswith('"'):
        return token

    def byte(found: re.Match[str]) -> str:
        simple, hexadecimal, octal, short, long, odd = found.groups()
        if odd is not None:
            raise ConfigError(f"invalid escape in {token}")
        if simple:
            return _SIMPLE[simple]
        if short or long:
            char = chr(int(short or long, 16))
            if "\ud800" <= char <= "\udfff":
                raise ConfigError(f"invalid escape in {token}")
            return char
        number = int(hexadecimal, 16) if hexadecimal else int(octal, 8)
        return bytes([number]).decode(errors="surrogateescape")

    try:
        if "\n" in token:
            raise ConfigError(f"a line ends within {token}")
        return _ESCAPE.sub(byte, token[1:-1]).encode(errors="surrogateescape").decode()
    except (ValueError, OverflowError) as error:
        raise ConfigError(f"invalid text in {token}: {error}") from None
