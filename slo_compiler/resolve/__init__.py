"""From validated models to resolved tenants: defaults applied, names looked up, rules kept."""

from slo_compiler.resolve.dependencies import check_dependencies
from slo_compiler.resolve.project import check_project
from slo_compiler.resolve.resolve import Resolved, resolve

__all__ = ["Resolved", "check_dependencies", "check_project", "resolve"]
