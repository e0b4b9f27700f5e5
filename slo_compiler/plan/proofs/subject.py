"""The SLOs under test, in rounds that do not feed each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.manifest.model import Tier
from slo_compiler.manifest.resolve import ResolvedSLO, ResolvedTenant
from slo_compiler.plan import burn
from slo_compiler.plan.ir import Check
from slo_compiler.plan.raw import Carries, RawSLI, derive
from slo_compiler.plan.sli import base_rates
from slo_compiler.templating import promql_string

EVENTS = 1_000_000  # per sample, so that small ratios are whole events and guards are met


@dataclass(frozen=True, slots=True)
class Subject:
    """An SLO under test."""

    slo: ResolvedSLO
    raw: RawSLI | None
    labels: str  # its identity, as it stands in a selector
    origin: str  # where it stands: tenants/customer-b.yaml:26

    @property
    def name(self) -> str:
        """Name it within its tenant: checkout/availability."""
        return f"{self.slo.spec.service}/{self.slo.spec.name}"

    def threshold(self, tier: Tier) -> Fraction:
        """Give the error ratio at which a tier fires."""
        factor = burn.burn_factor(tier.budget_share, self.slo.period, tier.long_window)
        return burn.threshold(factor, self.slo.objective)

    def events(self) -> int:
        """Give the events of each sample: enough for the SLO's guards on low traffic."""
        guards = self.slo.alerting
        return max(EVENTS * (guards.min_errors or 1), guards.min_events or 1)


@dataclass(frozen=True, slots=True)
class Round:
    """SLOs that are tested in one run, because none reads another's counters."""

    subjects: tuple[Subject, ...]
    readers: tuple[Subject, ...]  # SLOs beside them that read their counters too

    @property
    def names(self) -> str:
        """The SLOs under test."""
        return names_of(self.subjects)

    def firing(
        self, at: Duration, tier: Tier, firing: Sequence[Subject], why: str, level: int = 1
    ) -> Check:
        """Expect the alerts of a tier from exactly these SLOs, and from no other of the tenant."""
        escalation = f'{naming.ESCALATION}="{level if level > 1 else ""}"'
        matchers = f'alertname="{naming.ALERT_BURN}",tier="{tier.name}",{escalation}'
        return self.alerts(at, matchers, firing, why)

    def alerts(self, at: Duration, matchers: str, firing: Sequence[Subject], why: str) -> Check:
        """Expect alerts from exactly these SLOs."""
        expr = f'count by (service, slo) (ALERTS{{alertstate="firing",{matchers}}})'
        samples = tuple(
            (f'{{service="{s.slo.spec.service}", slo="{s.slo.spec.name}"}}', "1") for s in firing
        )
        return Check(at, expr + self.others_only, samples, why)

    @property
    def others_only(self) -> str:
        """What keeps the readers out of a check: they burn along, as they should."""
        return "".join(
            f" unless on (service, slo) {naming.INFO}{{{reader.labels}}}" for reader in self.readers
        )


def subject_of(tenant: ResolvedTenant, slo: ResolvedSLO, timing: burn.Timing) -> Subject:
    """Prepare an SLO for its tests: derive its counters, if they can be."""
    raw = None
    rates = base_rates(tenant, slo, timing.base_range, Report())
    if rates is not None:
        counts_errors = rates.template == "errors"
        raw = derive(
            rates.events,
            rates.errors,
            counts_errors=counts_errors,
            fills_in=rates.template != "errors_from_bucket",
            by=slo.by,
        )
    pairs = [
        (naming.TENANT, tenant.name),
        (naming.SERVICE, slo.spec.service),
        (naming.SLO, slo.spec.name),
    ]
    labels = ",".join(f"{k}={promql_string(v)}" for k, v in pairs)
    return Subject(slo, raw, labels, f"{tenant.source.name}:{slo.at('name').line}")


def rounds_of(subjects: Sequence[Subject]) -> Iterator[Round]:
    """Split the SLOs into rounds."""
    rounds: list[list[Subject]] = []
    for subject in subjects:
        for round_ in rounds:
            if not any(share(subject, other) for other in round_):
                round_.append(subject)
                break
        else:
            rounds.append([subject])
    for round_ in rounds:
        beside = (s for s in subjects if s not in round_)
        fed = [series for s in round_ if s.raw for series in s.raw.series]
        readers = (s for s in beside if s.raw and any(map(s.raw.reads, fed)))
        yield Round(tuple(round_), tuple(readers))


def share(one: Subject, two: Subject) -> bool:
    """Whether one of two SLOs reads a counter that the other counts, too."""
    if one.raw is None or two.raw is None:
        return False
    own = [s for s in one.raw.series if s.carries is not Carries.NOISE]
    others = [s for s in two.raw.series if s.carries is not Carries.NOISE]
    return any(two.raw.reads(s) for s in own) or any(one.raw.reads(s) for s in others)


def groups_of(round_: Round) -> Iterator[tuple[list[Subject], Tier]]:
    """Give the SLOs of a round that fire and reset at the same times, tier by tier."""
    groups: dict[tuple[object, ...], tuple[list[Subject], Tier]] = {}
    for subject in round_.subjects:
        for tier in subject.slo.policy.tiers:
            capped = subject.threshold(tier) if subject.threshold(tier) * 2 > 1 else None
            key = (subject.slo.policy.name, tier.name, capped)
            groups.setdefault(key, ([], tier))[0].append(subject)
    yield from groups.values()


def names_of(subjects: Sequence[Subject]) -> str:
    """Name several SLOs."""
    return ", ".join(s.name for s in subjects)
