"""Costs as text and as data: a line for each tenant and SLO, and what the figures assume."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from slo_compiler import cost
from slo_compiler.cost import SLOCost, TenantCost, Usage
from slo_compiler.report import percent, printable, table

_HEAD = ("", "recording", "alerting", "groups", "series", "samples/s", "CPU")
_SIDES = "<>>>>>>"

LOADED = "as Prometheus counts them, in windows full of data, without active exclusions"
EVALUATION = (
    "of a core, for evaluation as docs/cost.md measures it; a whole server takes 2 to 3 times that"
)


def dearest_first(tenants: Sequence[TenantCost]) -> list[TenantCost]:
    """Sort tenants by what they cost."""

    def key(one: TenantCost) -> tuple[float, float, str]:
        usage = one.usage
        return -(usage.cpu_ratio or 0), -usage.samples_per_second, one.planned.name

    return sorted(tenants, key=key)


def as_text(tenants: Sequence[TenantCost], assumed: Sequence[str]) -> Iterator[str]:
    """Give a table of all costs, and below it what they assume."""
    rows = [_HEAD, _row("all", cost.total(one.usage for one in tenants))]
    for tenant in dearest_first(tenants):
        rows.append(_row(tenant.planned.name, tenant.usage))
        rows += (_row(f"  {_name(each)}", each.usage, shared=True) for each in tenant.slos)
    yield from (printable(line) for line in table(rows, _SIDES))
    yield ""
    yield from assumed


def as_data(tenants: Sequence[TenantCost], target: str, assumed: Sequence[str]) -> dict[str, Any]:
    """Give all costs as data."""
    return {
        "target": target,
        "assumed": [*assumed],
        "total": asdict(cost.total(one.usage for one in tenants)),
        "tenants": [
            {
                "tenant": tenant.planned.name,
                **asdict(tenant.usage),
                "slos": [{"slo": _name(each), **_of_slo(each)} for each in tenant.slos],
            }
            for tenant in dearest_first(tenants)
        ],
    }


def _of_slo(each: SLOCost) -> dict[str, Any]:
    usage = asdict(each.usage)
    del usage["groups"]  # SLOs of a tenant share them
    return usage


def _name(each: SLOCost) -> str:
    return f"{each.slo.identity.service}/{each.slo.identity.slo}"


def _row(name: str, usage: Usage, *, shared: bool = False) -> tuple[str, ...]:
    return (
        name,
        f"{usage.recording_rules:,}",
        f"{usage.alerting_rules:,}",
        "" if shared else f"{usage.groups:,}",
        f"{usage.series:,.0f}",
        f"{usage.samples_per_second:,.1f}",
        "not measured" if usage.cpu_ratio is None else percent(usage.cpu_ratio),
    )
