"""Are they counters where a rate is taken, and histograms where one is read?"""

from __future__ import annotations

from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.live.client import Client
from slo_compiler.live.presence import Found, find
from slo_compiler.live.selectors import SUFFIXES, CheckedSLO, UsedSelector
from slo_compiler.promql import Selector
from slo_compiler.templating import render_expression

# A counter falls when its process restarts; a gauge falls about as often as it rises.
FALLS, FALLS_SHARE = 10, 0.25
_NO_COUNTERS = {"gauge", "gaugehistogram", "info", "stateset"}
_SUFFIXES = ("", "_total", *SUFFIXES)


def check(client: Client, subject: CheckedSLO, report: Report) -> None:
    """Report gauges below a rate, floats below a histogram's function, and missing buckets."""
    for used in subject.asked:
        found = find(client, used.selector)
        if not found.now:
            continue
        if used.native:
            _check_native(client, used, report)
        elif used.counter:
            _check_counter(client, used, found, report)
    _check_buckets(client, subject, report)


def _check_native(client: Client, used: UsedSelector, report: Report) -> None:
    if client.number(render_expression("live/natives", selector=used.selector)):
        return
    report.error(
        used.position,
        "live-native",
        f"{used.selector.metric} is no native histogram",
        "is scraping of native histograms switched on?",
    )


def _check_counter(client: Client, used: UsedSelector, found: Found, report: Report) -> None:
    metric, range_ = used.selector.metric, found.look_back
    declared = _declared(client, metric)
    if declared is not None and declared not in _NO_COUNTERS:
        return
    falls = _sum(client, "falls", used.selector, range_)
    changes = _sum(client, "changes", used.selector, range_)
    fell = falls >= FALLS and falls >= changes * FALLS_SHARE
    help_ = "a rate needs a counter: one that only grows, usually called ..._total"
    if fell and declared is None:
        message = f"{metric} is no counter: it fell {falls:,.0f} times in {range_}"
        message += f", of {changes:,.0f} changes"
        help_ += "; or does each scrape reach another process?"
    elif declared is None:
        return
    else:
        message = f"{metric} is no counter: its targets declare a {declared}"
    if declared and changes and not falls:
        report.warning(
            used.position,
            "live-not-counter",
            message,
            f"it never fell in {range_}: if it is a counter, let the exporter declare it as one",
        )
    else:
        report.error(used.position, "live-not-counter", message, help_)


def _declared(client: Client, metric: str) -> str | None:
    """Return a metric's type: the texts that declare it name the family, of which it is a part."""
    for suffix in _SUFFIXES:
        if metric.endswith(suffix):
            family = metric.removesuffix(suffix)
            if declared := client.metric_type(family):
                return declared
    return None


def _sum(client: Client, question: str, selector: Selector, range_: Duration) -> float:
    expr = render_expression(f"live/{question}", selector=selector, range=range_)
    return client.number(expr) or 0


def _check_buckets(client: Client, subject: CheckedSLO, report: Report) -> None:
    """Where only some series of a histogram have the bucket, all events of the others are slow."""
    for used in subject.asked:
        bucket = used.selector
        bound = next((m for m in bucket.matchers if m.name == "le"), None)
        if bound is None or not bucket.metric.endswith("_bucket"):
            continue
        count = Selector(
            f"{bucket.metric.removesuffix('_bucket')}_count", bucket.without(bound).matchers
        )
        if not find(client, bucket).now:
            continue
        lacking = client.number(
            render_expression("live/without_bucket", count=count, bucket=bucket)
        )
        if lacking:
            report.error(
                used.position,
                "live-bucket",
                f"{lacking:,.0f} of {find(client, count).now:,} series of the histogram have no "
                f"bucket {bound}",
                "give all instances the same buckets: all events of these count as errors",
            )
