"""What SLOs of other tools have in common: period, policy, names of severities, secrets."""

from __future__ import annotations

from typing import Any

from slo_compiler.importing.model import Imported, ImportedSLO, Options
from slo_compiler.schema.severity import severities_of
from slo_compiler.settings import Settings

# Words of other tools, where the project has not the same.
_SEVERITIES = {"critical": "page", "warning": "ticket"}


def severity_names(options: Options) -> dict[str, str]:
    """Give the project's name of each severity, by its name and by what its alerts carry."""
    levels = severities_of(options.settings.spec.severities)
    names = _SEVERITIES | {level.label: level.name for level in levels}
    return names | {level.name: level.name for level in levels}


def settle(imported: Imported) -> None:
    """Make what most SLOs have the default, and leave it out of them."""
    policies = [slo.policy for slo in imported.slos if slo.policy]
    names = [policy["name"] for policy in policies]
    if policies:
        imported.policy = max(policies, key=lambda policy: names.count(policy["name"]))
    periods = [slo.data["period"].data for slo in imported.slos if slo.data.get("period")]
    if periods:
        imported.period = max(periods, key=periods.count)
    for slo in imported.slos:
        _without_defaults(slo, imported)


def _without_defaults(slo: ImportedSLO, imported: Imported) -> None:
    """Leave out of an SLO what is the same for all of them."""
    period = slo.data.get("period")
    if period is not None and period.data == imported.period:
        del slo.data["period"]
    alerting = slo.data.setdefault("alerting", {})
    usual = imported.policy["name"] if imported.policy else None
    # One without alerts cannot name a policy: its windows are those of the default.
    if not slo.policy or alerting == "none" or slo.policy["name"] == usual:
        slo.policy = None
    else:
        slo.data["alerting"] = {"policy": slo.policy["name"], **alerting}
    if not slo.data["alerting"]:
        del slo.data["alerting"]


def compat_of(tool: str, options: Options) -> dict[str, Any]:
    """Give the default by which SLOs are recorded for readers of the tool, too."""
    return {"compat": {tool: options.compat}} if options.compat else {}


def secrets_of(settings: Settings, tenant: str) -> str:
    """Give the folder of a tenant's secrets."""
    folder = (settings.spec.secrets or "/etc/alertmanager/secrets/{tenant}/").rstrip("/")
    return folder.replace("{tenant}", tenant)
