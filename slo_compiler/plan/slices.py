"""The base pair of an SLO whose budget is one of time slices: slices, and bad slices."""

from __future__ import annotations

from fractions import Fraction

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.ir import Rule
from slo_compiler.plan.tenant import MILLISECOND, identity
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.schema import Timeslices
from slo_compiler.templating import render_expression

_ROUNDING = Fraction(1, 10**9)


def error_bound(slices: Timeslices) -> Fraction:
    """Share of a slice's events that may be errors: a target of 95 percent allows 1/20."""
    return 1 - Fraction(slices.target) / 100


def slice_rules(
    tenant: ResolvedTenant,
    slo: ResolvedSLO,
    slices: Timeslices,
    timing: burn.Timing,
    report: Report,
) -> list[Rule]:
    """Plan slices and bad slices per second, from the sliced events and errors."""
    _check(slo, slices, timing, report)
    id_, at = identity(tenant, slo), slo.at("budgeting", "timeslices")
    common = {
        "id": id_,
        "events_series": naming.SLICED_EVENTS_RATE,
        "range": slices.slice - MILLISECOND,
        "step": timing.base_step,
        "slice": slices.slice,
        "slice_seconds": burn.literal(Fraction(slices.slice.ms, 1000)),
        "idle": slices.idle,
    }
    events = render_expression("sli/events_of_slices", **common)
    errors = render_expression(
        "sli/errors_of_slices",
        errors_series=naming.SLICED_ERRORS_RATE,
        bound=burn.literal(error_bound(slices) + _ROUNDING),
        **common,
    )
    return [
        Rule(naming.EVENTS_RATE, events, at, labels=id_.labels),
        Rule(naming.ERRORS_RATE, errors, at, labels=id_.labels),
    ]


def _check(slo: ResolvedSLO, slices: Timeslices, timing: burn.Timing, report: Report) -> None:
    at, hour = slo.at("budgeting", "timeslices", "slice"), Duration.of(hours=1)
    shortest = min(tier.short_window for tier in slo.policy.tiers)
    if slices.slice.ms % timing.base.ms or hour.ms % slices.slice.ms:
        report.error(
            at,
            "slice",
            f"a slice of {slices.slice} does not fit: it must divide 1h and be a multiple of "
            f"{timing.base}, which is what one sample of events holds",
            _fitting(timing, shortest),
        )
    elif slices.slice > shortest:
        report.error(
            at,
            "slice",
            f"a slice of {slices.slice} is longer than the shortest window of "
            f"{slo.policy.name}, {shortest}",
            "shorten it, or choose a policy with longer windows",
        )


def _fitting(timing: burn.Timing, longest: Duration) -> str:
    """Name slices that fit: 1m, 5m and 10m where they do, else the shortest."""
    lengths = (Duration.of(minutes=minutes) for minutes in range(1, 61) if not 60 % minutes)
    fit = [length for length in lengths if not length.ms % timing.base.ms and length <= longest]
    usual = [Duration.of(minutes=minutes) for minutes in (1, 5, 10)]
    found = [length for length in usual if length in fit] or fit[:3]
    if not found:
        return "none is: such scrape and evaluation intervals as divide a minute have some"
    return "such as " + " or ".join(", ".join(map(str, found)).rsplit(", ", 1))
