"""Objects for the Prometheus Operator: rules, Alertmanager's configuration, a kustomization.

An object has at most 512 KiB, of which the operator makes a ConfigMap. A tenant with more rules
gets several objects, split between groups: what an alert reads is in its own group, or recorded by
another one, so that no rule notices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.emit import alertmanager
from slo_compiler.emit.artefact import Artefact
from slo_compiler.emit.emitter import Emission, Emitter, ProjectContext, TenantContext
from slo_compiler.emit.operator_secret import operator_secret
from slo_compiler.emit.prometheus import check_expressions, evaluated, origins_of, rules_text
from slo_compiler.render import TenantRules
from slo_compiler.schema.project import OperatorSpec
from slo_compiler.templating import render

LIMIT = 512 * 1024  # bytes of an object's rules: half of what a ConfigMap may have
_ROOM = 4 * 1024  # for the object around them


@dataclass(frozen=True, slots=True)
class Objects:
    """What a tenant brings: the names of its files, and its part of the routing tree."""

    files: tuple[str, ...]
    routing: alertmanager.Facts | None


def tenant(context: TenantContext, report: Report) -> Emission:
    """Render a tenant's objects."""
    check_expressions(context.rules, report)
    artefacts = [
        _object(part, number, context.project.operator)
        for number, part in enumerate(_parts(context, report), start=1)
    ]
    names = tuple(artefact.path.rpartition("/")[2] for artefact in artefacts)
    wanted = context.project.operator.config_secret is not None
    routing = alertmanager.tenant(context, report).facts if wanted else None
    return Emission(tuple(artefacts), facts=Objects(names, routing))


def project(facts: Sequence[Objects], context: ProjectContext, report: Report) -> Emission:
    """Render the Secret, and the kustomization, which names the objects of all tenants."""
    secret = operator_secret([each.routing for each in facts if each.routing], context, report)
    files = [name for each in facts for name in each.files]
    files += [artefact.path.rpartition("/")[2] for artefact in secret]
    text = render(
        "emit/kustomization.yml.j2",
        files=sorted(files),
        namespace=context.spec.operator.namespace,
    )
    return Emission((*secret, Artefact(f"{naming.OPERATOR_FOLDER}/kustomization.yaml", text)))


def _parts(context: TenantContext, report: Report) -> Iterator[TenantRules]:
    """Split a tenant's rules between groups, so that each part stays below the limit."""
    rules, size, first = context.rules, 0, 0
    sizes = [len(rules_text(replace(rules, groups=(group,))).encode()) for group in rules.groups]
    for number, (group, own) in enumerate(zip(rules.groups, sizes, strict=True)):
        if own + _ROOM > LIMIT:
            report.error(
                context.planned.resolved.position,
                "object-too-large",
                f"the group {group.name} has {own:,} bytes, and a PrometheusRule holds {LIMIT:,}",
                "split the tenant, or its SLOs over several periods and policies",
            )
        if size and size + own + _ROOM > LIMIT:
            yield replace(rules, groups=rules.groups[first:number])
            size, first = 0, number
        size += own
    yield replace(rules, groups=rules.groups[first:])


def _object(rules: TenantRules, number: int, spec: OperatorSpec) -> Artefact:
    # No tenant's name has a dot, so that a part is never taken for another tenant.
    name = f"slo-{rules.tenant}" + (f".{number}" if number > 1 else "")
    groups = rules_text(rules)
    head, _, body = groups.partition("\n")
    text = render(
        "emit/prometheusrule.yml.j2",
        name=name,
        namespace=spec.namespace,
        labels=sorted({**spec.labels, naming.TENANT: rules.tenant}.items()),
        head=head,
        groups=_indented(body),
    )
    path = f"{naming.OPERATOR_FOLDER}/{name}.yaml"
    return Artefact(path, text, "promtool", origins_of(rules), checked=groups)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" if line else line for line in text.split("\n"))


EMITTER = Emitter("operator", tenant, project, evaluated=evaluated)
