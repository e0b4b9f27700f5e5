"""What an SLO sets, with what it leaves out taken from its tenant, then from the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from slo_compiler.duration import Duration
from slo_compiler.period import Period
from slo_compiler.schema import (
    SLO,
    Alerting,
    AlertMetadata,
    Compat,
    Defaults,
    Guards,
    NoAlerting,
    NoCompat,
    Tenant,
    TierAlerting,
)

DEFAULT_PERIOD = Period(Duration.of(days=30))
DEFAULT_POLICY = "sre-workbook"


class SourceLevel(StrEnum):
    """Where a value comes from, the nearest first."""

    SLO = "SLO"
    TENANT = "tenant"
    PROJECT = "project"
    BUILTIN = "builtin"


@dataclass(frozen=True, slots=True)
class Sourced:
    """A value, and where it comes from."""

    value: Any
    level: SourceLevel


# Keys of alerting that add up, level by level: see resolve.metadata.
METADATA = (*AlertMetadata.model_fields, "severities")
_OF_ALERTING = frozenset(Alerting.model_fields) - {*METADATA}
_KEYS = ("objective", "period", "compat", *(k for k in Alerting.model_fields if k in _OF_ALERTING))


@dataclass(frozen=True, slots=True)
class Inherited:
    """All that an SLO sets and inherits, by key; a key that no level sets is not there."""

    sourced: Mapping[str, Sourced]  # objective, period, compat, and the keys of alerting
    labels: Mapping[str, Sourced]  # by label
    alerting: Alerting  # the keys of it as one, less those of the metadata
    metadata: tuple[tuple[SourceLevel, Alerting], ...]  # by level, the farthest first

    @property
    def objective(self) -> Decimal | None:
        """The objective in percent."""
        found = self.sourced.get("objective")
        return found.value if found else None

    @property
    def recorded_only(self) -> bool:
        """Whether the SLO has no alerts."""
        return "alerting" in self.sourced

    @property
    def compat(self) -> Compat | None:
        """Whose readers the SLO is recorded for, too."""
        found = self.sourced.get("compat")
        if found is None or isinstance(found.value, NoCompat):
            return None
        compat: Compat = found.value
        return compat

    @property
    def period(self) -> Period:
        """The period of the budget."""
        period: Period = self.sourced["period"].value
        return period


def inherit(slo: SLO, tenant: Tenant, project: Defaults) -> Inherited:
    """Take each value from the nearest that sets it; labels add up, and of one the nearest wins."""
    defaults = tenant.spec.defaults
    given: tuple[tuple[SourceLevel, Mapping[str, Any]], ...] = (
        (SourceLevel.SLO, {**_given(slo), **_given(slo.alerting)}),
        (SourceLevel.TENANT, _given(defaults)),
        (SourceLevel.PROJECT, _given(project)),
        (SourceLevel.BUILTIN, {"period": DEFAULT_PERIOD, "policy": DEFAULT_POLICY}),
    )
    sourced: dict[str, Sourced] = {}
    for level, values in given:
        for key in _KEYS:
            if key in values:
                sourced.setdefault(key, Sourced(values[key], level))
    if (none := _recorded_only(slo, tenant, project)) is not None:
        sourced["alerting"] = Sourced("none", none)
    words = {"tenant": tenant.metadata.name, "service": slo.service, "slo": slo.name}
    for key in ("runbook", "dashboard"):
        if key in sourced:
            sourced[key] = Sourced(_filled(sourced[key].value, words), sourced[key].level)
    if "tiers" in sourced:
        tiers = _tiers(slo.alerting, defaults, project)
        sourced["tiers"] = Sourced(tiers, sourced["tiers"].level)
    labels = {
        **_at(SourceLevel.PROJECT, project.labels),
        **_at(SourceLevel.TENANT, {**tenant.metadata.labels, **defaults.labels}),
        **_at(SourceLevel.SLO, slo.labels),
    }
    own = {key: found.value for key, found in sourced.items() if key in _OF_ALERTING}
    alerting = Alerting.model_construct(**own)
    metadata = (
        (SourceLevel.PROJECT, _alerts_alone(project)),
        (SourceLevel.TENANT, _alerts_alone(defaults)),
        (SourceLevel.SLO, slo.alerting),
    )
    return Inherited(sourced, dict(sorted(labels.items())), alerting, metadata)


def _alerts_alone(defaults: Defaults) -> Defaults:
    """Leave out the labels of defaults: they are on slo_info, too, and so the SLO's own."""
    if not defaults.labels:
        return defaults
    return defaults.model_copy(update={"labels": {}})


def _tiers(*nearest: Alerting) -> dict[str, TierAlerting]:
    """Take each guard of each tier from the nearest that sets it."""
    found: dict[str, dict[str, Any]] = {}
    for alerting in nearest:
        for name, tier in alerting.tiers.items():
            own = found.setdefault(name, {})
            for key in Guards.model_fields:
                least = getattr(tier, key)
                if least is not None:
                    own.setdefault(key, least)
    return {name: TierAlerting(**own) for name, own in found.items()}


def _recorded_only(slo: SLO, tenant: Tenant, project: Defaults) -> SourceLevel | None:
    """Return the level that sets `alerting: none`; None if the SLO sets how it alerts."""
    if isinstance(slo.alerting, NoAlerting):
        return SourceLevel.SLO
    if "alerting" in slo.model_fields_set:
        return None
    levels = ((SourceLevel.TENANT, tenant.spec.defaults), (SourceLevel.PROJECT, project))
    return next((level for level, defaults in levels if defaults.alerting is not None), None)


def _given(model: SLO | Alerting | Defaults) -> dict[str, Any]:
    return {key: getattr(model, key) for key in model.model_fields_set}


def _at(level: SourceLevel, labels: Mapping[str, str]) -> dict[str, Sourced]:
    return {name: Sourced(value, level) for name, value in labels.items()}


def _filled(text: str, words: Mapping[str, str]) -> str:
    """Put an SLO's names into a link; the model has refused all other placeholders."""
    for name, value in words.items():
        text = text.replace(f"{{{name}}}", value)
    return text
