"""Files of other tools, so that a finding names the tool instead of a missing key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slo_compiler.schema import API_VERSION

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Foreign:
    """A format of another tool."""

    name: str
    recognises: Callable[[Data], bool]
    help: str = (
        f"this compiler reads apiVersion: {API_VERSION}; write the SLOs as a Tenant "
        "(slo-compiler init writes an example)"
    )


def _group(*groups: str) -> Callable[[Data], bool]:
    def recognises(data: Data) -> bool:
        version = data.get("apiVersion")
        return isinstance(version, str) and version.partition("/")[0] in groups

    return recognises


def _keys(*keys: str) -> Callable[[Data], bool]:
    return lambda data: "apiVersion" not in data and {*keys} <= {*data}


def _is_sloth(data: Data) -> bool:
    return _group("sloth.slok.dev")(data) or (
        data.get("version") == "prometheus/v1" and "slos" in data
    )


def _import(name: str) -> str:
    """Name the command that reads a format, and the page about it."""
    return (
        f"slo-compiler import {name} FILE --tenant NAME makes a Tenant of it, or a Tenant names "
        f"it: spec.import (docs/migrate-{name}.md)"
    )


_NOT_SLOS = "move it out of the folder of manifests"
_RULES = f"{_NOT_SLOS}; slo-compiler import rules FILE --tenant NAME reads alerts on burn rates"
FORMATS = (
    Foreign("a Sloth file", _is_sloth, _import("sloth")),
    Foreign("a Pyrra file", _group("pyrra.dev"), _import("pyrra")),
    Foreign("an OpenSLO file", _group("openslo", "openslo.com"), _import("openslo")),
    Foreign(
        "a docker compose file",
        _keys("services"),
        "slo-compiler import compose FILE makes Tenants of its labels (docs/migrate-compose.md)",
    ),
    Foreign("a PrometheusRule of the Prometheus Operator", _group("monitoring.coreos.com"), _RULES),
    Foreign("a Prometheus rules file", _keys("groups"), _RULES),
    Foreign("a Prometheus configuration", _keys("scrape_configs"), _NOT_SLOS),
    Foreign(
        "an Alertmanager configuration",
        _keys("route", "receivers"),
        "name it in the project file: spec.alertmanager.base",
    ),
)


def foreign(data: Data) -> Foreign | None:
    """Return the format of a document of another tool."""
    return next((each for each in FORMATS if each.recognises(data)), None)
