"""Are there enough events for the objective and the policy?"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from slo_compiler.diagnostics import Position, Report
from slo_compiler.duration import Duration
from slo_compiler.live.client import DAY_SECONDS, Client, Sample
from slo_compiler.live.presence import find
from slo_compiler.live.selectors import Subject
from slo_compiler.manifest.model import Tier
from slo_compiler.plan import burn
from slo_compiler.plan.sli import base_rates
from slo_compiler.templating import render_expression

_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Traffic:
    """Events of a day, by the combinations of the `by` labels that have any."""

    per_day: tuple[Sample, ...]
    whole: bool = True  # whether there are samples of the whole day

    @property
    def total(self) -> float:
        """Events of a day."""
        return sum(sample.value for sample in self.per_day)


def measure(client: Client, subject: Subject) -> Traffic | None:
    """Count the events of the last day; None where there are none to count."""
    found = [find(client, a.selector) for a in subject.asked if not a.errors]
    if not found or not all(f.now for f in found):
        return None
    span = min(f.look_back for f in found)
    rates = base_rates(subject.tenant, subject.slo, span, Report())
    if rates is None:
        return None
    expr = render_expression(
        "live/events", by=subject.slo.by, rate=rates.events, seconds=DAY_SECONDS
    )
    samples = client.vector(expr)
    # A rate over a day is that of the whole day, of which a young counter has only a part.
    known = _known(client, subject) if span.seconds > _HOUR else DAY_SECONDS
    if known < _HOUR:
        return None
    scale = DAY_SECONDS / known
    return Traffic(
        tuple(Sample(s.labels, s.value * scale) for s in samples), known >= DAY_SECONDS * 0.95
    )


def _known(client: Client, subject: Subject) -> float:
    """Tell how many seconds of the last day have samples."""
    spans = [
        client.number(render_expression("live/first_seen", selector=asked.selector)) or 0
        for asked in subject.asked
        if not asked.errors
    ]
    return min(DAY_SECONDS, *spans) if len(spans) > 1 else min(DAY_SECONDS, spans[0])


def check(client: Client, subject: Subject, report: Report) -> None:
    """Tell where one error is an alert, where none can be, and where nothing happens."""
    traffic = measure(client, subject)
    if traffic is None:
        return
    busy = [sample for sample in traffic.per_day if sample.value > 0]
    if not busy:
        report.warning(
            subject.slo.at("name"),
            "live-no-traffic",
            "no event was counted in the last day",
            "is this the traffic that users see? a probe would tell without them",
        )
        return
    quiet = min(busy, key=lambda sample: (sample.value, sorted(sample.labels.items())))
    _check_tiers(subject, quiet, report)
    period = Fraction(subject.slo.period.ms, 1000 * DAY_SECONDS)
    budget = Fraction(quiet.value) * period * burn.error_budget(subject.slo.objective)
    if budget < 1:
        report.warning(
            _objective(subject),
            "live-small-budget",
            f"{_per(quiet, subject.slo.period)}: the budget is {_number(float(budget))} errors, "
            "and the first one overspends it",
            "lower the objective, lengthen the period, or count more events",
        )


def _check_tiers(subject: Subject, quiet: Sample, report: Report) -> None:
    """Find the most urgent tier that one error fires, and each that asks for too many events."""
    alerting, told = subject.slo.spec.alerting, False
    for tier in subject.slo.policy.tiers:
        events = quiet.value * tier.long_window.seconds / DAY_SECONDS
        min_events = getattr(tier, "min_events", None) or alerting.min_events
        min_errors = getattr(tier, "min_errors", None) or alerting.min_errors
        factor = burn.burn_factor(tier.budget_share, subject.slo.period, tier.long_window)
        threshold = burn.threshold(factor, subject.slo.objective)
        least = max(min_events or 0, min_errors or 0)
        if least > events:
            report.warning(
                _guard(subject, min_events),
                "live-never-fires",
                f"{tier.name} waits for {least} events, but there are {_per(quiet, tier)}",
                "lower it, or lengthen the window with a policy of your own",
            )
        elif tier.severity == "page" and (min_errors or 1) <= 1 and events * threshold < 1:
            if not told:
                report.warning(
                    subject.slo.at("name"),
                    "live-low-traffic",
                    f"one error fires {tier.name}: there are {_per(quiet, tier)}, and its "
                    f"threshold is an error ratio of {burn.literal(threshold)}",
                    "set alerting.min_errors, or count events of which there are more",
                )
            told = True


def _guard(subject: Subject, min_events: int | None) -> Position:
    return subject.slo.at("alerting", "min_events" if min_events else "min_errors")


def _objective(subject: Subject) -> Position:
    return subject.slo.at("objective") if subject.slo.spec.objective else subject.slo.at("name")


def _per(quiet: Sample, span: Tier | Duration) -> str:
    """Say how many events there are: `3.2 events in 1h for method="DELETE"`."""
    length = span if isinstance(span, Duration) else span.long_window
    labels = ", ".join(f'{k}="{v}"' for k, v in sorted(quiet.labels.items()))
    where = f" for {labels}" if labels else ""
    return f"{_number(quiet.value * length.seconds / DAY_SECONDS)} events in {length}{where}"


def _number(value: float) -> str:
    """Say a count as a person would: two digits of it, if it is small."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"  # noqa: PLR2004
