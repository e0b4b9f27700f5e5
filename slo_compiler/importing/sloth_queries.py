"""Sloth's ratios in one query, and what replaces a plugin."""

from __future__ import annotations

import re

from slo_compiler.frontend.translate import From
from slo_compiler.importing.part import Section
from slo_compiler.importing.queries import TEMPLATED, read_text
from slo_compiler.promql.text import code_of

_SUMS = re.compile(r"\s*sum\s*\(\)\s*/\s*sum\s*\(\)\s*")
# What to write instead of an SLI plugin, by a part of its ID: the first that fits.
_RATIO = 'sli: {{ratio: {{errors: {0}{{{1}=~"5.."}}, total: {0}}}}}'
_PLUGINS = (
    ("targets/availability", 'sli: {availability: {gauge: up{job="..."}}}'),
    ("latency", "sli: {latency: {histogram: http_request_duration_seconds, threshold: 300ms}}"),
    ("apiserver", _RATIO.format("apiserver_request_total", "code")),
    ("istio", _RATIO.format("istio_requests_total", "response_code")),
    ("availability", _RATIO.format("http_requests_total", "code")),
)


def instead_of_plugin(id_: object) -> str:
    """Return what to write instead of an SLI plugin."""
    known = (text for part, text in _PLUGINS if part in str(id_))
    return f"write {next(known, 'its queries as sli: {events: ...} and import again')}"


def read_ratio(part: Section, key: str) -> tuple[From, From] | None:
    """Split `sum(...) / sum(...)` into errors and events; None if the query has another shape."""
    text = part.data.get(key)
    if not isinstance(text, str) or "#" in text:
        return None
    depth, outer, slash = 0, "", 0
    for place, char in enumerate(code_of(text)):
        depth -= char in ")]}"
        if depth == 0:
            outer += char
            slash = place if char == "/" else slash
        depth += char in "([{"
    if not _SUMS.fullmatch(outer):
        return None
    sides = (text[:slash], 0), (text[slash + 1 :], slash + 1)
    if not all(TEMPLATED.window.search(side) for side, _ in sides):
        return None
    errors, total = (read_text(part, key, side, offset, TEMPLATED) for side, offset in sides)
    return (errors, total) if errors and total else None
