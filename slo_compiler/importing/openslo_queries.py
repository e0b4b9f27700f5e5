"""OpenSLO's indicators in native words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import promql_parser as pp

from slo_compiler.decimals import plain
from slo_compiler.duration import Duration
from slo_compiler.frontend.overlay import Piece
from slo_compiler.frontend.translate import From
from slo_compiler.importing.openslo_objects import NamedObjects
from slo_compiler.importing.part import Section
from slo_compiler.importing.queries import FIXED, SUM, read_query
from slo_compiler.promql import read, unwrapped
from slo_compiler.schema.base import shown

_OPERATORS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_SIDES = {"good": "good", "bad": "errors"}
_PROMETHEUS = ("prometheus", "promql", "thanos", "mimir", "cortex", "victoriametrics")
_SOURCE = "only Prometheus and what speaks PromQL is read; write the queries in PromQL"


def read_sli(
    indicator: Section, objective: Section, objects: NamedObjects, slice_: Duration | None
) -> dict[str, Any] | None:
    """Give the SLI of an objective.

    Args:
        indicator: the spec of an SLI.
        objective: with the bound of a threshold.
        objects: where sources are looked up.
        slice_: the length of slices whose ratios are averaged; None if events are counted.
    """
    threshold = indicator.get("thresholdMetric") is not None
    ratio = indicator.get("ratioMetric") is not None
    if threshold == ratio:
        indicator.report.error(
            indicator.document.locate(indicator.loc, key=True),
            "import-refused",
            "an SLI has either a ratioMetric or a thresholdMetric",
        )
        return None
    if threshold:
        if slice_:
            _no_mean(indicator, "thresholdMetric")
            return None
        return _threshold(indicator.part("thresholdMetric"), objective, objects)
    _without_bound(objective)
    return _ratio(indicator.part("ratioMetric"), objects, slice_)


def of_v1alpha(spec: Section, objective: Section, objects: NamedObjects) -> dict[str, Any] | None:
    """Give the SLI of an objective of v1alpha: its own ratio, or the metric of the SLO."""
    ratio = objective.get("ratioMetrics") is not None
    if ratio == (spec.get("indicator") is not None):
        objective.report.error(
            objective.document.locate(objective.loc),
            "import-refused",
            "v1alpha has either an indicator or ratioMetrics of the objective",
        )
        return None
    if not ratio:
        indicator = spec.part("indicator")
        metric = indicator.part("thresholdMetric")
        indicator.finish()
        return _threshold(metric, objective, objects)
    _without_bound(objective)
    part = objective.part("ratioMetrics")
    # Both spellings are in use; a counter is what grows.
    key = "incremental" if "incremental" in part.data else "counter"
    return _events(part, key, objects)


def _ratio(part: Section, objects: NamedObjects, slice_: Duration | None) -> dict[str, Any] | None:
    if part.get("raw") is None:
        sli = _events(part, "counter", objects)
        return _mean(part, sli, slice_) if slice_ and sli else sli
    for key in ("good", "bad", "total"):
        if part.get(key) is not None:
            part.refuse(key, f"raw is a whole ratio, beside which {key} has no place", "remove one")
    part.get("counter")
    query, kind = _query(part.part("raw"), objects, values=True), part.text("rawType")
    if kind not in ("success", "failure"):
        part.refuse(
            "rawType",
            f"expected success or failure, found {shown(kind)}",
            "success if the query is good / total, failure if it is bad / total",
        )
    part.finish()
    if query is None:
        return None
    if not slice_:
        part.report.warning(
            part.document.locate((*part.loc, "raw"), key=True),
            "import-approximated",
            "a raw ratio is averaged over time, each second with the same weight",
            "write good and total, so that events are counted",
        )
    if kind == "success":
        text = f"1 - ({query.data})"
        pieces = query.pieces or (Piece(0, len(query.data), 0),)
        moved = tuple(Piece(p.start + 5, p.end + 5, p.offset) for p in pieces)
        query = From(text, query.loc, moved, query.document)
    return {"raw": {"error_ratio": query}}


def _events(part: Section, counter: str, objects: NamedObjects) -> dict[str, Any] | None:
    """Read good or bad events, and all of them."""
    part.get("rawType")
    if part.data.get("rawType") is not None:
        part.refuse("rawType", "rawType is for raw alone", "remove it")
    given = [key for key in _SIDES if part.get(key) is not None]
    if len(given) != 1:
        part.report.error(
            part.document.locate(part.loc, key=True),
            "import-refused",
            f"expected one of good and bad, found {' and '.join(given) or 'none'}",
        )
    if part.get("total") is None:
        part.refuse("total", 'the key "total" is missing')
    is_counter = part.flag(counter)
    sides = {key: _query(part.part(key), objects) for key in (*given, "total")}
    part.finish()
    if len(given) != 1 or any(query is None for query in sides.values()):
        return None
    if not is_counter and not all(_has_range(query) for query in sides.values() if query):
        part.report.error(
            part.document.locate((*part.loc, counter), key=True),
            "import-refused",
            f"without {counter}: true a query is the number of events of some time, which is not "
            "written",
            f"write {counter}: true if the metrics only grow, or rates: sum(rate(x_total[5m]))",
        )
        return None
    return {"ratio": {_SIDES[given[0]]: sides[given[0]], "total": sides["total"]}}


def _mean(part: Section, sli: dict[str, Any], slice_: Duration) -> dict[str, Any] | None:
    """Write the mean of slices' ratios as a raw ratio, which is averaged over time."""
    body = sli["ratio"]
    (side,) = [key for key in body if key != "total"]
    first, total = body[side], body["total"]
    if not all(_is_selector(each.data) for each in (first, total)):
        _no_mean(part, "total")
        return None
    events = f"sum(rate({total.data}[{slice_}]))"
    counted = f"(sum(rate({first.data}[{slice_}])) or 0 * {events}) / {events}"
    text = counted if side == "errors" else f"1 - {counted}"
    part.report.warning(
        part.document.locate(part.loc, key=True),
        "import-approximated",
        f"RatioTimeslices: the ratio of the last {slice_} is averaged over time; slices overlap, "
        "and one without events counts for nothing",
        "Occurrences weighs each event alike",
    )
    return {"raw": {"error_ratio": From(text, first.loc, document=first.document)}}


