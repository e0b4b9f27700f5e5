"""An SLO has no alerts, because somebody wrote `alerting: none`.

Its error ratios and its budget are recorded, for dashboards and reports. No alert of any kind is
about it: it may burn its budget, or lose its data, unnoticed. An SLO that is to alert
again has a key `alerting`, be it `{}`.

Fails:

    alerting: none

Passes:

    alerting: {policy: sre-workbook, runbook: "https://runbooks.example/checkout"}
"""

from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.resolve.inherit import SourceLevel
from slo_compiler.resolve.model import ResolvedTenant

ID = "recorded-only"
SEVERITY = Severity.INFO


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give the SLOs that have it themselves, and once all that inherit it."""
    inheriting = []
    for slo in tenant.slos:
        if not slo.recorded_only:
            continue
        if slo.inherited.sourced["alerting"].level is SourceLevel.SLO:
            yield Finding(
                slo.document.blamed((*slo.loc, "alerting")),
                "this SLO is recorded only: it has no alerts",
                "to alert, name a policy: alerting: {policy: sre-workbook}",
            )
        else:
            inheriting.append(slo)
    if inheriting:
        first = inheriting[0]
        own = first.inherited.sourced["alerting"].level is SourceLevel.TENANT
        where = ("spec", "defaults", "alerting")
        names = [f"{slo.spec.service}/{slo.spec.name}" for slo in inheriting]
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield Finding(
            tenant.document.locate(where) if own else first.at("name"),
            f"recorded only, by the {'tenant' if own else 'project'}'s defaults: {names[0]}{more}",
            "let an SLO alert with a key of its own: alerting: {policy: sre-workbook}",
        )
