"""From planned rules to their text: PromQL, labels and annotations, shared by all emitters."""

from __future__ import annotations

from slo_compiler.plan.health import (
    BudgetAlert,
    ExclusionEndsAlert,
    ExhaustionAlert,
    IntegrityAlert,
    NoDataAlert,
    RulesFailingAlert,
    StaleAlert,
    WatchdogAlert,
)
from slo_compiler.plan.rule import (
    BaseSeries,
    BurnAlert,
    Constant,
    ExclusionActive,
    ExclusionScheduled,
    GuardCount,
    PyrraBurnRate,
    PyrraSeries,
    ShadowAlert,
    Slices,
    SlothBudget,
    SlothCurrentBurn,
    SlothRatio,
)
from slo_compiler.plan.rules import PlannedTenant, Share
from slo_compiler.plan.rules import Rule as PlannedRule
from slo_compiler.plan.vanished import VanishedAlert
from slo_compiler.render.base import (
    base_series,
    constant,
    exclusion_active,
    exclusion_scheduled,
    guard_count,
    slices,
)
from slo_compiler.render.burn import burn_alert, shadow_alert
from slo_compiler.render.foreign import foreign_rule
from slo_compiler.render.health import health_alert
from slo_compiler.render.model import Group, Rule, TenantRules
from slo_compiler.render.windows import shared_rule

__all__ = ["Group", "Rule", "TenantRules", "rule_text", "tenant_rules"]


def tenant_rules(planned: PlannedTenant) -> TenantRules:
    """Render all rules of a tenant, in the order of the plan."""
    return TenantRules(
        planned.name,
        planned.resolved.source.name,
        tuple(
            Group(
                group.name,
                group.interval,
                tuple(rule_text(planned, rule, group.share) for rule in group.rules),
            )
            for group in planned.groups
        ),
    )


def rule_text(  # noqa: C901, PLR0911  (a table)
    tenant: PlannedTenant, rule: PlannedRule, share: Share | None = None
) -> Rule:
    """Render one rule; in a group for a share of the SLOs, what is about all is about these."""
    match rule:
        case BurnAlert():
            return burn_alert(tenant, rule)
        case ShadowAlert():
            return shadow_alert(tenant, rule)
        case Constant():
            return constant(tenant, rule)
        case BaseSeries():
            return base_series(tenant, rule)
        case Slices():
            return slices(tenant, rule)
        case ExclusionScheduled():
            return exclusion_scheduled(tenant, rule)
        case ExclusionActive():
            return exclusion_active(rule, alone=share is not None)
        case GuardCount():
            return guard_count(tenant, rule)
        case (
            BudgetAlert()
            | ExhaustionAlert()
            | NoDataAlert()
            | VanishedAlert()
            | IntegrityAlert()
            | StaleAlert()
            | ExclusionEndsAlert()
            | RulesFailingAlert()
            | WatchdogAlert()
        ):
            return health_alert(tenant, rule)
        case SlothRatio() | SlothCurrentBurn() | SlothBudget() | PyrraSeries() | PyrraBurnRate():
            return foreign_rule(tenant, rule)
        case _:
            return shared_rule(tenant, rule, share)
