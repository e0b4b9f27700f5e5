"""What is allowed but probably not meant: one file a rule, and one line in this tuple."""

from collections.abc import Callable, Sequence
from types import ModuleType

from slo_compiler.diagnostics import Report
from slo_compiler.lint import (
    dependency_muted,
    fires_within_budget,
    formerly_expired,
    heartbeat_unrouted,
    page_muted,
)
from slo_compiler.manifest.model import ProjectSpec
from slo_compiler.manifest.resolve import ResolvedTenant

RULES: tuple[ModuleType, ...] = (
    dependency_muted,
    fires_within_budget,
    formerly_expired,
    heartbeat_unrouted,
    page_muted,
)

Check = Callable[[Sequence[ResolvedTenant], ProjectSpec, Report], None]


def run(tenants: Sequence[ResolvedTenant], project: ProjectSpec, report: Report) -> None:
    """Run all lints; findings go to `report`."""
    for rule in RULES:
        check: Check = rule.check
        check(tenants, project, report)
