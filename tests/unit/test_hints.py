"""The hints of lints: where one prints what to write, that is clean when it is written.

So no finding sends a reader to what another one refuses.
"""

from __future__ import annotations

import pytest
from hints import followed
from linting import findings, wrapped
from test_lints import each_lint, example, ratio

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Lint

# Their hints need a decision: a name, a team, another query.
PROSE = {
    "bad-disable",
    "channel-unused",
    "definition-unused",
    "dependency-muted",
    "duplicate-selectors",
    "errors-outside-total",
    "fragile-selection",
    "heartbeat-unrouted",
    "high-cardinality-by",
    "missing-description",
    "missing-owner",
    "missing-runbook",
    "page-muted",
    "period-policy-contradiction",
    "quantile-as-events",
    "raw-unweighted",
    "retention",
    "tenant-without-page-route",
    "tier-overshadowed",
    "unused-disable",
}


@each_lint
def test_hint_of_the_failing_example_is_clean_when_it_is_followed(rule: Lint) -> None:
    files = followed(wrapped(example(rule, "Fails")), rule.id)
    assert (files is None) == (rule.id in PROSE)
    if files is not None:
        assert _left(files, rule.id) == []


RUNBOOK = 'runbook: "https://runbooks.example/checkout"'
BY_LE = "histogram_quantile(0.9, sum by (region) (rate(x_bucket[5m])))"


@pytest.mark.parametrize(
    ("id_", "fragment"),
    [
        ("retention-undeclared", 'prometheus: {version: "3.5"}\nperiod: 90d\n'),
        (
            "counter-without-rate",
            ratio('sum(rate(x_total[$window])) or sum(y_total{a="b", c="d"})'),
        ),
        ("increase-not-rate", ratio("sum by (a) (increase(x_total[$window]))", by="a")),
        ("rate-of-rate", ratio('job:x:rate5m{a="b"}')),
        ("rate-of-rate", ratio("sum(rate(rate(x_total[1m])[$window:15s]))")),
        ("sum-of-irate", ratio("sum(idelta(x_total[$window]))")),
        (
            "quantile-without-le",
            f"threshold: {{query: '{BY_LE}', op: <, value: 1, by: [region]}}\n",
        ),
        ("invented-events", ratio("(sum(rate(x_total[$window])) > 0) or vector(1)")),
        ("invented-events", ratio("clamp_min(sum(rate(x_total[$window])), 1)")),
        ("invented-events", ratio("1 + sum(rate(x_total[$window]))")),
        ("no-data-hidden", ratio("(sum(rate(x_total[$window])) > 0) or vector(0)")),
        ("no-data-hidden", "threshold:\n  query: queue or vector(0)\n  op: <\n  value: 5\n"),
        ("regex-as-literal", ratio("x_total", 'x_total{a="b", b!="x|y", c="d"}')),
        ("negated-errors", ratio("x_total", 'sum(rate(x_total{code!~"5.."}[$window]))')),
        ("impossible-le", ratio("x_count", 'x_bucket{le="1"}', key="good")),
        (
            "guard-out-of-reach",
            f"traffic: {{events_per_day: 3000}}\nalerting: {{min_errors: 900, {RUNBOOK}}}\n",
        ),
        (
            "guard-out-of-reach",
            f"traffic: {{events_per_day: 2000}}\nalerting: {{min_events: 500, {RUNBOOK}}}\n",
        ),
        ("one-error-breaks-objective", "traffic: {events_per_day: 500}\n"),
        (
            "objective-finer-than-scrape",
            "objective: 99.99\nbudgeting: {timeslices: {slice: 5m, target: 99, idle: exclude}}\n",
        ),
    ],
)
def test_hint_is_clean_when_it_is_followed(id_: str, fragment: str) -> None:
    files = wrapped(fragment)
    assert id_ in {d.id for d in findings(files)}
    files = followed(files, id_)
    assert files is not None
    assert _left(files, id_) == []


def _left(files: dict[str, str], id_: str) -> list[str]:
    """What is found once a hint was followed: infos of other lints may be."""
    found = (d for d in findings(files) if d.id == id_ or d.severity is not Severity.INFO)
    return [f"{d.id}: {d.message}" for d in found]
