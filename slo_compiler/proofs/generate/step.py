"""A stretch of a test at constant error ratios, and what must be seen at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from slo_compiler.duration import Duration
from slo_compiler.proofs.generate.figures import Figures
from slo_compiler.proofs.model import Check


@dataclass(frozen=True, slots=True)
class TrafficStep:
    """Error ratios of some SLOs, and the checks at the moment that ends it."""

    pace: Fraction  # in budgets, of the SLO that burns least: steps are tested in this order
    length: Duration
    ratios: Mapping[Figures, Fraction]
    checks: Callable[[Duration], Iterable[Check]]
    is_quiet: bool = False  # whether nothing may fire

    def lasting(self, length: Duration) -> TrafficStep:
        """Change its length."""
        return replace(self, length=length)
