"""A renamed SLO's history has passed: its period no longer reaches back to the old name.

The one lint that looks at the clock; SOURCE_DATE_EPOCH sets it, as it does for reproducible builds.
No output depends on it. Without `renamed` nothing is said.

Fails, from 2026-07-02 on:

    slos: [{name: availability, period: 30d, formerly: {slo: uptime, renamed: "2026-06-01"}, ...}]

Passes:

    slos: [{name: availability, period: 30d, ...}]
"""

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from slo_compiler.diagnostics import Report
from slo_compiler.manifest.model import ProjectSpec
from slo_compiler.manifest.resolve import ResolvedTenant

ID = "formerly-expired"


def check(tenants: Sequence[ResolvedTenant], _project: ProjectSpec, report: Report) -> None:
    """Warn of each `formerly` that bridges nothing any more."""
    for tenant in tenants:
        for slo in tenant.slos:
            former = slo.spec.formerly
            if former is None or former.renamed is None:
                continue
            bridged = former.renamed + timedelta(milliseconds=slo.period.longest.ms)
            if bridged < _today():
                report.warning(
                    slo.at("formerly"),
                    ID,
                    f"the period of {slo.period.words} no longer reaches back to "
                    f'{former.renamed}, when the SLO was called "{former.slo}"',
                    "remove formerly",
                )


def _today() -> date:
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdecimal() else datetime.now(UTC)
    return now.date()
