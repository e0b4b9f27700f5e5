"""The routing part of the plan under its former name, until all modules import routing_ir."""

from slo_compiler.plan.routing_ir import (
    Inhibition,
    Integration,
    Interval,
    Pairs,
    Receiver,
    Route,
    Routing,
    TenantRouting,
)

__all__ = [
    "Inhibition",
    "Integration",
    "Interval",
    "Pairs",
    "Receiver",
    "Route",
    "Routing",
    "TenantRouting",
]
