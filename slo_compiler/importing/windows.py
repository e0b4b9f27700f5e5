"""Alert windows of other tools, as near as this compiler's rules have them."""

from __future__ import annotations

from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.settings import Settings


def fitted(window: Duration, settings: Settings) -> Duration:
    """Give the nearest window that the rules of a project have.

    One above 6h is made of tiles, and each contains at least one base sample.
    """
    spec = settings.spec.prometheus
    timing = burn.timing(spec.scrape_interval, spec.evaluation_interval, window)
    tile = timing.window_tile(window)
    if tile is None:
        return max(window, timing.minimum_window())
    return tile * max(1, (window.ms * 2 + tile.ms) // (tile.ms * 2))


def moved(wanted: Duration, found: Duration) -> str:
    """Describe how a window moved: 6h26m is 6h25m (-0.26%)."""
    if not wanted.ms:
        return f"{wanted} is {found}"
    share = (found.ms - wanted.ms) / wanted.ms
    return f"{wanted} is {found} ({share:+.2%})"
