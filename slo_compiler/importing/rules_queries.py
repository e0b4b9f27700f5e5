"""The SLI of a recorded error ratio, in the shapes that Sloth, Pyrra and people write."""

from __future__ import annotations

import re
from typing import Any

from slo_compiler.frontend.overlay import Piece
from slo_compiler.frontend.translate import From
from slo_compiler.importing.queries import FIXED, Spelling, read_text
from slo_compiler.importing.rules_burns import ErrorRatio, NotUnderstoodError
from slo_compiler.importing.rules_text import Operand

_WINDOWED = Spelling(FIXED.window, FIXED.plain[:1])
_BY = r"(?:by\s*\(([\w\s,]*)\))?"
_METRIC = r"([a-zA-Z_:][\w:]*)\s*(\{[^{}]*\})?"
_RATE = re.compile(
    rf"sum\s*{_BY}\s*\(\s*rate\s*\(\s*(?P<sel>{_METRIC})\s*\[[^\]]*\]\s*\)\s*\)\s*{_BY}", re.ASCII
)
_GAUGE = r"sum\s*\(\s*{}\s*\(\s*(?P<sel>{})\s*\[[^\]]*\]\s*\)\s*\)"
_COUNT = re.compile(_GAUGE.format("count_over_time", _METRIC), re.ASCII)
_SUM = re.compile(_GAUGE.format("sum_over_time", _METRIC), re.ASCII)
_NATIVE = re.compile(
    rf"histogram_fraction\s*\(\s*0\s*,\s*(?P<bound>[0-9.]+)\s*,\s*sum\s*\(\s*rate\s*\(\s*"
    rf"(?P<sel>{_METRIC})\s*\[[^\]]*\]\s*\)\s*\)\s*\)",
    re.ASCII,
)


def sli_of(ratio: ErrorRatio) -> dict[str, Any]:
    """Give the SLI of an error ratio.

    Raises:
        NotUnderstoodError: with the reason, if it cannot be expressed.
    """
    expr = ratio.expr
    divided = expr.split("/")
    if expr.operators() == ["-"]:
        one, rest = expr.split("-")
        if one.constant() == 1:
            return _from_good(ratio, rest)
    if expr.operators() == ["/"]:
        top, total = divided
        lost = top.split("-")
        if top.operators() == ["-"] and lost[0].text == total.text:
            return _gauge(ratio, total, lost[1]) or _ratio(ratio, "good", lost[1], total)
        return _ratio(ratio, "errors", top, total)
    if ratio.fixed:
        raise NotUnderstoodError(f"it selects series of {ratio.rule.name} by labels")
    return {"raw": {"error_ratio": _query(ratio, expr)}}


def _from_good(ratio: ErrorRatio, rest: Operand) -> dict[str, Any]:
    if native := _NATIVE.fullmatch(rest.text):
        loc = (*ratio.rule.section.loc, "expr")
        body = {
            "histogram": _selector(ratio, rest, native, set()),
            "threshold": From(f"{native['bound']}s", loc),
            "native": True,
        }
        return {"latency": body | {"unit": "seconds"}}
    if rest.operators() != ["/"]:
        raise NotUnderstoodError(f"{ratio.rule.name} is 1 less what is no ratio")
    good, total = rest.split("/")
    return _ratio(ratio, "good", good, total)


def _gauge(ratio: ErrorRatio, total: Operand, ones: Operand) -> dict[str, Any] | None:
    count, added = _COUNT.fullmatch(total.text), _SUM.fullmatch(ones.text)
    if not count or not added or count["sel"] != added["sel"]:
        return None
    return {"availability": {"gauge": _selector(ratio, total, count, set())}}


def _ratio(ratio: ErrorRatio, key: str, part: Operand, total: Operand) -> dict[str, Any]:
    """Give two queries; with `by`, or labels that an alert selects, both are selectors."""
    matches = _RATE.fullmatch(part.text), _RATE.fullmatch(total.text)
    grouped = [{*_labels(match)} for match in matches if match]
    if not ratio.fixed and not any(grouped):
        for each in (part, total):
            if "sloth_id" not in ratio.rule.labels and not each.code.startswith("sum", each.start):
                raise NotUnderstoodError(f"{each.text[:80]} is no sum, but a ratio of each series")
        return {"ratio": {key: _query(ratio, part), "total": _query(ratio, total)}}
    if None in matches or grouped[0] != grouped[-1]:
        raise NotUnderstoodError(
            f"{ratio.rule.name} is no ratio of two sums of rates by the same labels"
        )
    for label, _ in ratio.fixed:
        if label not in grouped[0]:
            raise NotUnderstoodError(f"it selects {label}, which {ratio.rule.name} does not have")
    queries = {
        name: _selector(ratio, each, match, grouped[0])
        for name, each, match in zip((key, "total"), (part, total), matches, strict=True)
        if match
    }
    by = sorted(grouped[0] - {label for label, _ in ratio.fixed})
    return {"ratio": queries | ({"by": by} if by else {})}


def _labels(match: re.Match[str]) -> list[str]:
    return re.findall(r"\w+", f"{match[1] or ''} {match.groups()[-1] or ''}")


def _selector(ratio: ErrorRatio, part: Operand, match: re.Match[str], by: set[str]) -> From:
    """Give a selector, with the matchers by which an alert selects one series of the recorded."""
    text, loc = match["sel"], (*ratio.rule.section.loc, "expr")
    start = part.start + match.start("sel")
    more = ",".join(f'{label}="{value}"' for label, value in ratio.fixed if label in by)
    piece = Piece(0, len(text), start)
    if more:
        bare = text.rstrip("}").rstrip().rstrip(",")
        comma = "" if "{" not in bare or bare.endswith("{") else ","
        text = bare + ("{" if "{" not in bare else comma) + more + "}"
        piece = Piece(0, len(bare), start)
    return From(text, loc, (piece,), ratio.rule.section.document)


def _query(ratio: ErrorRatio, part: Operand) -> From:
    section = ratio.rule.section
    made = read_text(section, "expr", part.text, part.start, _WINDOWED)
    if made is None:
        raise NotUnderstoodError(f"{ratio.rule.name} holds what only a template fills in")
    return From(made.data, made.loc, made.pieces, section.document)
