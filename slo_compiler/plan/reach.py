"""At which burn rate a tier fires for an SLO, and which tiers can never fire for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.guards import guards_of
from slo_compiler.plan.traffic import shortage, starved, usual_events
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.schema import Tier

_ROUND = (Duration.of(minutes=5), Duration.of(hours=1))  # of windows below and above 6h


def burn_factor(slo: ResolvedSLO, tier: Tier) -> Fraction:
    """Give the burn rate at which a tier fires: its own, or budget_share * period / long_window.

    The windows of a tier are the same for all periods. Where the SLO's period is shorter than the
    one that the policy was made for, its share would burn within the budget; where it is longer,
    the share may be more than all errors burn. All tiers then have the burn rates of the policy's
    own period, and 14.4 is 14.4 for two weeks and for twelve.
    """
    if tier.burn_rate is not None:
        return Fraction(tier.burn_rate)
    own, made = slo.period.nominal, slo.policy.spec.period
    period = own if made is None or _reaches(slo, own, made) else made
    return _of_share(tier, period)


def _of_share(tier: Tier, period: Duration) -> Fraction:
    """Give the burn rate of a tier that has a share."""
    return burn.burn_factor(tier.budget_share or Decimal(0), period, tier.long_window)


def _reaches(slo: ResolvedSLO, own: Duration, made: Duration) -> bool:
    """Whether all tiers can fire at the burn rates that they have in a longer period."""
    return own.ms == made.ms or (
        own > made
        and all(
            burn.threshold(_of_share(tier, own), slo.objective) < 1
            for tier in slo.policy.spec.tiers
        )
    )


def threshold(slo: ResolvedSLO, tier: Tier) -> Fraction:
    """Give the error ratio at which a tier fires."""
    return burn.threshold(burn_factor(slo, tier), slo.objective)


def least_error_ratio(slo: ResolvedSLO, tier: Tier) -> Fraction:
    """Give the lowest error ratio at which a tier fires: its threshold, or what its guard wants.

    The long window has `events`, by the SLO's `traffic` or its slices, so that `least` errors are a
    ratio of `least / events`. Without `traffic` that is not known, and the threshold counts.
    """
    return max(threshold(slo, tier), _guarded(slo, tier))


def detection_time(slo: ResolvedSLO, tier: Tier, error_ratio: Fraction) -> float | None:
    """Seconds from a clean history to the alert at a constant error ratio, `for` included.

    Whichever is later: the ratio of the long window is above the threshold, or it has the errors
    that a guard wants. None if the tier never fires at this ratio.
    """
    least = least_error_ratio(slo, tier)
    if error_ratio < least:
        return None
    wait = tier.for_.seconds if tier.for_ else 0
    return burn.detection_time(tier.long_window, least, error_ratio) + wait


def _guarded(slo: ResolvedSLO, tier: Tier) -> Fraction:
    """Give the error ratio of the long window's usual events at which there are enough errors."""
    events = usual_events(slo, tier.long_window)
    if not events:
        return Fraction(0)
    wanted = (guard.least for guard in guards_of(slo, tier) if guard.counted == "errors")
    return max((Fraction(least) / events for least in wanted), default=Fraction(0))


def budget_share(slo: ResolvedSLO, tier: Tier) -> Fraction:
    """Give the percentage of the budget that burns in a tier's long window before it fires."""
    return burn_factor(slo, tier) * 100 * tier.long_window.ms / slo.period.nominal.ms


