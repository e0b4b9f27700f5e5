"""Which alerts inhibit others: shorter windows of an SLO, and what its pages depend on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan.routing_ir import Inhibition
from slo_compiler.plan.tenant import Identity, identity
from slo_compiler.resolve.dependencies import dependencies
from slo_compiler.resolve.metadata import metadata_of
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant
from slo_compiler.schema import Tier
from slo_compiler.schema.severity import SeverityLevel


def window_inhibitions(
    levels: Sequence[SeverityLevel],
    tiers: Collection[tuple[str, Duration]],
    by: Collection[str],
    external: Sequence[str] = (),
) -> Iterator[Inhibition]:
    """While an alert fires, those of the same SLO with longer windows do not notify.

    Only alerts that are as urgent as itself, or less. Keyed by window and severity rather than by
    tier, because tiers are named by users: two policies may give the same names another order, but
    a longer window is longer in both, so that no two alerts can silence each other.

    Args:
        levels: the project's severities, most urgent first.
        tiers: severity and long window of every tier of every tenant.
        by: labels that distinguish the series of SLOs.
        external: labels that distinguish the Prometheus servers: no cluster's alert inhibits
            another's.
    """
    equal = tuple(dict.fromkeys((*naming.IDENTITY, naming.ESCALATION, *external, *sorted(by))))
    for rank, level in enumerate(levels):
        quieter = {other.name: other.label for other in levels[rank:]}
        for window in sorted(w for s, w in tiers if s == level.name):
            longer = sorted({w for s, w in tiers if s in quieter and w > window})
            if longer:
                source = (f'severity="{level.label}"', f'long_window="{window}"', 'slo!=""')
                labels = "|".join(quieter.values())
                target = (
                    f'severity=~"{labels}"' if len(quieter) > 1 else f'severity="{labels}"',
                    f'long_window=~"{"|".join(map(str, longer))}"',
                    'slo!=""',
                )
                yield Inhibition(source, target, equal)


def dependency_inhibitions(
    tenant: ResolvedTenant,
    known: Sequence[ResolvedTenant],
    reaching: Collection[str] | None = None,
) -> Iterator[Inhibition]:
    """While an SLO's most urgent alert fires, those of the SLOs that depend on it do not notify.

    Burn alerts only, on both sides: that the other's data are missing explains no SLO's errors, and
    that one's own are notifies whatever else burns. A rule is about one SLO and another. There is
    one for each window of the other and each name of its alerts, and it reads no levels of
    escalation, so that it has one source: Alertmanager 0.30 to 0.34.0 remembers one of each rule,
    and forgets the others when that one resolves.

    Args:
        tenant: the one that depends.
        known: itself and those that it depends on.
        reaching: the tenants of which the Alertmanager gets alerts; without it, all.
    """
    slos = {(t.name, s.spec.service, s.spec.name): s for t in known for s in t.slos}
    top = tenant.levels[0]
    for slo in tenant.live:
        for key in dependencies(tenant, slo):
            if reaching is not None and key[0] not in reaching:
                continue
            for window, name in sorted(
                {(tier.long_window, name) for tier, name in _burn_alerts(slos[key], top)}
            ):
                source = _side(
                    name,
                    Identity(*key),
                    top.label,
                    (naming.LONG_WINDOW, str(window)),
                    (naming.ESCALATION, ""),
                )
                yield Inhibition(source, _target(tenant, slo, top))


def _burn_alerts(slo: ResolvedSLO, level: SeverityLevel) -> Iterator[tuple[Tier, str]]:
    """Give the tiers of a severity with the names of their alerts."""
    for tier in slo.policy.tiers:
        if tier.severity == level.name:
            own = metadata_of(slo, tier.severity, tier.name)
            yield tier, own.name or naming.ALERT_BURN


def _target(tenant: ResolvedTenant, slo: ResolvedSLO, top: SeverityLevel) -> tuple[str, ...]:
    """Match an SLO's burn alerts; alerts on its budget may have a name of theirs, but no window."""
    id_ = identity(tenant, slo)
    if {name for _, name in _burn_alerts(slo, top)} <= {naming.ALERT_BURN}:
        return _side(naming.ALERT_BURN, id_, top.label)
    return (*_side("", id_, top.label), f'{naming.LONG_WINDOW}!=""')


def _side(alert: str, id_: Identity, severity: str, *more: tuple[str, str]) -> tuple[str, ...]:
    name = [("alertname", alert)] if alert else []
    pairs = (*name, *id_.labels, (naming.SEVERITY, severity), *more)
    return tuple(f'{name}="{value}"' for name, value in pairs)
