"""Parts of Grafana's dashboards as plain data: panels in a grid, variables, annotations.

The shapes follow Grafana's dashboard schema, version 41 (Grafana 11 and 12 read it).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slo_compiler import naming

SCHEMA_VERSION = 41
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_MADE_BY = naming.MARK_JSON.rpartition('"')[2]  # by which the file is known as ours
WIDTH = 24  # columns of the grid

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """One query of a panel, and how its series are named."""

    expr: str
    legend: str = ""
    instant: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel: its kind, its queries, and the options that differ from Grafana's own."""

    kind: str
    title: str
    targets: Sequence[Target]
    description: str = ""
    width: int = 12
    height: int = 8
    unit: str = "short"
    defaults: Json = field(default_factory=dict)
    options: Json = field(default_factory=dict)
    overrides: Sequence[Json] = ()
    transformations: Sequence[Json] = ()


def dashboard(
    uid: str,
    title: str,
    origin: str,
    panels: Sequence[Panel],
    variables: Sequence[Json],
    annotations: Sequence[Json] = (),
    *,
    since: str = "now-6h",
) -> str:
    """Write a dashboard as JSON, the same bytes for the same parts."""
    data = {
        "description": f"{_MADE_BY} {origin}. Changes here are lost: edit the manifest.",
        "uid": uid,
        "title": title,
        "tags": ["slo"],
        "editable": False,
        "graphTooltip": 1,
        "schemaVersion": SCHEMA_VERSION,
        "timezone": "browser",
        "refresh": "1m",
        "time": {"from": since, "to": "now"},
        "annotations": {"list": list(annotations)},
        "templating": {"list": list(variables)},
        "links": [_others()],
        "panels": [*_placed(panels)],
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def datasource_variable(name: str | None) -> Json:
    """Let people choose the Prometheus; the project may name the one that is shown first."""
    current = {"current": {"text": name, "value": name}} if name else {}
    return {
        "name": "datasource",
        "type": "datasource",
        "label": "Data source",
        "query": "prometheus",
        **current,
    }


def values_variable(name: str, label: str, series: str, *, every: bool = False) -> Json:
    """Let people choose one value of a label, or with `every` any number of them."""
    choice = {"includeAll": True, "multi": True, "allValue": ".*"} if every else {}
    if every:
        choice["current"] = {"text": ["All"], "value": ["$__all"]}
    return {
        "name": name,
        "type": "query",
        "label": label,
        "datasource": SOURCE,
        "query": {"query": f"label_values({series}, {label})", "refId": name},
        "refresh": 2,
        "sort": 1,
        **choice,
    }


def annotation(name: str, expr: str, title: str, colour: str) -> Json:
    """Mark the times at which a query has a value."""
    return {
        "name": name,
        "datasource": SOURCE,
        "enable": True,
        "iconColor": colour,
        "expr": expr,
        "titleFormat": title,
        "step": "60s",
    }


def steps(*colours: tuple[float | None, str]) -> Json:
    """Colour values from each bound on; the first has none."""
    return {
        "mode": "absolute",
        "steps": [{"value": bound, "color": colour} for bound, colour in colours],
    }


def renamed(names: Mapping[str, str], hidden: Sequence[str] = ()) -> Json:
    """Rename the columns of a table, in this order, and hide others."""
    return {
        "id": "organize",
        "options": {
            "renameByName": dict(names),
            "indexByName": {name: index for index, name in enumerate(names)},
            "excludeByName": dict.fromkeys(hidden, True),
        },
    }


def _others() -> Json:
    """A menu of all dashboards of SLOs."""
    return {
        "title": "SLOs",
        "type": "dashboards",
        "tags": ["slo"],
        "asDropdown": True,
        "includeVars": False,
        "keepTime": True,
        "icon": "external link",
        "targetBlank": False,
        "tooltip": "",
        "url": "",
    }


def _placed(panels: Sequence[Panel]) -> Sequence[Json]:
    """Fill the grid from the left, and begin a row where the next panel does not fit."""
    found, x, y, height = [], 0, 0, 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > WIDTH:
            x, y, height = 0, y + height, 0
        place = {"x": x, "y": y, "w": panel.width, "h": panel.height}
        found.append(_panel(number, panel, place))
        x, height = x + panel.width, max(height, panel.height)
    return found


def _panel(number: int, panel: Panel, place: Mapping[str, int]) -> Json:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        **({"description": panel.description} if panel.description else {}),
        "datasource": SOURCE,
        "gridPos": dict(place),
        "targets": [_target(index, target) for index, target in enumerate(panel.targets)],
        "fieldConfig": {
            "defaults": {"unit": panel.unit, **panel.defaults},
            "overrides": list(panel.overrides),
        },
        "options": dict(panel.options),
        **({"transformations": list(panel.transformations)} if panel.transformations else {}),
    }


def _target(index: int, target: Target) -> Json:
    return {
        "refId": f"Q{index}",
        "datasource": SOURCE,
        "expr": target.expr,
        "legendFormat": target.legend or "__auto",
        "instant": target.instant,
        "range": not target.instant,
        **({"format": "table"} if target.instant else {}),
    }