def reachable(tenants: Sequence[ResolvedTenant], report: Report) -> tuple[ResolvedTenant, ...]:
    """Leave out the tiers that can never fire; each is an info, or an error if so declared."""
    found = []
    for tenant in tenants:
        certain = report.without(tenant.uncertain)
        found.append(replace(tenant, slos=tuple(_reachable(slo, certain) for slo in tenant.slos)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Never:
    """Why a tier can never fire: the finding's ID, the key of the SLO to mark, and words."""

    id: str
    key: str
    words: str
    advice: str = ""


def _reachable(slo: ResolvedSLO, report: Report) -> ResolvedSLO:
    """Leave out the tiers of an SLO that can never fire."""
    policy = slo.policy
    tiers = policy.spec.tiers
    chosen = slo.alerting.when_unreachable or policy.spec.when_unreachable
    out = {n: why for n, tier in enumerate(tiers) if (why := _never(slo, tier)) is not None}
    if chosen == "omit":
        guarded = {n: why for n, tier in enumerate(tiers) if (why := _starved(slo, tier))}
        if len(guarded.keys() | out) < len(tiers):  # else the lint guard-out-of-reach speaks
            out = guarded | out
    if slo.recorded_only:  # its windows are recorded, and no tier fires
        out_of_all = len(out) == len(tiers)
        omitted = frozenset(() if out_of_all else out)
        return replace(slo, policy=replace(policy, omitted=omitted))
    for index, why in out.items():
        tier = tiers[index]
        at = slo.at(why.key) if getattr(slo.spec, why.key) else slo.at("name")
        what, advice = f"the tier {tier.name} of {policy.name}", why.advice or _advice(slo, tier)
        if chosen == "error":
            advice += "; when_unreachable: omit leaves the tier out"
            report.error(at, why.id, f"{what} {why.words}", advice)
        elif len(out) == len(tiers):
            report.error(at, why.id, f"{what}, and no other of its tiers, {why.words}", advice)
            break
        else:
            report.info(at, why.id, f"{what} is left out: it {why.words}", advice)
    if chosen == "error" or len(out) in (0, len(tiers)):
        return slo
    return replace(slo, policy=replace(policy, omitted=frozenset(out)))


def _never(slo: ResolvedSLO, tier: Tier) -> _Never | None:
    """Return why a tier can never fire; None if it can."""
    if tier.long_window > slo.period.nominal:
        why = f"looks at {tier.long_window}, but the period is {slo.period.words}"
        return _Never("window-beyond-period", "period", why)
    if (limit := threshold(slo, tier)) < 1:
        return None
    factor, budget = burn_factor(slo, tier), burn.error_budget(slo.objective)
    why = (
        f"can never fire: its threshold is an error ratio of {burn.literal(limit)} (burn rate "
        f"{burn.literal(factor)} x budget {burn.literal(budget)})"
    )
    return _Never("never-fires", "objective", why)


def _starved(slo: ResolvedSLO, tier: Tier) -> _Never | None:
    """Return which guard of a tier waits for more events than its window has; None if none does."""
    guard = next(starved(slo, tier, usual_events(slo, tier.long_window)), None)
    if guard is None:
        return None
    words = f"can never fire: it waits for {shortage(slo, tier, guard)}"
    return _Never("never-fires", "traffic", words, f"with a lower min_{guard.counted} it fires")


def _advice(slo: ResolvedSLO, tier: Tier) -> str:
    """Name the long window with which a tier would fire, or else the share or the burn rate."""
    if tier.long_window > slo.period.nominal:
        return f"in a policy of your own, write a long_window of at most {slo.period.nominal}"
    if tier.budget_share is None:
        rate = burn.literal(Fraction(int(99 / burn.error_budget(slo.objective)), 100))
        return f"in a policy of your own, with a burn_rate of {rate}, it fires"
    needed = threshold(slo, tier) * tier.long_window.ms
    unit = _ROUND[needed >= burn.TILED_ABOVE.ms]
    window = Duration((int(needed / unit.ms) + 1) * unit.ms)
    if window <= slo.period.nominal:
        return f"in a policy of your own, with a long_window of {window} it fires"
    # The threshold grows with the share; rounded down, so that what is written works.
    most = Fraction(tier.budget_share) / threshold(slo, tier)
    share = burn.literal(Fraction(int(most * 99), 100))
    return f"in a policy of your own, with a budget_share of {share}%, it fires"
