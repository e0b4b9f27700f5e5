"""Rule files for vmalert, one for each tenant, and the settings that it needs.

Source: VictoriaMetrics differs from Prometheus where rules notice, as measured with both:

- `rate` takes in the sample before its range, which Prometheus' rules add to the range instead.
- What a rule records can be read seconds later. So a rule that reads another is evaluated in a
  group of its own, later (`hops`), and errors are counted without the events that are recorded.
- Queries are answered with data of 30 s ago, unless they disable the cache (`nocache`).
- Native histograms, and the functions on them, do not exist.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from slo_compiler import naming
from slo_compiler.diagnostics import Position, Report
from slo_compiler.duration import Duration
from slo_compiler.emit.artefact import Artefact
from slo_compiler.emit.emitter import (
    Emission,
    Emitter,
    EvaluatedRules,
    ProjectContext,
    TenantContext,
)
from slo_compiler.emit.hops import LEAST, Misfit, hops_of, split
from slo_compiler.emit.prometheus import check_expressions, origins_of, rules_text
from slo_compiler.emit.unit_test import VMALERT_TOOL, unit_test_yaml
from slo_compiler.plan import PlannedTenant
from slo_compiler.plan.health import Evaluator, RulesFailingAlert
from slo_compiler.plan.rule import (
    BaseSeries,
    BurnAlert,
    Constant,
    ExclusionActive,
    GuardCount,
    PyrraBurnRate,
    PyrraSeries,
    ShadowAlert,
    Slices,
)
from slo_compiler.plan.rules import Rule
from slo_compiler.plan.sli import base_queries
from slo_compiler.plan.slo import PlannedSLO
from slo_compiler.promql import functions_of
from slo_compiler.proofs.generate import IsolatedTenant, modest_unit_tests, shared_unit_tests
from slo_compiler.proofs.model import UnitTestFile
from slo_compiler.render import TenantRules, tenant_rules
from slo_compiler.resolve.hours import Locate
from slo_compiler.resolve.project import is_older
from slo_compiler.schema import ProjectSpec
from slo_compiler.schema.sli.latency import Latency
from slo_compiler.templating import render

# The first that has eval_offset, and the first that evaluates groups then; before, it only gives
# their samples that time, and rules run in any order.
OFFSETS_SINCE, OLDEST = "1.94", "1.113"
_PROOFS = "proofs"  # the target with which unit tests are written
_INTERVALS = (15, 20, 30, 60, 75, 100, 150, 300)  # seconds: divisors of the shortest tile
_CLASSIC = "read a classic histogram: its _bucket and _count series"
_RECORD = "write the query without it, or record that part where it can be evaluated"
# What PromQL has and MetricsQL has not, or has for histograms of another kind; and what to write.
_MISSING = {
    "double_exponential_smoothing": _RECORD,
    "histogram_avg": _CLASSIC,
    "histogram_count": _CLASSIC,
    "histogram_fraction": _CLASSIC,
    "histogram_stddev": _CLASSIC,
    "histogram_stdvar": _CLASSIC,
    "histogram_sum": _CLASSIC,
    "info": "join the labels with group_left",
    "limit_ratio": _RECORD,
    "ts_of_first_over_time": _RECORD,
    "ts_of_last_over_time": _RECORD,
    "ts_of_max_over_time": _RECORD,
    "ts_of_min_over_time": _RECORD,
}


def check(project: ProjectSpec, at: Locate, report: Report) -> None:
    """Refuse a vmalert that does not know the offsets of groups, or does not evaluate them then."""
    declared = project.victoriametrics.version
    if is_older(declared, OLDEST):
        why = (
            f"groups have an eval_offset from {OFFSETS_SINCE} on, without which rules read what "
            "was recorded an evaluation before"
            if is_older(declared, OFFSETS_SINCE)
            else f"groups are evaluated at their eval_offset from {OLDEST} on, and at any time "
            "before, so that rules read what was recorded an evaluation before"
        )
        report.error(
            at("spec", "victoriametrics", "version"),
            "needs-victoriametrics",
            f"VictoriaMetrics {declared} is not supported: {why}",
            f'run {OLDEST} or newer, and write version: "{OLDEST}"',
        )


def tenant(context: TenantContext, report: Report) -> Emission:
    """Render a tenant's rule file; promtool checks it without the keys that it does not know."""
    planned = adapted(context.planned)
    if not evaluable(planned, report):
        return Emission()
    rules = tenant_rules(planned)
    check_expressions(rules, report)
    found = split(rules, hops_of(planned, rules))
    if isinstance(found, Misfit):
        _refuse(found, planned, report)
        return Emission()
    file = Artefact(
        f"{naming.VICTORIAMETRICS_FOLDER}/{found.tenant}.yml",
        rules_text(found),
        "promtool",
        origins_of(found),
        checked=rules_text(_without_offsets(found)),
    )
    if _PROOFS not in context.project.targets:
        return Emission((file,))
    tests, isolated = modest_unit_tests(context.planned)
    groups = tuple(group.name for group in found.groups)
    return Emission(
        (file, *(_unit_tests(replace(each, groups=groups)) for each in tests)),
        facts=replace(isolated, groups=groups) if isolated else None,
    )


