"""The rules without an SLO's name: tiles, windows, burn rates and budgets of a tenant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from slo_compiler import naming
from slo_compiler.period import Period
from slo_compiler.plan import burn
from slo_compiler.plan.rule import (
    BudgetExhaustion,
    BudgetRemaining,
    Counted,
    GuardCount,
    PeriodCount,
    PeriodElapsed,
    PeriodRatio,
    PeriodStart,
    RecordingRule,
    Tile,
    WindowBurnRate,
    WindowRatio,
)
from slo_compiler.plan.slo import PlannedSLO
from slo_compiler.plan.tenant import long_windows, periods_of, tier_windows
from slo_compiler.resolve.model import ResolvedTenant


def tile_rules(tenant: ResolvedTenant, timing: burn.Timing) -> Iterator[Tile]:
    """Counts of events and errors over each length of tile that a window or a period is summed of.

    Their group runs at an interval that divides every tile, so that the samples that a sum takes
    are a tile apart to the millisecond, and no event falls between two of them or into both.
    """
    tiles = {timing.window_tile(window) for window in tier_windows(tenant.slos)}
    tiles |= {burn.period_tile(period) for period in periods_of(tenant)}
    for tile in sorted(tile for tile in tiles if tile is not None):
        for counted in Counted:
            yield Tile(counted, tile)


def guard_rules(
    tenant: ResolvedTenant, timing: burn.Timing, slos: Iterable[PlannedSLO]
) -> Iterator[GuardCount]:
    """Counts of the windows that each SLO's guards read, shortest window first."""
    taken = {naming.suffix(tile.length) for tile in tile_rules(tenant, timing)}
    taken |= {naming.suffix(period) for period in periods_of(tenant)}
    for slo in slos:
        needed = {
            (tier.spec.long_window, Counted(guard.counted))
            for tier in slo.tiers
            for guard in tier.guards
        }
        for window, counted in sorted(needed):
            yield GuardCount(slo, counted, window, naming.suffix(window) in taken)


def window_rules(
    tenant: ResolvedTenant, timing: burn.Timing, *, tiled: bool
) -> Iterator[RecordingRule]:
    """Ratios and burn rates of the windows of one chain, and the base's time to exhaustion.

    A short window that no tier of the base's chain reads is in the tiles', where it costs less.
    """
    tiers = (tier for slo in tenant.slos for tier in slo.policy.tiers)
    paces = {slo.policy.pace_window for slo in tenant.slos}
    windows = {pace for pace in paces if not timing.is_tiled(pace)} | {
        window
        for tier in tiers
        if not timing.is_tiled(tier.long_window)
        for window in (tier.long_window, tier.short_window)
    }
    if tiled:
        windows = tier_windows(tenant.slos) - windows
    yield from map(WindowRatio, sorted(windows))
    yield from map(WindowBurnRate, sorted(windows & {*long_windows(tenant)}))
    if not tiled:
        # Here and not among the budgets: a page shows the pace of now, not that of minutes ago.
        yield BudgetExhaustion()


def budget_rules(tenant: ResolvedTenant) -> Iterator[RecordingRule]:
    """Counts and ratios of the periods, and what is left of the budgets.

    The calendars come first: the rules after them read what the same evaluation recorded, at the
    first evaluation after a restart as well.
    """
    periods = periods_of(tenant)
    for period in periods:
        if period.calendar:
            yield PeriodStart(period)
            yield PeriodElapsed(period)
    alike: dict[str, list[Period]] = {}
    for period in periods:
        alike.setdefault(naming.suffix(period), []).append(period)
    for same in alike.values():
        for counted in Counted:
            yield PeriodCount(counted, tuple(same))
    for same in alike.values():
        # A window that is as long as the period is its ratio, too.
        if same[-1].calendar or same[-1].nominal not in tier_windows(tenant.slos):
            yield PeriodRatio(same[-1])
    yield BudgetRemaining()
    if any(slo.by for slo in tenant.slos):
        yield BudgetRemaining(whole=True)
