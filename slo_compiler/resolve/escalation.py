"""Look up a tenant's steps, and check that they fit its alerts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from slo_compiler.diagnostics import Cause, Report, nearest
from slo_compiler.resolve.hours import check_hours, open_hours
from slo_compiler.resolve.model import Policy, ResolvedChannel, ResolvedStep, ResolvedTenant
from slo_compiler.schema import ProjectSpec, Tenant
from slo_compiler.schema.hours import BUSINESS_HOURS
from slo_compiler.schema.severity import SeverityLevel, severities_of
from slo_compiler.source import Document


def resolve_steps(
    project: ProjectSpec,
    tenant: Tenant,
    document: Document,
    channels: Mapping[str, ResolvedChannel],
    report: Report,
) -> tuple[ResolvedStep, ...]:
    """Look up the channels, the hours and their holidays; a tenant's own names come first."""
    hours_by_name = {**BUSINESS_HOURS, **project.hours, **tenant.spec.hours}
    holidays = {**project.holidays, **tenant.spec.holidays}
    check_hours(tenant.spec.hours, holidays, document.at, report)
    steps = []
    for index, step in enumerate(tenant.spec.escalation):
        loc = ("spec", "escalation", index)
        for number, name in enumerate(step.notify):
            if name not in channels:
                report.error(
                    document.locate((*loc, "notify", number)),
                    "undefined-channel",
                    f'no channel "{name}"',
                    nearest(name, channels) or "define it in spec.channels",
                )
        if step.hours is not None and step.hours not in hours_by_name:
            report.error(
                document.locate((*loc, "hours")),
                "undefined-hours",
                f'no hours "{step.hours}"',
                nearest(step.hours, hours_by_name),
            )
        steps.append(
            ResolvedStep(
                spec=step,
                channels=tuple(channels[n] for n in dict.fromkeys(step.notify) if n in channels),
                hours=open_hours(hours_by_name[step.hours], holidays)
                if step.hours in hours_by_name
                else None,
                position=document.locate((*loc, step.on)),
            )
        )
    return tuple(steps)


def check_policy(policy: Policy, project: ProjectSpec, report: Report) -> None:
    """Check that a policy's tiers name severities of the project, whether it is used or not."""
    for index, tier in enumerate(policy.tiers):
        if tier.severity not in project.severities and not policy.builtin:
            report.error(
                policy.at("tiers", index, "severity"),
                "undefined-severity",
                f'no severity "{tier.severity}"',
                _labelled(tier.severity, severities_of(project.severities))
                or nearest(tier.severity, project.severities),
                Cause(tier.severity, rank=1),
            )


def _labelled(word: str, levels: Sequence[SeverityLevel]) -> str:
    """Name the severity whose label somebody wrote in the place of its name."""
    for level in levels:
        if word == level.label or word in level.labels.values():
            return f'did you mean "{level.name}"? Its alerts are labelled {word}'
    return ""


def check_severities(tenant: ResolvedTenant, report: Report) -> bool:
    """Check that the tiers and steps in use name severities of the project; return whether all do.

    A policy that came with the compiler is reported where it is used; others, at their tiers. All
    places that name one unknown severity are one finding: that of such a policy, if there is one,
    since what else names it would only be the next one to be changed back.
    """
    known = [level.name for level in tenant.levels]
    good = True
    for slo in tenant.slos:
        unknown = {tier.severity: None for tier in slo.policy.tiers if tier.severity not in known}
        good = good and not unknown
        if unknown and slo.policy.builtin:
            named = " and ".join(f'"{severity}"' for severity in unknown)
            report.error(
                slo.at("alerting", "policy") if slo.spec.alerting.policy else slo.at("name"),
                "undefined-severity",
                f'the policy "{slo.policy.name}" has alerts of severity {named}, which '
                f"the project's severities lack; they are: {', '.join(known)}",
                "name them page and ticket, with labels as you like ({page: critical, ...}), or "
                "define a policy of your own",
                Cause(next(iter(unknown))),
            )
    for step in tenant.steps:
        if step.spec.severity is not None and step.spec.severity not in known:
            good = False
            report.error(
                step.position,
                "undefined-severity",
                f'no severity "{step.spec.severity}"',
                _labelled(step.spec.severity, tenant.levels) or nearest(step.spec.severity, known),
                Cause(step.spec.severity, rank=1),
            )
    return good


def check_escalation(tenant: ResolvedTenant, report: Report) -> None:
    """Check that each alert has a route, each route an alert, and no channel gets one twice."""
    severities = tenant.severities  # it looks at all SLOs
    for step in tenant.steps:
        _check_reached(tenant, step, severities, report)
    _check_overlaps(tenant.steps, report)
    for severity in severities:
        if not tenant.escalation.levels(severity)[0].steps:
            report.error(
                tenant.position,
                "no-route",
                f'alerts of severity "{severity}" reach nobody',
                f"add to spec.escalation: {{severity: {severity}, notify: [...]}}",
            )


def _check_reached(
    tenant: ResolvedTenant, step: ResolvedStep, severities: Collection[str], report: Report
) -> None:
    spec = step.spec
    if spec.severity and spec.severity not in severities:
        report.error(
            step.position,
            "unreachable-escalation",
            "this step is never reached: no SLO of this tenant has alerts of severity "
            f'"{spec.severity}"',
            f"its policies have: {', '.join(tenant.all_severities)}",
        )
    if not spec.severity and spec.firing_for:
        report.error(
            step.position,
            "unreachable-escalation",
            f"firing_for goes with a severity, not with {spec.on}",
            "remove firing_for",
        )


def _check_overlaps(steps: Sequence[ResolvedStep], report: Report) -> None:
    """Refuse two steps on the same alerts that have the same hours, or share a channel at any.

    Steps with different hours may share a channel: whether those overlap is not checked.
    """
    by_alerts: dict[tuple[object, ...], dict[str | None, ResolvedStep]] = {}
    for step in steps:
        earlier = by_alerts.setdefault(step.spec.alerts, {})
        first = earlier.setdefault(step.spec.hours, step)
        if first is not step:
            report.error(
                step.position,
                "duplicate-step",
                f"the step at line {first.position.line} is for the same alerts",
                "put all channels into one step",
            )
        if step.spec.hours is not None:
            others = [always] if (always := earlier.get(None)) else []
        else:
            others = [other for hours, other in earlier.items() if hours is not None]
        for other in others:
            _check_shared(other, step, report)


def _check_shared(earlier: ResolvedStep, step: ResolvedStep, report: Report) -> None:
    for name in sorted({*earlier.spec.notify} & {*step.spec.notify}):
        report.error(
            step.position,
            "notified-twice",
            f'the channel "{name}" would be notified twice, also by the step at line '
            f"{earlier.position.line}",
            "name it in the step without hours only",
        )
