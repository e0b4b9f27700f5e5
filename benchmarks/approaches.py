"""Rules for one SLO, 99.9 % of a service's requests over 30 days: ours, and of two peers' shape.

The peers' expressions have the shape that their own examples and tests document; they are asked
for the same selectors as ours.
"""
# ruff: noqa: INP001 - imported by a script

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from slo_compiler import pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.source import SourceFile

STEP = 30  # seconds between scrapes, and between evaluations unless a rule says otherwise

_TENANT = """\
---
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {{name: {0}, owner: {0}-sre}}
spec:
  defaults: {{period: 30d, objective: 99.9}}
  channels: [{{name: hook, webhook: {{url: "http://hooks.internal/{0}"}}}}]
  escalation: [{{severity: page, notify: [hook]}}, {{severity: ticket, notify: [hook]}}]
  slos:
"""
_SLO = """\
    - {{name: availability, service: {0}, sli: {{ratio: {{
         errors: 'http_requests_total{{job="{0}",code=~"5.."}}',
         total: 'http_requests_total{{job="{0}"}}'}}}}}}
"""
_PROJECT = f"""\
apiVersion: slo-compiler/v1
kind: Project
spec: {{prometheus: {{version: "3.5", scrape_interval: {STEP}s, evaluation_interval: {STEP}s}}}}
"""


@dataclass(slots=True)
class Rule:
    """A rule, the seconds between its evaluations, and what each one that was measured cost."""

    name: str
    expr: str
    interval: int = STEP
    alert: bool = False
    samples: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Approach:
    """All rules of a tenant's SLOs, one for each job, and the labels of what they record."""

    name: str
    tenant: str
    series: int  # raw series behind each SLO
    labels: Mapping[str, str]  # by job
    rules: Sequence[Rule]
    groups: Sequence[str] = ()  # of which a rule asks the server how they fare

    def samples(self, *, every: int = 0) -> float:
        """Samples that one evaluation of all rules loads, or all in so many seconds, per SLO."""
        return sum(median(r.samples) * self._share(r, every) for r in self.rules)

    def seconds(self, *, every: int = 0, of: Callable[[Sequence[float]], float] = median) -> float:
        """Time that one evaluation of all rules takes, or all in so many seconds, per SLO."""
        return sum(of(r.seconds) * self._share(r, every) for r in self.rules)

    def _share(self, rule: Rule, every: int) -> float:
        return (every / rule.interval if every else 1) / len(self.labels)


def manifest(tenant: str, jobs: Sequence[str]) -> str:
    """Write the manifest of a tenant with one SLO for each job."""
    return _TENANT.format(tenant) + "".join(map(_SLO.format, jobs))


def compiled(jobs: Mapping[str, Sequence[str]]) -> pipeline.Planned:
    """Compile one SLO for each job of each tenant."""
    report = Report()
    text = "".join(manifest(tenant, own) for tenant, own in jobs.items())
    project = SourceFile("slo-compiler.yaml", "slo-compiler.yaml", _PROJECT.encode())
    settings = pipeline.parse_project(project, Path.cwd(), report)
    source = SourceFile("slos.yaml", "slos.yaml", text.encode())
    return pipeline.plan_project(settings, [source], report)


def raw(tenant: str, job: str, *more: str) -> str:
    """Select a job's counters, or some of them; it names one if `more` are its other labels."""
    return "http_requests_total{" + ",".join((f'tenant="{tenant}",job="{job}"', *more)) + "}"


def ours(series: int, slos: int = 1) -> Approach:
    """Give what the compiler writes for one SLO, or for all SLOs of a tenant with several."""
    tenant = f"n{series}x{slos}"
    jobs = [f"web{number}" for number in range(slos)]
    (planned,) = compiled({tenant: jobs}).rules
    rules = [
        Rule(rule.name, rule.expr, int(group.interval.seconds), rule.alert)
        for group in planned.groups
        for rule in group.rules
    ]
    identity = 'tenant="{0}",service="{1}",slo="availability"'
    labels = {job: identity.format(tenant, job) for job in jobs}
    name = "slo_compiler" if slos == 1 else f"slo_compiler, 1 of {slos}"
    groups = [group.name for group in planned.groups]
    return Approach(name, tenant, series, labels, rules, groups)


