"""Nobody hears when the rules stop.

Each tenant has a watchdog that always fires. It is of use only where something outside misses it.

Fails:

    spec: {alertmanager: {version: "0.33"}}

Passes:

    spec: {alertmanager: {heartbeat: {webhook: {url: "http://deadman.internal/slo"}}}}
"""

from collections.abc import Sequence

from slo_compiler.diagnostics import Report
from slo_compiler.manifest.model import ProjectSpec
from slo_compiler.manifest.resolve import ResolvedTenant

ID = "heartbeat-unrouted"


def check(tenants: Sequence[ResolvedTenant], project: ProjectSpec, report: Report) -> None:
    """Warn once if the project has no heartbeat."""
    if project.alertmanager.heartbeat is None and tenants:
        report.warning(
            tenants[0].position,
            ID,
            "the watchdogs reach nobody: the project has no alertmanager.heartbeat",
            "name a dead man's switch, such as {webhook: {url: ...}}",
        )