def project(
    facts: Sequence[IsolatedTenant | None], _context: ProjectContext, _report: Report
) -> Emission:
    """Render the settings of vmalert, and the unit tests of all tenants together."""
    settings = Artefact(naming.VMALERT_FILE, render("emit/vmalert.env.j2"))
    return Emission((settings, *map(_unit_tests, shared_unit_tests(facts))))


def _unit_tests(file: UnitTestFile) -> Artefact:
    name = PurePosixPath(file.path).name
    text = unit_test_yaml(file, VMALERT_TOOL)
    return Artefact(f"{naming.VICTORIAMETRICS_TESTS_FOLDER}/{name}", text)


def adapted(planned: PlannedTenant) -> PlannedTenant:
    """Plan a tenant's rules for vmalert: the same rules, of queries and metrics of its own."""
    slos = {slo: _queried(slo, planned) for slo in planned.slos}
    groups = (
        replace(group, rules=tuple(_adapted(rule, slos) for rule in group.rules))
        for group in planned.groups
    )
    counts = {key: replace(g, slo=slos[g.slo]) for key, g in planned.guard_counts.items()}
    return replace(planned, slos=tuple(slos.values()), groups=tuple(groups), guard_counts=counts)


def _queried(slo: PlannedSLO, planned: PlannedTenant) -> PlannedSLO:
    """Take rates over the base alone; what is wrong with queries was reported before."""
    queries = base_queries(planned.resolved, slo.resolved, planned.timing.base, Report())
    return replace(slo, queries=queries)


def _adapted(rule: Rule, slos: dict[PlannedSLO, PlannedSLO]) -> Rule:
    match rule:
        case BaseSeries():
            return replace(rule, slo=slos[rule.slo], raw=True)
        case Constant() | ExclusionActive() | Slices() | GuardCount():
            return replace(rule, slo=slos[rule.slo])
        case ShadowAlert() | BurnAlert() | PyrraSeries() | PyrraBurnRate():
            return replace(rule, slo=slos[rule.slo])
        case RulesFailingAlert():
            return replace(rule, evaluator=Evaluator.VMALERT)
        case _:
            return rule


def evaluable(planned: PlannedTenant, report: Report) -> bool:
    """Whether MetricsQL has all that the tenant's SLIs need; what it lacks is reported."""
    lacking = [each for slo in planned.slos for each in _lacking(slo)]
    for at, what, instead in lacking:
        report.error(at, "target-lacks", f"the target victoriametrics has no {what}", instead)
    return not lacking


def _lacking(slo: PlannedSLO) -> Iterator[tuple[Position, str, str]]:
    """Give what MetricsQL lacks of an SLI's needs: place, what it is, and what to write instead."""
    body, queries = slo.resolved.spec.sli.body, slo.queries
    if isinstance(body, Latency) and body.native:
        yield slo.resolved.at("sli", body.KIND, "native"), "native histograms", _CLASSIC
        return
    if queries is None:
        return
    pair = queries.pair
    for term, texts in ((pair.events, queries.events_terms), (pair.second, queries.second_terms)):
        for field, given in ((term.field, texts.plus), (term.minus, texts.minus)):
            for name in sorted({name for text in given for name in functions_of(text)}):
                if name in _MISSING:
                    yield slo.resolved.at("sli", body.KIND, field), f"{name}()", _MISSING[name]


def _refuse(found: Misfit, planned: PlannedTenant, report: Report) -> None:
    """Report that hops do not fit, with the arithmetic."""
    needed = LEAST * found.hops
    intervals = (Duration.of(seconds=number) for number in _INTERVALS)
    longer = next(
        (f"write evaluation_interval: {each}" for each in intervals if each >= needed), ""
    )
    fewer = "give the tenant fewer SLOs that read what others record"
    report.error(
        planned.resolved.position,
        "hops-too-many",
        f"rules of this tenant read one another in {found.hops} steps; vmalert needs {LEAST} for "
        f"each, {needed} together, and they are evaluated every {found.interval}",
        " or ".join(filter(None, (longer, fewer))),
    )


def _without_offsets(rules: TenantRules) -> TenantRules:
    groups = (replace(group, offset=None) for group in rules.groups)
    return replace(rules, groups=tuple(groups))


def evaluated(context: TenantContext, report: Report) -> EvaluatedRules | None:
    """Give the rules of queries that vmalert evaluates, each hop in a group of its own."""
    planned = adapted(context.planned)
    if not evaluable(planned, report):
        return None
    rules = tenant_rules(planned)
    found = split(rules, hops_of(planned, rules))
    if isinstance(found, Misfit):
        return None
    return EvaluatedRules(planned, rules, len(found.groups))


EMITTER = Emitter("victoriametrics", tenant, project, check, evaluated)
