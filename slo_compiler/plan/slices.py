"""Time slices that a budget is made of: what they allow, and whether they fit."""

from __future__ import annotations

from fractions import Fraction

from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.resolve.model import ResolvedSLO
from slo_compiler.schema import Timeslices

_ROUNDING = Fraction(1, 10**9)


def error_bound(slices: Timeslices) -> Fraction:
    """Share of a slice's events that may be errors: a target of 95 percent allows 1/20."""
    return 1 - Fraction(slices.target) / 100


def check_slices(slo: ResolvedSLO, slices: Timeslices, timing: burn.Timing, report: Report) -> None:
    """Check that slices fit the samples and the windows; findings go to `report`."""
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
