"""What is compared of a state of a project: its SLOs, its tenants and the settings of its file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from slo_compiler import naming
from slo_compiler.cost import Usage, tenant_cost
from slo_compiler.diagnostics import Report
from slo_compiler.plan import PlannedTenant, build
from slo_compiler.plan.routes import plan_routes
from slo_compiler.plan.routing_ir import Inhibition, Interval, Route
from slo_compiler.render import Rule, TenantRules, tenant_rules
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema import ProjectSpec
from slo_compiler.settings import Settings
from slo_compiler.view.explain import Explanation
from slo_compiler.view.values import place

Facts = Mapping[str, str]

# Parts of the project file whose changes are shown by what they change of SLOs, or change nothing
# that is written.
_SHOWN_BY_SLOS = frozenset(
    {
        "sources",
        "output",
        "policies",
        "templates",
        "isolation",
        "tenants",
        "ownership",
        "secrets",
        "lint",
        "defaults",
        "hours",
        "exclusions",
        "quotas",
        "limits",
    }
)
_DIGESTS = "manifest"  # the annotation that changes with each character of a manifest


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """A channel of a tenant, and its settings in the manifest."""

    name: str  # incident (slack)
    settings: Facts
    at: str


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """A rule as text; rules of one name are one."""

    wait: str
    text: str


@dataclass(frozen=True, slots=True)
class TenantState:
    """A tenant, beside its SLOs."""

    name: str
    at: str
    owner: str
    channels: Mapping[str, ChannelFacts]  # those that some step notifies
    rules: Mapping[str, Mapping[str, RuleFacts]]  # by what they are about and by their names
    route: Route
    intervals: tuple[tuple[str, tuple[Interval, ...]], ...]
    usage: Usage


@dataclass(frozen=True, slots=True)
class ProjectState:
    """A project as it is in a folder or a revision."""

    slos: Sequence[Explanation]
    tenants: Mapping[str, TenantState]
    settings: Facts  # of the project file, by their paths
    inhibitions: tuple[Inhibition, ...]
    at: str  # the project file
    base: str = ""  # the text of Alertmanager's base configuration


def state_of(
    slos: Sequence[Explanation],
    tenants: Sequence[ResolvedTenant],
    settings: Settings,
    report: Report,
    shown: Callable[[str], str] = str,
) -> ProjectState:
    """Collect what is compared of a project.

    Args:
        slos: its SLOs, explained.
        tenants: all of its tenants.
        settings: the project.
        report: takes the findings.
        shown: gives a place as it is shown.

    Raises:
        CompileError: its rules cannot be planned.
    """
    spec = settings.spec
    plan = build(tenants, spec, settings.at("spec", "alertmanager", "heartbeat"), report)
    by_name = {tenant.name: tenant for tenant in plan.tenants}
    base = settings.root / spec.alertmanager.base if spec.alertmanager.base else None
    return ProjectState(
        slos,
        {
            tenant.name: _tenant(tenant, by_name[tenant.name], tenants, spec, shown)
            for tenant in tenants
            if tenant.name in by_name
        },
        {
            path: text
            for path, text in _flat("", spec)
            if path.partition(".")[0] not in _SHOWN_BY_SLOS
        },
        plan.routing.inhibitions,
        shown(place(settings.at("spec"))) if settings.manifest else naming.PROJECT_FILE,
        base.read_text(encoding="utf-8") if base else "",
    )


def _tenant(
    tenant: ResolvedTenant,
    planned: PlannedTenant,
    tenants: Sequence[ResolvedTenant],
    spec: ProjectSpec,
    shown: Callable[[str], str],
) -> TenantState:
    routing, rules = plan_routes(tenant, tenants), tenant_rules(planned)
    cost = tenant_cost(planned, rules, spec)
    assert cost is not None  # noqa: S101  (a Prometheus takes any rules)
    return TenantState(
        tenant.name,
        shown(place(tenant.position)),
        tenant.owner,
        {
            channel.spec.name: ChannelFacts(
                f"{channel.spec.name} ({channel.spec.body.KIND})",
                dict(_flat("", channel.spec.body)),
                shown(place(channel.position)),
            )
            for step in tenant.steps
            for channel in step.channels
        },
        _rules(rules),
        routing.route,
        routing.time_intervals,
        cost.usage,
    )


def _rules(rules: TenantRules) -> dict[str, dict[str, RuleFacts]]:
    """Give the texts of rules, those about one SLO by its name, the others by the tenant's."""
    found: dict[str, dict[str, RuleFacts]] = {}
    for group in rules.groups:
        for rule in group.rules:
            labels = dict(rule.labels)
            parts = [labels.get(name, "") for name in naming.IDENTITY]
            own = all(parts) and parts[1] != naming.RULES_SERVICE
            about = "/".join(parts) if own else rules.tenant
            more = [labels[key] for key in (naming.TIER, naming.ESCALATION) if key in labels]
            key = " ".join([rule.name, *more])
            texts = found.setdefault(about, {})
            before = texts[key].text if key in texts else ""
            text = f"{before}{_text(rule, str(group.interval))}"
            texts[key] = RuleFacts(str(rule.for_ or ""), text)
    return found


def _text(rule: Rule, interval: str) -> str:
    pairs = [*rule.labels, *(pair for pair in rule.annotations if pair[0] != _DIGESTS)]
    words = " ".join(f"{name}: {value}" for name, value in pairs)
    return f"{rule.expr} every {interval} {words}\n"


def _flat(path: str, value: object) -> Iterator[tuple[str, str]]:
    """Give the values of nested mappings as text, by their paths."""
    if isinstance(value, BaseModel):
        value = {name: getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _flat(f"{path}.{key}" if path else str(key), each)
    elif isinstance(value, list | tuple) and any(isinstance(each, BaseModel) for each in value):
        for number, each in enumerate(value):
            yield from _flat(f"{path}.{getattr(each, 'name', number)}", each)
    elif isinstance(value, list | tuple):
        if value:
            yield path, ", ".join(map(str, value))
    elif value is not None:
        yield path, str(value)
