"""Alert policies: the tiers of an SLO's alerts."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from slo_compiler.duration import Duration
from slo_compiler.schema.base import OneOf, Strict
from slo_compiler.schema.quantities import Percentage, Positive, Span
from slo_compiler.schema.slo import Guards, Unreachable
from slo_compiler.schema.texts import Name


class Tier(Guards, OneOf):
    """One alert of a policy.

    It fires when `budget_share` of the budget burns within `long_window`, or at a `burn_rate`,
    which is the same in each period.
    """

    ONE_OF = ("budget_share", "burn_rate")

    name: Name
    severity: Name
    budget_share: Percentage | None = None
    burn_rate: Positive | None = None
    long_window: Span
    short_window: Span
    for_: Span | None = Field(default=None, alias="for")


class PolicySpec(Strict):
    """Tiers, most urgent first, and how long data may be missing.

    `period` is the one that the tiers were made for: an SLO with a shorter period keeps the burn
    rates that they have there.
    """

    tiers: list[Tier] = Field(min_length=1, max_length=16)
    no_data_for: Span = Duration.of(minutes=10)
    period: Span | None = None
    when_unreachable: Unreachable | None = None


class TenantPolicy(PolicySpec):
    """A policy of one tenant's own."""

    name: Name


class PolicyMetadata(Strict):
    """What SLOs call the policy, or the template."""

    name: Name


class AlertPolicy(Strict):
    """An alert policy for all tenants."""

    api_version: Literal["slo-compiler/v1"] = Field(alias="apiVersion")
    kind: Literal["AlertPolicy"]
    metadata: PolicyMetadata
    spec: PolicySpec
