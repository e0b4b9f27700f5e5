"""From resolved tenants to the plan: which rules and routes exist, with what in them."""

from slo_compiler.plan.build import build

__all__ = ["build"]