def sloth(series: int) -> Approach:
    """Give the shape of slok/sloth, whose groups have no interval of their own.

    From examples/_gen/getting-started.yml and internal/plugin/slo/core/sli_rules_v1/plugin.go.
    """
    tenant, job = f"n{series}x1", "web0"
    total, errors = raw(tenant, job), raw(tenant, job, 'code=~"5.."')
    own = f'sloth_id="{tenant}-{job}",sloth_service="{tenant}",sloth_slo="{job}"'
    ratio, month = "slo:sli_error:ratio_rate", f"slo:sli_error:ratio_rate5m{{{own}}}[30d]"
    budget = f"/ on (sloth_id, sloth_slo, sloth_service) group_left slo:error_budget:ratio{{{own}}}"
    remaining = f"1 - slo:period_burn_rate:ratio{{{own}}}"

    def burns(factor: str, *windows: str) -> str:
        over = (f"({ratio}{window}{{{own}}} > ({factor} * 0.001))" for window in windows)
        return f"({' and ignoring (sloth_window) '.join(over)})"

    either = " or ignoring (sloth_window) ".join
    page = either([burns("14.4", "5m", "1h"), burns("6", "30m", "6h")])
    ticket = either([burns("3", "2h", "1d"), burns("1", "6h", "3d")])
    average = f"sum_over_time({month}) / ignoring (sloth_window) count_over_time({month})"
    rules = [
        *(
            Rule(f"{ratio}{w}", f"(sum(rate({errors}[{w}]))) / ((sum(rate({total}[{w}]))) > 0)")
            for w in ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
        ),
        Rule(f"{ratio}30d", average),
        Rule("slo:objective:ratio", "vector(0.999)"),
        Rule("slo:error_budget:ratio", "vector(1-0.999)"),
        Rule("slo:time_period:days", "vector(30)"),
        Rule("slo:current_burn_rate:ratio", f"{ratio}5m{{{own}}} {budget}"),
        Rule("slo:period_burn_rate:ratio", f"{ratio}30d{{{own}}} {budget}"),
        Rule("slo:period_error_budget_remaining:ratio", remaining),
        Rule("sloth_slo_info", "vector(1)"),
        Rule("page", page, alert=True),
        Rule("ticket", ticket, alert=True),
    ]
    return Approach("Sloth's shape", tenant, series, {job: own}, rules)


def pyrra(series: int) -> Approach:
    """Give the shape of pyrra-dev/pyrra, without its optional generic rules.

    From slo/rules.go and slo/rules_test.go: windows of 28d are scaled to the period and rounded to
    minutes.
    """
    tenant, job = f"n{series}x1", "web0"
    total, errors = raw(tenant, job), raw(tenant, job, 'code=~"5.."')
    name, own = "http_requests:burnrate", f'tenant="{tenant}",job="{job}",slo="{job}"'
    burns = "{0}{2}{{{1}}} > ({4} * (1-0.999)) and {0}{3}{{{1}}} > ({4} * (1-0.999))"
    tiers = (
        *(("5m", "1h4m", 14), ("32m", "6h26m", 7)),
        *(("2h9m", "1d1h43m", 2), ("6h26m", "4d6h51m", 1)),
    )
    rules = [
        Rule("http_requests:increase30d", f"sum by (code) (increase({total}[30d]))", 150),
        Rule("SLOMetricAbsent", f"absent({total}) == 1", 150, alert=True),
        *(
            Rule(f"{name}{w}", f"sum(rate({errors}[{w}])) / sum(rate({total}[{w}]))")
            for w in ("5m", "32m", "1h4m", "2h9m", "6h26m", "1d1h43m", "4d6h51m")
        ),
        *(Rule("ErrorBudgetBurn", burns.format(name, own, *tier), alert=True) for tier in tiers),
    ]
    return Approach("Pyrra's shape", tenant, series, {job: own}, rules)


def months(series: int) -> Approach:
    """Give other ways to count the events of 30d: of the same cost as if their tiles were there."""
    tenant = f"n{series}x1"
    tile = f'slo:events:increase10m{{tenant="{tenant}"}}'
    ways = {
        "tiles of 10m, as compiled": f"sum_over_time({tile}[30d:10m])",
        "tiles of 30m": f"sum_over_time({tile}[30d:30m])",
        "tiles of 1h": f"sum_over_time({tile}[30d:1h])",
        "every recorded sample": f"sum_over_time({tile}[30d])",
        "the last result, one tile more, one less": f"{tile} + {tile} - ({tile} offset 29d)",
    }
    return Approach("Events of 30d", tenant, series, {}, [Rule(*w, 150) for w in ways.items()])
