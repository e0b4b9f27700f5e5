"""OpenSLO's alert policies as policies of the manifest: a tier for each condition."""

from __future__ import annotations

import re
from typing import Any

from slo_compiler.diagnostics import nearest
from slo_compiler.duration import Duration
from slo_compiler.frontend.translate import From
from slo_compiler.importing.defaults import severity_names
from slo_compiler.importing.model import Options
from slo_compiler.importing.openslo_objects import NamedObjects, leave_out
from slo_compiler.importing.openslo_windows import read_span
from slo_compiler.importing.part import Section
from slo_compiler.importing.windows import fitted, moved
from slo_compiler.schema.base import shown

_SHORTER = 12  # times than the long window: the workbook's proportion
_MOST = 50  # characters of a policy's name


def read_policy(spec: Section, objects: NamedObjects, options: Options) -> dict[str, Any] | None:
    """Give the policy of an SLO; None if it has no alerts."""
    tiers: list[dict[str, Any]] = []
    names = []
    for each in spec.parts("alertPolicies", spec.report):
        found = _object(each, "alertPolicyRef", "AlertPolicy", objects)
        if found is not None:
            name, policy = found
            names.append(name)
            tiers += _tiers(policy, objects, options)
    if not tiers:
        if spec.data.get("alertPolicies") in (None, []):
            text = "without alertPolicies the SLO has no alerts: alerting: none"
            at = spec.document.locate(spec.loc, key=True)
            spec.report.info(at, "import-decided", text, "name a policy, such as sre-workbook")
        return None
    for number, tier in enumerate(tiers):
        if tier["name"] in [other["name"] for other in tiers[:number]]:
            tier["name"] = f"{tier['name'][:_MOST]}-{number + 1}"
    return {"name": _slug("-".join(names)), "tiers": tiers}


def _object(
    part: Section, ref: str, kind: str, objects: NamedObjects
) -> tuple[str, Section] | None:
    """Give the name and the spec of an object: of the one that is named, or of this one."""
    if ref in part.data:
        there = objects.get(part, ref, kind)
        part.finish()
        if there is None:
            return None
    else:
        there = part
        if part.get("kind") not in (None, kind):
            part.refuse("kind", f"expected {kind}, found {shown(part.get('kind'))}")
    there.read |= {"apiVersion", "kind"}
    metadata = there.part("metadata")
    leave_out(metadata, "displayName", "labels", "annotations")
    name = metadata.text("name") or ""
    metadata.finish()
    spec = there.part("spec")
    there.finish()
    if spec.text("description"):
        text = f"the description of the {kind} is left out"
        spec.report.info(spec.key("description"), "import-left-out", text)
    return name, spec


def _tiers(policy: Section, objects: NamedObjects, options: Options) -> list[dict[str, Any]]:
    breaching = policy.get("alertWhenBreaching") is None or policy.flag("alertWhenBreaching")
    flags = ("alertWhenBreaching", "alertWhenResolved", "alertWhenNoData")
    if not any(policy.get(key) is not None for key in flags):
        policy.report.warning(
            policy.document.locate(policy.loc, key=True),
            "import-approximated",
            "it is not written when the policy alerts: it alerts when the condition is met",
            "write alertWhenBreaching: true",
        )
    if policy.flag("alertWhenResolved"):
        text = "left out: each channel decides whether it notifies of the end"
        policy.report.info(policy.key("alertWhenResolved"), "import-left-out", text)
    if policy.get("alertWhenNoData") is not None and not policy.flag("alertWhenNoData"):
        text = "left out: an SLO with alerts has SLONoData, too"
        policy.report.info(policy.key("alertWhenNoData"), "import-left-out", text)
    for target in policy.parts("notificationTargets", policy.report):
        found = _object(target, "targetRef", "AlertNotificationTarget", objects)
        if found is not None:
            name, spec = found
            kind = spec.text("target")
            spec.finish()
            target.report.info(
                target.document.locate(target.loc),
                "import-left-out",
                f"the target {shown(name)} ({kind}) is left out: it says no address",
                "write it as a channel, and notify it in a step of the escalation",
            )
    found_tiers = []
    for each in policy.parts("conditions", policy.report):
        found = _object(each, "conditionRef", "AlertCondition", objects)
        if found is not None:
            tier = _tier(*found, options)
            found_tiers += [tier] if tier and breaching else []
    if not policy.get("conditions"):
        policy.refuse(
            "conditions", "the policy has no condition", "such as conditionRef: fast-burn"
        )
    elif not breaching:
        text = "the conditions are left out: alertWhenBreaching is false"
        policy.report.info(policy.key("alertWhenBreaching"), "import-left-out", text)
    policy.finish()
    return found_tiers


def _tier(name: str, spec: Section, options: Options) -> dict[str, Any] | None:
    severity, names = spec.text("severity"), severity_names(options)
    if severity not in names:
        spec.refuse(
            "severity",
            f"the project has no severity {shown(severity)}",
            nearest(str(severity), names),
        )
    condition = spec.part("condition")
    spec.finish()
    if condition.get("kind") not in (None, "burnrate"):
        condition.refuse(
            "kind", f"no kind {shown(condition.get('kind'))} of a condition", "burnrate"
        )
    rate, loc = condition.get("threshold"), (*condition.loc, "threshold")
    if rate is None:
        condition.refuse("threshold", 'the key "threshold" is missing', "such as threshold: 14.4")
    _operator(condition)
    wait = condition.get("alertAfter")
    after = None if wait in (None, "0m", "0") else read_span(condition, "alertAfter")
    wanted = read_span(condition, "lookbackWindow")
    condition.finish()
    if wanted is None or severity not in names or rate is None:
        return None
    long, short = _windows(condition, wanted, options)
    place = (*condition.loc, "lookbackWindow")
    tier = {
        "name": _slug(name),
        "severity": names[severity],
        "burn_rate": From(rate, loc, document=condition.document),
        "long_window": From(str(long), place, document=condition.document),
        "short_window": From(str(short), place, document=condition.document),
    }
    return tier | ({"for": str(after)} if after else {})


def _windows(condition: Section, wanted: Duration, options: Options) -> tuple[Duration, Duration]:
    long = fitted(wanted, options.settings)
    short = fitted(Duration(wanted.ms // _SHORTER), options.settings)
    change = f"; {moved(wanted, long)}" if long != wanted else ""
    condition.report.warning(
        condition.at("lookbackWindow"),
        "import-approximated",
        f"OpenSLO has one window: the second one, of {short}, ends the alert sooner after the "
        f"errors, and does not delay it{change}",
        "choose another short_window if the alert should last longer",
    )
    return long, short


def _operator(condition: Section) -> None:
    op = condition.text("op")
    if op in ("gt", "gte"):
        return
    if op in ("lt", "lte"):
        condition.report.warning(
            condition.at("op"),
            "import-approximated",
            f"{op} would alert while the burn rate is low: gt is taken",
            "write op: gt",
        )
        return
    condition.refuse("op", f"expected how a burn rate compares, found {shown(op)}", "op: gt")


def _slug(name: str) -> str:
    text = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_MOST].strip("-")
    return text or "openslo"
