"""An SLO with all that it inherits, as YAML that is valid input again."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import yaml

from slo_compiler.documents import reads_as_text
from slo_compiler.duration import Duration
from slo_compiler.period import Period
from slo_compiler.resolve.metadata import UserMetadata, metadata_of
from slo_compiler.resolve.model import ResolvedSLO
from slo_compiler.schema import Alerting, AlertMetadata, Compat, Guards, NoCompat, TierAlerting


class _Dumper(yaml.SafeDumper):
    """YAML as our own reader takes it: exact numbers, and quotes where text looks like one."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        """Write what several SLOs share out in each, so that each can be copied by itself."""
        return True


def _number(dumper: _Dumper, value: Decimal) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:float", format(value, "f"))


def _span(dumper: _Dumper, value: Duration) -> yaml.Node:
    return _text(dumper, str(value))


def _period(dumper: _Dumper, value: Period) -> yaml.Node:
    if not value.calendar:
        return _text(dumper, str(value))
    parts = {"calendar": value.calendar, "utc_offset": value.offset}
    return dumper.represent_mapping("tag:yaml.org,2002:map", parts, flow_style=True)


def _mapping(dumper: _Dumper, value: Guards | AlertMetadata | Compat) -> yaml.Node:
    parts = {key: part for key, part in value.model_dump(exclude_none=True).items() if part != {}}
    return dumper.represent_mapping("tag:yaml.org,2002:map", parts, flow_style=True)


def _text(dumper: _Dumper, value: str) -> yaml.Node:
    style = "|" if "\n" in value else None if reads_as_text(value) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style)


_Dumper.add_representer(Decimal, _number)
_Dumper.add_representer(Duration, _span)
_Dumper.add_representer(Period, _period)
_Dumper.add_representer(Compat, _mapping)
_Dumper.add_representer(NoCompat, lambda dumper, _: _text(dumper, "none"))
_Dumper.add_multi_representer(Guards, _mapping)
_Dumper.add_multi_representer(AlertMetadata, _mapping)
_Dumper.add_representer(str, _text)


def as_yaml(slos: Iterable[ResolvedSLO]) -> str:
    """Write SLOs as entries of a tenant's spec.slos."""
    text: str = yaml.dump(
        [*map(resolved, slos)],
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=1_000_000,  # a query stays on its line
    )
    return text


def resolved(slo: ResolvedSLO) -> dict[str, Any]:
    """Give an SLO's data with what it inherits filled in, and its template's traces gone."""
    data: Any = slo.document.data
    for step in slo.loc:
        data = data[step]
    sourced = slo.inherited.sourced
    filled = {key: value for key, value in data.items() if key not in ("template", "with")}
    filled |= {key: sourced[key].value for key in sourced if key not in Alerting.model_fields}
    filled["labels"] = dict(slo.labels)
    alerting = {key: sourced[key].value for key in sourced if key in Alerting.model_fields}
    filled["alerting"] = "none" if slo.recorded_only else alerting | _metadata(slo)
    first = ("name", "service", "description", "objective", "period", "labels")
    order = [*(k for k in first if k in filled), *(k for k in filled if k not in first)]
    return {key: filled[key] for key in order if filled[key] not in ({}, "")}


def _metadata(slo: ResolvedSLO) -> dict[str, Any]:
    """Return the alerting of all levels as if the SLO had it all: it has the same effect."""
    levels = [level for _, level in slo.inherited.metadata]
    severities = {name for level in levels for name in level.severities}
    of_tier = {tier.name: tier.severity for tier in slo.policy.spec.tiers}
    tiers: dict[str, Any] = {}
    for name, severity in of_tier.items():
        guards = slo.alerting.tiers.get(name)
        own = guards.model_dump(exclude_none=True) if guards else {}
        if any(name in level.tiers for level in levels):
            own |= _written(metadata_of(slo, severity, name))
        if own:
            tiers[name] = TierAlerting(**own)
    found = {
        **_written(metadata_of(slo, "")),
        "severities": {
            name: AlertMetadata(**_written(metadata_of(slo, name))) for name in sorted(severities)
        },
        "tiers": tiers,
    }
    return {key: value for key, value in found.items() if value}


def _written(metadata: UserMetadata) -> dict[str, Any]:
    found = {
        "name": metadata.name,
        "labels": dict(metadata.labels),
        "annotations": dict(metadata.annotations),
    }
    return {key: value for key, value in found.items() if value}
