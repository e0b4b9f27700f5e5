"""What a real Prometheus has for the manifests: series, types, labels, traffic, retention."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import ModuleType

from slo_compiler.diagnostics import Diagnostic, Position, Report
from slo_compiler.live import kinds, labels, presence, server, traffic
from slo_compiler.live.client import Client, RefusedError, ServerError
from slo_compiler.live.selectors import CheckedSLO, subject
from slo_compiler.plan import PlannedTenant
from slo_compiler.plan.rule import BaseSeries, Slices
from slo_compiler.plan.slo import PlannedSLO
from slo_compiler.render import Rule, rule_text
from slo_compiler.schema import PrometheusSpec

CHECKS: tuple[ModuleType, ...] = (presence, kinds, labels, traffic, server)
AT_ONCE = 8  # requests

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Answered:
    """What was queried for one SLO, and found."""

    name: str
    selectors: int
    series: int
    events_per_day: float | None


def ask(
    client: Client,
    planned: Sequence[PlannedTenant],
    project: PrometheusSpec,
    at: Position,
    report: Report,
    progress: Progress,
) -> list[Answered]:
    """Query a Prometheus about all SLOs; findings go to `report`.

    Args:
        client: the Prometheus.
        planned: the tenants; the base pairs of their SLOs are looked at.
        project: what the project declares of its Prometheus.
        at: the place of that.
        report: takes the findings.
        progress: is called for each SLO.

    Returns:
        One answer for each SLO; none if there is no Prometheus, which is a finding, too.
    """
    checked = [*subjects(planned)]
    answers = []
    progress(f"asking {client.url}")
    try:
        client.connect()
        server.check_version(client, project.version, at, report)
        server.check_retention(client, checked, at, report)
        server.check_look_back(client, planned, at, report)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                for answer, found in pool.map(lambda each: _ask_one(client, each), checked):
                    answers.append(answer)
                    report.extend(found)
                    progress(f"asked {len(answers)} of {len(checked)}: {answer.name}")
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    except ServerError as error:
        report.error(at, "live-unreachable", error.message, error.help)
    for words in client.warned:
        report.warning(
            at, "live-partial", f"{client.url}: {words}", "what is reported as missing may be there"
        )
    return answers


def subjects(planned: Sequence[PlannedTenant]) -> Iterator[CheckedSLO]:
    """Give each SLO with the selectors of its base rules."""
    for tenant in planned:
        pairs: dict[PlannedSLO, list[Rule]] = {}
        for group in tenant.groups:
            for rule in group.rules:
                if isinstance(rule, BaseSeries | Slices):
                    pairs.setdefault(rule.slo, []).append(rule_text(tenant, rule))
        for slo in tenant.slos:
            yield subject(tenant.resolved, slo.resolved, tenant.timing, pairs.get(slo, ()))


def _ask_one(client: Client, each: CheckedSLO) -> tuple[Answered, list[Diagnostic]]:
    report = Report()
    for check in CHECKS:
        try:
            check.check(client, each, report)
        except RefusedError as error:
            report.error(
                each.slo.at("name"), "live-refused", f"Prometheus refuses a query: {error}"
            )
    try:
        measured = traffic.measure(client, each)
        series = sum(presence.find(client, used.selector).now for used in each.asked)
    except RefusedError:  # reported above
        measured, series = None, 0
    per_day = None if measured is None else sum(sample.value for sample in measured)
    return Answered(each.name, len(each.asked), series, per_day), report.diagnostics
