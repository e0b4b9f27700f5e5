"""From resolved tenants to the plan: which rules and routes exist, with what in them."""

from slo_compiler.plan.build import Plan, build, rule_counts
from slo_compiler.plan.rules import PlannedTenant, plan_tenant

__all__ = ["Plan", "PlannedTenant", "build", "plan_tenant", "rule_counts"]
