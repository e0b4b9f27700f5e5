"""One SLO: its objective, its budget and its alerts, and what it inherits."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema

from slo_compiler.schema.annotation import AlertLabels, AlertName, Annotations, Link
from slo_compiler.schema.base import Strict, invalid, shown
from slo_compiler.schema.compat import CompatOrNone
from slo_compiler.schema.formerly import Formerly
from slo_compiler.schema.kinds import SLI
from slo_compiler.schema.lint import Traffic
from slo_compiler.schema.quantities import Count, LookBack, Objective, Percentage, Period, Span
from slo_compiler.schema.texts import Labels, Name, SLOName, SLOReference, Text


class Guards(Strict):
    """From how much traffic on an alert may fire, counted in its long window."""

    min_errors: Count | None = None
    min_events: Count | None = None


class AlertMetadata(Strict):
    """What alerts are called, and what they carry beside what the compiler puts on them."""

    name: AlertName | None = Field(
        default=None,
        description="Name of the alerts; without it, SLOErrorBudgetBurn and its like. Alerts on "
        "data and rules, such as SLONoData, keep theirs.",
    )
    labels: AlertLabels = Field(
        default={}, description="Labels of the alerts alone; of the same label, the nearest wins."
    )
    annotations: Annotations = Field(
        default={},
        description="Annotations; {{ $value }} and {{ $labels.NAME }} are filled in, with NAME "
        "tenant, service, slo, severity, tier, or one of the SLI's `by`.",
    )


class TierAlerting(Guards, AlertMetadata):
    """What is particular to the alerts of one tier."""


Unreachable = Literal["omit", "error"]


class Alerting(Guards, AlertMetadata):
    """Which policy watches an SLO, from how much traffic on, and the texts of the alerts.

    `when_unreachable` is what happens to a tier that can never fire at the objective: it is left
    out, which is the default, or it is an error. A tier whose guard is out of the traffic's reach
    is an error unless `omit` is written. `vanished` is how long a value of `by` that has
    no events any more is reported. `severities` and `tiers` set it for some of the alerts.
    """

    policy: Name | None = None
    severities: dict[Name, AlertMetadata] = {}
    tiers: dict[Name, TierAlerting] = {}
    when_unreachable: Unreachable | None = None
    vanished: LookBack | None = None
    runbook: Link | None = None
    dashboard: Link | None = None


class NoAlerting(Alerting):
    """`alerting: none`: what an SLO records is all there is of it."""


_NONE = "none"


def _alerting(value: object) -> object:
    if value == _NONE:
        return NoAlerting()
    if not isinstance(value, dict | Alerting):
        raise invalid("type", f"expected keys such as policy, or none, found {shown(value)}")
    return value


class _OrNone:
    """Adds `none` to a field's JSON schema."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [handler(core_schema), {"const": _NONE}]}


def _argument(value: object) -> object:
    if isinstance(value, dict | list):
        raise invalid("type", f"expected text, a number, true or false, found {shown(value)}")
    return value


Argument = Annotated[
    str | int | bool | Decimal,
    BeforeValidator(_argument),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]


class Timeslices(Strict):
    """Slices of time that are good or bad as a whole.

    A slice is good if at least `target` percent of its events are; `idle` is what one without
    events is: good, bad, or left out of the budget.
    """

    slice: Span
    target: Percentage
    idle: Literal["good", "bad", "exclude"]


class Budgeting(Strict):
    """What the budget is made of."""

    timeslices: Timeslices


class SLO(Strict):
    """One objective for one service: written out, or made of a template."""

    template: Name | None = None
    with_: dict[str, Argument] = Field(default={}, alias="with")
    name: SLOName
    service: SLOName
    description: Text = ""
    objective: Objective | None = None
    period: Period | None = None
    labels: Labels = {}
    stage: Literal["live", "shadow"] = "live"
    formerly: Formerly | None = None
    depends_on: list[SLOReference] = Field(default=[], max_length=8)
    sli: SLI
    budgeting: Budgeting | Literal["occurrences"] = "occurrences"
    traffic: Traffic | None = None
    compat: CompatOrNone | None = None
    alerting: Annotated[Alerting, BeforeValidator(_alerting), _OrNone] = Alerting.model_construct()

    @model_validator(mode="after")
    def _alerts_or_not(self) -> Self:
        if self.stage == "shadow" and isinstance(self.alerting, NoAlerting):
            raise invalid(
                "stage",
                "a shadow records what would alert, and alerting: none is that nothing would",
                "remove one of the two",
                "stage",
            )
        return self


class Defaults(Alerting):
    """Defaults for SLOs that do not set them themselves; labels and annotations add up.

    `alerting: none` is for SLOs without a key `alerting`: one that has it, be it `{}`, alerts.
    """

    alerting: Literal["none"] | None = None
    objective: Objective | None = None
    period: Period | None = None
    compat: CompatOrNone | None = None
    labels: Labels = Field(
        default={},
        description="Labels of alerts and of slo_info; of the same label, the SLO's value wins.",
    )
