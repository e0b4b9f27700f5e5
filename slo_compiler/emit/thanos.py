"""Rule files for Thanos Ruler, one for each tenant.

The rules are those of Prometheus. Each group has a strategy for the case that a store does not
answer: `abort` fails the evaluation, so that the alerts on rules see it; `warn` would evaluate a
part of the data, and an SLO would look better than it is.
"""

from __future__ import annotations

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.emit.artefact import Artefact
from slo_compiler.emit.emitter import Emission, Emitter, TenantContext
from slo_compiler.emit.prometheus import check_expressions, evaluated, origins_of, rules_text

_STRATEGY = "abort"


def tenant(context: TenantContext, report: Report) -> Emission:
    """Render a tenant's rule file; promtool checks it without the key that it does not know."""
    check_expressions(context.rules, report)
    rules = context.rules
    return Emission(
        (
            Artefact(
                f"{naming.THANOS_FOLDER}/{rules.tenant}.yml",
                rules_text(rules, strategy=_STRATEGY),
                "promtool",
                origins_of(rules),
                checked=rules_text(rules),
            ),
        )
    )


EMITTER = Emitter("thanos", tenant=tenant, evaluated=evaluated)
