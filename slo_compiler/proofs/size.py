"""How large the proofs of a tenant will be, before they are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slo_compiler.diagnostics import Report
from slo_compiler.plan import PlannedTenant
from slo_compiler.plan.health import BudgetAlert, ExhaustionAlert
from slo_compiler.plan.rule import BurnAlert
from slo_compiler.proofs.model import UnitTestFile

_ROUTE_BYTES = 250  # of an expected route; measured: 255 with short names
_LINE_BYTES = 30  # of what is around a series or a query


def fits(
    planned: PlannedTenant, limit: int, report: Report, files: Iterable[UnitTestFile] = ()
) -> bool:
    """Refuse proofs that are too large; without their files, by the expected routes alone."""
    routes, tests = _routes(planned), sum(map(_size, files))
    size = routes * _ROUTE_BYTES + tests
    if size <= limit:
        return True
    of_tests = f" and unit tests of {tests:,} bytes" if tests else ", without its unit tests"
    report.error(
        planned.resolved.position,
        "tenant-limit",
        f"the tenant's proofs would have about {size:,} bytes, and may have {limit:,}: {routes:,} "
        f"expected routes{of_tests}",
        "use fewer SLOs, tiers, or steps of escalation, split the tenant, or raise "
        f"limits: {{proof_bytes: {size}}} in the project",
    )
    return False


def _routes(planned: PlannedTenant) -> int:
    """Count the alerts that have a route of their own for each SLO."""
    found = 0
    for group in planned.groups:
        for rule in group.rules:
            match rule:
                case BurnAlert():
                    found += 1
                case BudgetAlert() | ExhaustionAlert():
                    found += len(rule.about.slos)
    return found


def _size(file: UnitTestFile) -> int:
    """Count the characters of a file; what is repeated is written once."""
    texts = {values for test in file.tests for _, values in test.series}
    texts |= {check.expr for test in file.tests for check in test.checks}
    size = sum(map(len, texts))
    for test in file.tests:
        size += _names(test.series)
        for check in test.checks:
            size += len(check.why) + 2 * _LINE_BYTES + _names(check.samples)
    return size


def _names(items: Sequence[tuple[str, str]]) -> int:
    return sum([len(name) for name, _ in items]) + _LINE_BYTES * len(items)
