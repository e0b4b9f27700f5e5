"""Whether the names that SLOs had before are free: no SLO has it now, and one had it then."""

from __future__ import annotations

from slo_compiler.diagnostics import Position, Report
from slo_compiler.schema import Tenant
from slo_compiler.source import Document


def check_renames(tenant: Tenant, document: Document, report: Report) -> None:
    """Refuse a `formerly` that would count an SLO's events twice."""
    present = {(slo.service, slo.name) for slo in tenant.spec.slos}
    claimed: dict[tuple[str, str], Position] = {}
    for index, slo in enumerate(tenant.spec.slos):
        if slo.formerly is None:
            continue
        old, at = (
            slo.formerly.identity(slo.service),
            document.locate(("spec", "slos", index, "formerly")),
        )
        name = "/".join(old)
        if old == (slo.service, slo.name):
            report.error(at, "formerly", f'"{name}" is what the SLO is called now', "remove it")
        elif old in present:
            report.error(
                at,
                "formerly",
                f'there still is an SLO "{name}": its events would count twice',
                "remove that SLO, or this line",
            )
        elif old in claimed:
            report.error(
                at,
                "formerly",
                f'"{name}" continues in another SLO already, on line {claimed[old].line}',
                "one SLO continues the history of another",
            )
        claimed.setdefault(old, at)