def _no_mean(part: Section, key: str) -> None:
    part.refuse(
        key,
        "the mean of slices' ratios (RatioTimeslices) can be written of counters' selectors alone",
        "write selectors, or a raw ratio, or budgetingMethod: Occurrences or Timeslices",
    )


def _has_range(query: From) -> bool:
    text = query.document.text(query.loc) if query.document else ""
    return any(FIXED.windows(text))


def _is_selector(text: str) -> bool:
    found = read(text, Duration.of(minutes=1))
    return found is not None and isinstance(unwrapped(found[0]), pp.VectorSelector)


def _threshold(part: Section, objective: Section, objects: NamedObjects) -> dict[str, Any] | None:
    query = _query(part, objects, values=True)
    op, value = objective.text("op"), objective.get("value")
    if op not in _OPERATORS:
        text = f"expected how a good value compares, found {shown(op)}"
        objective.refuse("op", text, f"one of {', '.join(_OPERATORS)}")
        return None
    if value is None:
        objective.refuse("value", "a threshold has a value", "such as value: 0.5")
        return None
    bound = From(value, (*objective.loc, "value"), document=objective.document)
    sign = From(_OPERATORS[op], (*objective.loc, "op"), document=objective.document)
    return {"threshold": {"query": query, "op": sign, "value": bound}} if query else None


def _without_bound(objective: Section) -> None:
    """Report the bound of a ratio, which only a threshold has."""
    for key in ("op", "value"):
        if objective.get(key) is not None:
            text = f"{key} is left out: a ratio is compared with the target alone"
            objective.report.info(objective.key(key), "import-left-out", text)


def _query(part: Section, objects: NamedObjects, *, values: bool = False) -> From | None:
    """Give the query of a metric, whose source must speak PromQL."""
    if "metricSource" in part.data:
        source = part.part("metricSource")
        part.finish()
        kind, at = source.text("type"), "type"
        if source.get("metricSourceRef") is not None and kind is None:
            at = "metricSourceRef"
            there = objects.get(source, at, "DataSource")
            if there is None:
                return None
            kind = there.part("spec").text("type")
        spec = source.part("spec")
        key = "promql" if "promql" in spec.data else "query"
        source.finish()
    else:  # v1alpha
        source, spec, key, at = part, part, "query", "source"
        kind = part.text("source")
        language = part.text("queryType")
        if language is not None and language.lower() != "promql":
            part.refuse("queryType", f"a query of {shown(language)} is no PromQL", _SOURCE)
            return None
    if kind is None:
        source.refuse(at, "it is not written what kind of source this is", "type: Prometheus")
        return None
    if kind.lower() not in _PROMETHEUS:
        source.refuse(at, f"the source is {shown(kind)}", _SOURCE)
        return None
    query = _text(spec, key, values=values)
    spec.finish()
    return query


def _text(spec: Section, key: str, *, values: bool) -> From | None:
    text = spec.text(key)
    if text is None or (values and "{{" not in text):
        if text is None and spec.data.get(key) is None:
            spec.refuse(key, f'the key "{key}" is missing', "a PromQL query")
        return From(text, (*spec.loc, key), document=spec.document) if text else None
    ranges = {match[0].strip() for match in FIXED.windows(text)}
    if len(ranges) > 1:
        spec.refuse(
            key,
            f"the query has ranges of {' and '.join(sorted(ranges))}: which is the window?",
            "write the same in all of them, or {{.window}}",
        )
        return None
    found = read_query(spec, key, FIXED)
    if found is None:
        return None
    if SUM.fullmatch(text.strip()):
        text = "the sum of a counter is written as the counter, whose rates are summed"
        spec.report.info(spec.at(key), "import-decided", text)
    if ranges and not ranges <= {found.data}:
        (span,) = ranges
        if "{{" not in span:
            text = f"its range of {span} is the window of each rule: $window"
            spec.report.info(spec.at(key), "import-decided", text)
    return From(found.data, found.loc, found.pieces, spec.document)


def percent(value: object) -> object:
    """Give a share of 1 as a percentage; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return value
    number = Decimal(value)
    return Decimal(plain(number * 100)) if number.is_finite() and abs(number) < 10**6 else value
