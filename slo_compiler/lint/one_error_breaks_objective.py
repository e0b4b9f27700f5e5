"""One failed event pages somebody, or spends much of the budget.

With little traffic an error ratio means little: of 20 events in an hour, one is 5 %. Write how many
events an SLO expects, and this lint does the arithmetic for each tier that pages, and for the
budget of the period. With `by`, write how many a usual series has. `min_errors` keeps single errors
from paging; against a budget of a few errors, only a lower objective or a longer period helps.

Fails:

    traffic: {events_per_day: 1200}

Passes:

    traffic: {events_per_day: 1200}
    alerting: {min_errors: 3, runbook: "https://runbooks.example/checkout"}
"""

from collections.abc import Iterator
from fractions import Fraction
from math import ceil

from slo_compiler.diagnostics import Severity
from slo_compiler.duration import Duration
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.slo import minimum, rank
from slo_compiler.plan import burn
from slo_compiler.plan.reach import threshold
from slo_compiler.plan.traffic import expected_events, rounded
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.schema import Tier

ID = "one-error-breaks-objective"
SEVERITY = Severity.WARNING

_HOUR = Duration.of(hours=1)
_ENOUGH = 3  # errors, that an alert is not about one event
_TOO_MUCH = Fraction(1, 10)  # of a budget, for one event


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give tiers that fire on one error, and budgets that one error spends a tenth of."""
    for slo in tenant.slos:
        if slo.spec.traffic is None or slo.slices is not None:
            continue
        at = slo.at("traffic", "events_per_day")
        for tier in slo.tiers:
            if rank(tenant, tier.severity) > 0:
                continue
            limit = threshold(slo, tier)
            events = expected_events(slo, tier.long_window)
            if 1 / events > limit and not _guarded(slo, tier, limit):
                yield Finding(
                    at,
                    f"one failed event fires {tier.name}: of about {rounded(events)} events in "
                    f"{tier.long_window} it is {_percent(1 / events)}, the threshold is "
                    f"{_percent(limit)}",
                    _advice(slo, tier),
                )
        budget = expected_events(slo, slo.period.longest) * burn.error_budget(slo.objective)
        if 1 / budget > _TOO_MUCH:
            yield Finding(
                at,
                f"one failed event spends {_percent(1 / budget)} of the budget of {slo.period}, "
                f"which is about {rounded(budget)} events",
                "lower the objective, or lengthen the period",
            )


def _advice(slo: ResolvedSLO, tier: Tier) -> str:
    """Name a guard that is within reach, or else a window in which there is one."""
    shortest = min((each.long_window for each in slo.policy.tiers), key=lambda window: window.ms)
    for window, before, after in (
        (shortest, "{", "}"),
        (tier.long_window, f"{{tiers: {{{tier.name}: {{", "}}}"),
    ):
        least = min(_ENOUGH, int(expected_events(slo, window)))
        if least > 1:
            return f"add alerting: {before}min_errors: {least}{after}, or lower the objective"
    two = Duration(ceil(2 * _HOUR.ms / expected_events(slo, _HOUR) / _HOUR.ms) * _HOUR.ms)
    return (
        f"two errors in {two} would be a sign: write a policy with a long_window of {two} or more "
        "and min_errors: 2, or budget in timeslices"
    )


def _guarded(slo: ResolvedSLO, tier: Tier, limit: Fraction) -> bool:
    """Whether a minimum of errors or events keeps one error from firing."""
    errors, events = minimum(slo, tier, "errors") or 1, minimum(slo, tier, "events") or 1
    return errors > 1 or Fraction(1, events) <= limit


def _percent(ratio: Fraction) -> str:
    return f"{float(ratio) * 100:.3g}%"
