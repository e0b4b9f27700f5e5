"""The platform's own rules on Mimir: whether rules are evaluated, complete, and notify.

Mimir has these metrics for itself, by `user`, which is the organisation; no organisation sees them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.emit.emitter import ProjectContext
from slo_compiler.plan.routing_ir import Pairs
from slo_compiler.render import Group, Rule, TenantRules
from slo_compiler.schema.severity import severities_of
from slo_compiler.templating import render_expression

_WAIT, _EVERY = Duration.of(minutes=10), Duration.of(minutes=1)

_ABOUT_USERS = (  # name, template, title and summary
    (
        naming.ALERT_ALERTS_DROPPED,
        "alerts_dropped",
        "Alerts are lost",
        "The ruler cannot send alerts of {{ $labels.user }} to its Alertmanager",
    ),
    (
        naming.ALERT_CONFIG_FAILING,
        "config_failing",
        "A configuration is not loaded",
        "Alertmanager does not load the configuration of {{ $labels.user }}",
    ),
    (
        naming.ALERT_NOTIFICATIONS_FAILING,
        "notifications_failing",
        "Notifications fail",
        "Alertmanager cannot notify {{ $labels.integration }} of {{ $labels.user }}",
    ),
)


def meta_rules(orgs: Mapping[str, int], context: ProjectContext) -> TenantRules:
    """Give the rules; `orgs` has the number of rules that each organisation should have."""
    group = Group("slo-mimir", _EVERY, tuple(_alerts(orgs, context)))
    return TenantRules("_meta", "the project", (group,))


def _alerts(orgs: Mapping[str, int], context: ProjectContext) -> Iterator[Rule]:
    users = _any_of(orgs)
    counts: dict[int, list[str]] = {}
    for org, number in orgs.items():
        counts.setdefault(number, []).append(org)
    yield _alert(
        naming.ALERT_RULES_FAILING,
        render_expression("mimir/rule_group_failing", groups=f".*;{naming.ANY_GROUP}"),
        "Rules fail",
        "Rules of {{ $labels.tenant }} in the organisation {{ $labels.user }} fail or miss "
        "evaluations: {{ $labels.rule_group }}",
        ((naming.SERVICE, naming.RULES_SERVICE), (naming.SLO, naming.RULES_SLO)),
        context,
    )
    yield _alert(
        naming.ALERT_RULES_INCOMPLETE,
        render_expression(
            "mimir/rules_incomplete",
            counts=[(number, _any_of(users)) for number, users in sorted(counts.items())],
            groups=f".*;{naming.ANY_GROUP}",
        ),
        "Rules are missing",
        "The organisation {{ $labels.user }} has {{ $value }} rules of SLOs, which is not what was "
        "compiled: was an upload refused half way?",
        (),
        context,
    )
    for name, template, title, summary in _ABOUT_USERS:
        expr = render_expression(f"mimir/{template}", users=users)
        yield _alert(name, expr, title, summary, (), context)


def _alert(
    name: str, expr: str, title: str, summary: str, labels: Pairs, context: ProjectContext
) -> Rule:
    spec = context.spec
    levels = severities_of(spec.severities)
    level = next((each for each in levels if each.name == spec.health.severity), levels[0])
    page = spec.health.runbooks
    runbook = (("runbook_url", f"{page}#{name.lower()}"),) if page else ()
    return Rule(
        name,
        expr,
        context.heartbeat,
        (*labels, (naming.SEVERITY, level.label), *sorted(level.labels.items())),
        (("title", title), ("summary", summary), *runbook),
        _WAIT,
        alert=True,
    )


def _any_of(orgs: Mapping[str, int] | list[str]) -> str:
    """Match one of some organisations; a dot is their one character that a pattern would read."""
    return "|".join(sorted(orgs)).replace(".", "[.]")
