"""The SLI of an SLO in labels: a metric, errors of a total, or a latency."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from slo_compiler.diagnostics import Position, Report
from slo_compiler.importing.compose_labels import PREFIX, Label
from slo_compiler.importing.compose_prometheus import Job
from slo_compiler.schema.base import shown

SLI_KEYS = ("metric", "errors", "good", "total", "latency")
_SELECTOR = re.compile(r"(?P<metric>[a-zA-Z_:][\w:]*)\s*(?P<matchers>\{[^{}]*\})?", re.ASCII)
_PARTS = ("_bucket", "_count", "_sum")  # of a histogram
_ERRORS = 'code=~"5.."'


def read_sli(
    labels: Mapping[str, Label], at: Position, jobs: Sequence[Job], report: Report
) -> dict[str, Any] | None:
    """Give the SLI; what a label leaves open is decided, and the decision is a finding.

    Args:
        labels: of the SLO, by the last part of their keys.
        at: place of the service.
        jobs: that scrape the service.
        report: takes the findings.
    """
    given = [key for key in SLI_KEYS if key in labels]
    texts = {key: labels[key] for key in given if isinstance(labels[key].value, str)}
    for key in given:
        if key not in texts and key != "latency":
            report.error(
                labels[key].place, "import-refused", "expected a query", "put it in quotes"
            )
            return None
    if given not in (["metric"], ["metric", "latency"], ["errors", "total"], ["good", "total"]):
        names = " and ".join(f"{PREFIX}{key}" for key in given)
        report.error(
            labels[given[0]].at if given else at,
            "import-refused",
            f"found {names}" if names else "no label says what an error is",
            f"an SLO has {PREFIX}metric, {PREFIX}errors and {PREFIX}total, or {PREFIX}metric (a "
            f"histogram) and {PREFIX}latency",
        )
        return None
    queries = _of_job({key: texts[key] for key in given if key != "latency"}, jobs, report)
    if "latency" in given:
        return _latency(queries["metric"], labels["latency"])
    if "metric" in given:
        return _metric(queries["metric"], report)
    return {"ratio": {key: label.made() for key, label in queries.items()}}


def _of_job(
    queries: Mapping[str, Label], jobs: Sequence[Job], report: Report
) -> Mapping[str, Label]:
    """Add the scrape job to selectors without one, so that services keep apart."""
    found = {key: _SELECTOR.fullmatch(label.value.strip()) for key, label in queries.items()}
    plain = [match for match in found.values() if match]
    has_job = any(re.search(r"\bjob\s*[=!]", str(label.value)) for label in queries.values())
    if len(jobs) != 1 or has_job or len(plain) < len(found):
        return queries
    matcher = f'job="{jobs[0].name}"'
    if '"' in jobs[0].name or "\\" in jobs[0].name or not jobs[0].name.isprintable():
        return queries
    made = {}
    for key, label in queries.items():
        brace = label.value.find("{")
        if brace < 0:
            made[key] = label.inserted(len(label.value), f"{{{matcher}}}")
        else:
            rest = label.value[brace + 1 :].lstrip()
            made[key] = label.inserted(
                brace + 1, matcher if rest.startswith("}") else f"{matcher},"
            )
    first = next(iter(queries.values()))
    text = f"of the job {shown(jobs[0].name)}, which scrapes this service, alone"
    report.info(first.place, "import-decided", f"{first.value.strip()} is read {text}")
    return made


def _latency(metric: Label, threshold: Label) -> dict[str, Any]:
    match = _SELECTOR.match(metric.value)
    part = next((each for each in _PARTS if match and match["metric"].endswith(each)), "")
    if match and part:
        metric = metric.cut(match.end("metric") - len(part), match.end("metric"))
    return {"latency": {"histogram": metric.made(), "threshold": threshold.made()}}


def _metric(metric: Label, report: Report) -> dict[str, Any] | None:
    """Take a counter's errors by their code, and any other metric as a 0/1 gauge."""
    match = _SELECTOR.fullmatch(metric.value.strip())
    if match is None:
        help_ = f"write {PREFIX}errors and {PREFIX}total, each a query with $$window"
        report.error(metric.place, "import-refused", "this is no selector of a metric", help_)
        return None
    name = match["metric"]
    if name.endswith(("_bucket", "_sum", "_seconds", "_milliseconds")):
        help_ = f"add {PREFIX}latency: 300ms, or name a counter"
        text = f"{shown(name)} is a histogram, which has no errors"
        report.error(metric.place, "import-refused", text, help_)
        return None
    if not name.endswith(("_total", "_count")):
        text = f"{shown(name)} is taken for a gauge that is 1 while it is up, and else 0"
        help_ = f"a counter's name ends with _total; or write {PREFIX}errors and {PREFIX}total"
        report.info(metric.place, "import-decided", text, help_)
        return {"availability": {"gauge": metric.made()}}
    text = f"errors are those of {name} with {_ERRORS}"
    help_ = f"write {PREFIX}errors and {PREFIX}total if its label is another"
    report.info(metric.place, "import-decided", text, help_)
    brace = metric.value.find("{")
    close = metric.value.rfind("}")
    if brace < 0:
        errors = metric.inserted(len(metric.value.rstrip()), f"{{{_ERRORS}}}")
    else:
        inner = metric.value[brace + 1 : close].strip()
        comma = "" if not inner or inner.endswith(",") else ","
        errors = metric.inserted(close, f"{comma}{_ERRORS}")
    return {"ratio": {"errors": errors.made(), "total": metric.made()}}
