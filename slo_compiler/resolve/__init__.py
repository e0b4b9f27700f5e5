"""From validated models to resolved tenants: defaults applied, names looked up, rules kept."""

from slo_compiler.resolve.project import check_project
from slo_compiler.resolve.resolve import resolve

__all__ = ["check_project", "resolve"]
