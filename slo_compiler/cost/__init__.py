"""What the rules cost the server that evaluates them: rules, series, samples, time."""

from slo_compiler.cost.estimate import ENGINES, SLOCost, TenantCost, tenant_cost
from slo_compiler.cost.model import NOTHING_KNOWN, Assumed, Usage, total

__all__ = [
    "ENGINES",
    "NOTHING_KNOWN",
    "Assumed",
    "SLOCost",
    "TenantCost",
    "Usage",
    "tenant_cost",
    "total",
]
