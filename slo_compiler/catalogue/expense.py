"""The costs in the report: of each tenant and SLO, as `slo-compiler cost` estimates it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slo_compiler import cost
from slo_compiler.cost import TenantCost, Usage
from slo_compiler.pipeline import Planned
from slo_compiler.report import percent
from slo_compiler.schema import ProjectSpec
from slo_compiler.view.cost import EVALUATION, LOADED, dearest_first

Names = tuple[str, str, str]  # tenant, service, SLO
_SERIES = (
    "series: 1 for each selector of an SLI, and for each SLO with “by”; slo-compiler cost takes "
    "other numbers, and --live counts them"
)
_ASSUMED = (f"CPU: {EVALUATION}", f"samples/s: {LOADED}", _SERIES)


@dataclass(frozen=True, slots=True)
class Expenses:
    """Costs as words, for a table, with the numbers by which it sorts."""

    target: str  # whose engine evaluates the rules
    tenants: list[dict[str, Any]] = field(default_factory=list)  # the dearest first
    total: dict[str, Any] = field(default_factory=dict)
    slos: Mapping[Names, list[str]] = field(default_factory=dict)
    assumed: tuple[str, ...] = _ASSUMED


def expenses_of(planned: Planned, project: ProjectSpec) -> Expenses:
    """Estimate what the rules cost on the engine of the first target that has one.

    Tenants whose rules do not fit that engine are left out.
    """
    target = next((each for each in project.targets if each in cost.ENGINES), cost.ENGINES[0])
    estimated = (
        cost.tenant_cost(tenant, rules, project, target)
        for tenant, rules in zip(planned.plan.tenants, planned.rules, strict=True)
    )
    found = dearest_first([each for each in estimated if each is not None])
    return Expenses(
        target,
        [{"name": one.planned.name, **_row(one.usage)} for one in found],
        _row(cost.total(one.usage for one in found)),
        {names: words for one in found for names, words in _of_slos(one)},
    )


def _of_slos(tenant: TenantCost) -> list[tuple[Names, list[str]]]:
    return [
        (
            (tenant.planned.name, each.slo.identity.service, each.slo.identity.slo),
            [
                f"{each.usage.recording_rules} + {each.usage.alerting_rules}",
                f"{each.usage.series:,.0f}",
                f"{each.usage.samples_per_second:,.1f}",
                _cpu(each.usage),
                percent(each.usage.samples_per_second / tenant.usage.samples_per_second),
            ],
        )
        for each in tenant.slos
        if tenant.usage.samples_per_second
    ]


def _row(usage: Usage) -> dict[str, Any]:
    """Give each figure as its title, words, and the number that it sorts by."""
    samples = usage.samples_per_second
    return {
        "cells": [
            ("CPU", _cpu(usage), round(usage.cpu_ratio or 0, 9)),
            ("Samples/s", f"{samples:,.1f}", round(samples, 3)),
            ("Series", f"{usage.series:,.0f}", round(usage.series)),
            ("Recording rules", f"{usage.recording_rules:,}", usage.recording_rules),
            ("Alerting rules", f"{usage.alerting_rules:,}", usage.alerting_rules),
            ("Groups", f"{usage.groups:,}", usage.groups),
        ]
    }


def _cpu(usage: Usage) -> str:
    return "not measured" if usage.cpu_ratio is None else percent(usage.cpu_ratio)
