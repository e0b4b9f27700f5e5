"""The state of the SLOs now: what a Prometheus has recorded of them, and which alerts fire."""

from slo_compiler.status.ask import ask
from slo_compiler.status.model import FiringAlert, RunningRules, SLOStatus, Status
from slo_compiler.status.rules import compare

__all__ = ["FiringAlert", "RunningRules", "SLOStatus", "Status", "ask", "compare"]
