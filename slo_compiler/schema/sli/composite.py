"""An SLO over other SLOs of the same tenant."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from pydantic import Field, field_validator

from slo_compiler.schema.base import Strict, invalid
from slo_compiler.schema.quantities import Positive
from slo_compiler.schema.sli.base import BasePair, By, SLIType
from slo_compiler.schema.texts import Line


class Component(Strict):
    """An SLO of the tenant, as service/name, and how much each of its events weighs."""

    slo: Line
    weight: Positive = Decimal(1)


class Composite(SLIType):
    """Weighted sum of other SLOs' errors of the weighted sum of their events.

    An event of a component with weight 3 counts like three of one with weight 1; one without
    traffic does not count, one without data leaves the composite without data. It is a sum of
    events over any window, never a mean of ratios.
    """

    KIND: ClassVar = "composite"

    slos: list[Component] = Field(min_length=2, max_length=32)

    @field_validator("by")
    @classmethod
    def _as_components(cls, by: By) -> By:
        if isinstance(by, dict) and any(new != old for new, old in by.items()):
            raise invalid(
                "by-rename",
                "a composite reads the labels that its components record",
                f"rename them there, and write by: [{', '.join(by)}]",
            )
        return by

    def base_pair(self) -> BasePair | None:
        """Read no query: the components' own pairs are there."""
        return None
