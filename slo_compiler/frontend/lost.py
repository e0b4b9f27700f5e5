"""Which findings may only follow from what was taken out of a document with mistakes."""

from __future__ import annotations

from collections.abc import Iterable

from slo_compiler.source import Loc

_REACH = frozenset({"no-route", "unreachable-escalation", "tenant-without-page-route"})
_ROUTES = _REACH | {"channel-unused", "definition-unused", "page-muted", "dependency-muted"}
_TIERS = frozenset(
    {
        "never-fires",
        "window-too-short",
        "window-beyond-period",
        "window-tiles",
        "fires-within-budget",
        "tier-overshadowed",
        "period-policy-contradiction",
        "one-error-breaks-objective",
        "vanished-look-back",
    }
)
_POLICY = _TIERS | _REACH | {"undefined-policy", "undefined-tier", "undefined-severity"}
_NAMES = frozenset({"undefined-slo", "unknown-slo", "formerly", "dependency", "definition-unused"})
_IDENTITY = frozenset(
    {
        "not-owner",
        "duplicate-tenant",
        "duplicate-slo",
        "other-tenant",
        "foreign-secret",
        "isolation-label",
    }
)
# By a key that is on the path of what was taken out: of a Tenant, or of the Project.
_CONSEQUENCES: dict[str, frozenset[str]] = {
    "metadata": _IDENTITY,
    "owner": frozenset({"missing-owner"}),
    "slos": _NAMES | _REACH | {"missing-label"},
    "name": _NAMES | {"duplicate-slo"},
    "service": _NAMES | {"duplicate-slo"},
    "template": _NAMES | _POLICY | {"missing-key", "definition-unused", "label-clash"},
    "sli": frozenset({"missing-label", "label-clash", "definition-unused", "vanished-look-back"}),
    "objective": _TIERS | {"duplicate-selectors"},
    "period": _TIERS | {"duplicate-selectors", "retention"},
    "traffic": _TIERS,
    "formerly": _NAMES,
    "depends_on": frozenset({"dependency", "dependency-cycle", "dependency-muted"}),
    "description": frozenset({"missing-description"}),
    "alerting": _POLICY | {"missing-runbook", "definition-unused"},
    "policy": _POLICY | {"definition-unused"},
    "runbook": frozenset({"missing-runbook"}),
    "min_errors": _TIERS,
    "min_events": _TIERS,
    "labels": frozenset({"label-clash", "isolation-label"}),
    "by": frozenset({"missing-label", "label-clash", "vanished-look-back"}),
    "stage": _ROUTES | {"dependency"},
    "budgeting": frozenset({"slices", "duplicate-selectors"}),
    "defaults": _POLICY | {"missing-key", "missing-runbook", "definition-unused", "label-clash"},
    "policies": _POLICY | {"definition-unused", "duplicate-policy"},
    "tiers": _POLICY | {"definition-unused"},
    "severities": _POLICY | _ROUTES | {"dependency", "label-clash"},
    "channels": _ROUTES | {"undefined-channel"},
    "escalation": _ROUTES | {"duplicate-step", "notified-twice"},
    "hours": _ROUTES | {"undefined-hours", "hours"},
    "holidays": frozenset({"undefined-holidays", "mixed-holidays", "definition-unused"}),
    "exclusions": frozenset({"definition-unused"}),
    "templates": frozenset({"undefined-template"}),
    "prometheus": _TIERS | {"evaluation-interval", "needs-prometheus", "slices", "retention"},
    "alertmanager": _ROUTES
    | {"needs-alertmanager", "missing-global", "heartbeat-unrouted", "base-config"},
    "isolation": _IDENTITY,
    "tenants": _IDENTITY,
    "ownership": _IDENTITY,
    "secrets": _IDENTITY,
    "lint": frozenset({"bad-disable", "unused-disable"}),
}
ALL = frozenset().union(*_CONSEQUENCES.values())


def consequences(lost: Iterable[Loc]) -> frozenset[str]:
    """Return the IDs of findings that are not certain, because `lost` is not there."""
    found: set[str] = set()
    for loc in lost:
        if len(loc) < 2:  # noqa: PLR2004  (all of the document, or of its spec)
            return ALL
        steps = loc
        still_there = loc[1] == "slos" or (loc[1] == "channels" and loc[-1] != "name")
        if still_there and len(loc) > 2:  # noqa: PLR2004  (a part of it is lost, not all)
            steps = loc[2:]
        keys = {step for step in steps if isinstance(step, str)}
        if loc[-1] != "alerting":  # it is there, less one key
            keys.discard("alerting")
        found.update(*(_CONSEQUENCES.get(key, frozenset()) for key in keys))
    return frozenset(found)
