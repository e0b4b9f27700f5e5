"""One failed event pages somebody, or spends much of the budget.

With little traffic an error ratio says little: of 20 events in an hour, one is 5 %. Say how many
events an SLO expects, and this lint does the arithmetic for each tier that pages, and for the
budget of the period. With `by`, say how many a usual series has. `min_errors` keeps single errors
from paging; against a budget of a few errors, only a lower objective or a longer period helps.

Fails:

    traffic: {events_per_day: 1200}

Passes:

    traffic: {events_per_day: 1200}
    alerting: {min_errors: 3, runbook: "https://runbooks.example/checkout"}
"""

from collections.abc import Iterator
from fractions import Fraction

from slo_compiler.diagnostics import Severity
from slo_compiler.duration import Duration
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.slo import minimum, rank
from slo_compiler.plan import burn
from slo_compiler.plan.reach import threshold
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.schema import Tier

ID = "one-error-breaks-objective"
SEVERITY = Severity.WARNING

_DAY = Duration.of(days=1)
_TOO_MUCH = Fraction(1, 10)  # of a budget, for one event


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give tiers that fire on one error, and budgets that one error spends a tenth of."""
    for slo in tenant.slos:
        if slo.spec.traffic is None:
            continue
        at, daily = slo.at("traffic", "events_per_day"), Fraction(slo.spec.traffic.events_per_day)
        for tier in slo.policy.tiers:
            if rank(tenant, tier.severity) > 0:
                continue
            limit = threshold(slo, tier)
            events = daily * tier.long_window.ms / _DAY.ms
            if 1 / events > limit and not _guarded(slo, tier, limit):
                yield Finding(
                    at,
                    f"one failed event fires {tier.name}: of about {_rounded(events)} events in "
                    f"{tier.long_window} it is {_percent(1 / events)}, the threshold is "
                    f"{_percent(limit)}",
                    "add alerting: {min_errors: 3}, or lower the objective",
                )
        budget = daily * slo.period.longest.ms / _DAY.ms * burn.error_budget(slo.objective)
        if 1 / budget > _TOO_MUCH:
            yield Finding(
                at,
                f"one failed event spends {_percent(1 / budget)} of the budget of {slo.period}, "
                f"which is about {_rounded(budget)} events",
                "lower the objective, or lengthen the period",
            )


def _guarded(slo: ResolvedSLO, tier: Tier, limit: Fraction) -> bool:
    """Whether a minimum of errors or events keeps one error from firing."""
    errors, events = minimum(slo, tier, "errors") or 1, minimum(slo, tier, "events") or 1
    return errors > 1 or Fraction(1, events) <= limit


def _rounded(number: Fraction) -> str:
    return f"{float(number):.3g}" if number < 1000 else f"{round(number):,}"  # noqa: PLR2004


def _percent(ratio: Fraction) -> str:
    return f"{float(ratio) * 100:.3g}%"
