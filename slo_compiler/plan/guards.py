"""From how many errors and events on a tier of an SLO may fire."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from slo_compiler.resolve.model import ResolvedSLO
from slo_compiler.schema import Tier


@dataclass(frozen=True, slots=True)
class Guard:
    """At least so many `errors` or `events` in the tier's long window."""

    counted: str
    least: int

    @property
    def words(self) -> str:
        """The guard in words: 5 errors."""
        return f"{self.least} {self.counted if self.least > 1 else self.counted[:-1]}"


def guards_of(slo: ResolvedSLO, tier: Tier) -> Iterator[Guard]:
    """Return the guards of a tier: what is nearest to it wins, each key by itself.

    An SLO's word on the tier comes before its word on all of its tiers, and that before the
    policy's.
    """
    alerting = slo.alerting
    for counted in ("errors", "events"):
        nearest = (alerting.tiers.get(tier.name), alerting, tier)
        numbers = (getattr(each, f"min_{counted}") for each in nearest if each is not None)
        least = next((number for number in numbers if number is not None), None)
        if least is not None:
            yield Guard(counted, least)
