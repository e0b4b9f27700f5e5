"""Pyrra's indicators in native words: selectors of counters, histograms and gauges."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import promql_parser as pp

from slo_compiler.decimals import plain
from slo_compiler.duration import Duration
from slo_compiler.frontend.translate import From, replaced
from slo_compiler.importing.part import Section
from slo_compiler.naming import RESERVED_LABELS
from slo_compiler.promql import Selector, read, selector_of, unwrapped
from slo_compiler.schema.base import shown
from slo_compiler.schema.sli.unit import TimeUnit, unit_in_name

_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_RENAMED = "query_"


def read_sli(indicator: Section) -> tuple[dict[str, Any] | None, dict[str, str]]:
    """Give an SLI, and the labels that it has a budget for each of: our name of each, by Pyrra's.

    Each key that has no counterpart is a finding.
    """
    found: list[dict[str, Any]] = []
    labels: dict[str, str] = {}
    for key, of in _READERS.items():
        if indicator.get(key) is None:
            continue
        part = indicator.part(key)
        sli = of(part)
        labels = _grouping(part)
        part.finish()
        if sli is not None:
            by = [*labels] if all(new == old for old, new in labels.items()) else labels
            by = by if isinstance(by, list) else {new: old for old, new in labels.items()}
            (body,) = sli.values()
            body |= {"by": From(by, (*part.loc, "grouping"))} if by else {}
            found.append(sli)
    indicator.finish()
    given = [key for key in _READERS if indicator.data.get(key) is not None]
    if len(given) != 1:
        indicator.report.error(
            indicator.document.locate(indicator.loc, key=True),
            "import-refused",
            f"expected one indicator, found {' and '.join(given) or 'none'}",
            f"an SLO has one of {', '.join(_READERS)}; write an SLO for each",
        )
        return None, {}
    return (found[0] if found else None), labels


def _ratio(part: Section) -> dict[str, Any] | None:
    errors, total = (_metric(part.part(key)) for key in ("errors", "total"))
    return {"ratio": {"errors": errors, "total": total}} if errors and total else None


def _latency(part: Section) -> dict[str, Any] | None:
    """Take a bucket and a count of one histogram as that histogram, others as good events."""
    success, total = (_metric(part.part(key)) for key in ("success", "total"))
    if not success or not total:
        return None
    bucket, count = (_selector(each.data) for each in (success, total))
    bounds = [m for m in bucket.matchers if m.name == "le"] if bucket else []
    if not bucket or not count or len(bounds) != 1:
        place = ("success", "metric")
        part.report.error(
            part.document.locate((*part.loc, *place)),
            "import-refused",
            "the successes of a latency are the bucket of one threshold",
            'write its bound, such as http_request_duration_seconds_bucket{le="0.3"}',
        )
        return None
    plain_ = bucket.without(*bounds)
    base = bucket.metric.removesuffix("_bucket")
    same = {*plain_.matchers} == {*count.matchers} and count.metric == f"{base}_count"
    number = bounds[0].op == "=" and _NUMBER.fullmatch(bounds[0].value)
    if not same or not number or base == bucket.metric or not Decimal(bounds[0].value):
        return {"ratio": {"good": success, "total": total}}
    unit = unit_in_name(base)
    histogram = From(str(Selector(base, count.matchers)), (*part.loc, "total", "metric"))
    if total.data.count(count.metric) == 1:
        histogram = replaced(part.document, histogram.loc, count.metric, base)
    threshold = _span(Decimal(bounds[0].value), unit or TimeUnit.SECONDS)
    sli = {"histogram": histogram, "threshold": From(threshold, (*part.loc, "success", "metric"))}
    return {"latency": sli | _unit(part, base, unit)}


def _native(part: Section) -> dict[str, Any] | None:
    total = _metric(part.part("total"))
    latency = part.text("latency")
    if latency is None and part.data.get("latency") is None:
        part.refuse("latency", 'the key "latency" is missing', "such as latency: 200ms")
    if not total or latency is None:
        return None
    found = _selector(total.data)
    base = found.metric if found else ""
    unit = unit_in_name(base)
    sli = {"histogram": total, "threshold": From(latency, (*part.loc, "latency")), "native": True}
    return {"latency": sli | _unit(part, base, unit, TimeUnit.SECONDS)}


def _unit(
    part: Section, metric: str, named: TimeUnit | None, wanted: TimeUnit | None = None
) -> dict[str, Any]:
    """Write the unit of a histogram whose name has none, or another one."""
    if named and wanted in (None, named):
        return {}
    at = part.document.locate((*part.loc, "total", "metric"))
    if named is None:
        text = f"the name {shown(metric)} has no unit: Pyrra takes it for seconds"
        help_ = "correct `unit` if it has another one"
        part.report.info(at, "import-decided", text, help_)
    else:
        text = f"the name {shown(metric)} means {named}, but Pyrra compares it with seconds"
        help_ = "remove `unit` if the threshold is meant as it is written"
        part.report.warning(at, "import-approximated", text, help_)
    return {"unit": str(TimeUnit.SECONDS)}


def _gauge(part: Section) -> dict[str, Any] | None:
    metric = _metric(part, finish=False)
    return {"availability": {"gauge": metric}} if metric else None


_READERS: dict[str, Callable[[Section], dict[str, Any] | None]] = {
    "ratio": _ratio,
    "latency": _latency,
    "latencyNative": _native,
    "bool_gauge": _gauge,
}


def _metric(part: Section, *, finish: bool = True) -> From | None:
    """Give the selector of a metric; any other PromQL is an error, as it is to Pyrra."""
    text = part.text("metric")
    if finish:
        part.finish()
    if not text:
        if part.data.get("metric") in (None, ""):
            part.refuse("metric", 'the key "metric" is missing')
        return None
    tree = read(text, Duration.of(minutes=1))
    if tree is not None and not isinstance(unwrapped(tree[0]), pp.VectorSelector):
        part.refuse(
            "metric",
            "Pyrra takes the selector of a metric here, and no other PromQL",
            'such as http_requests_total{job="checkout"}; or record the query by a rule',
        )
        return None
    return From(text, (*part.loc, "metric"))


def _selector(text: str) -> Selector | None:
    found = read(text, Duration.of(minutes=1))
    tree = unwrapped(found[0]) if found else None
    return selector_of(tree) if isinstance(tree, pp.VectorSelector) else None


def _grouping(part: Section) -> dict[str, str]:
    """Give the labels of a grouping, each with the name that it is recorded by."""
    value = part.get("grouping")
    if value is None:
        return {}
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        part.refuse("grouping", f"expected a list of labels, found {shown(value)}")
        return {}
    found = {}
    for index, label in enumerate(value):
        found[label] = label
        if label in RESERVED_LABELS and label != "le":
            found[label] = f"{_RENAMED}{label}"
            part.report.warning(
                part.document.locate((*part.loc, "grouping", index)),
                "import-approximated",
                f"the label {label} is recorded as {found[label]}: the compiler sets {label} "
                "itself",
            )
    return found


def _span(bound: Decimal, unit: TimeUnit) -> str:
    """Write the bound of a bucket as a span of time."""
    seconds = bound * unit.in_seconds.numerator / unit.in_seconds.denominator
    for name, factor in (("s", 1), ("ms", 1_000), ("us", 1_000_000)):
        if seconds * factor >= 1:
            return f"{plain(seconds * factor)}{name}"
    return f"{plain(seconds * 10**9)}ns"
