"""Sloth's `prometheus/v1` files, its Kubernetes resource, and its catalogs of alert windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slo_compiler.diagnostics import Report
from slo_compiler.frontend.translate import From
from slo_compiler.importing.defaults import compat_of
from slo_compiler.importing.metadata import (
    Texts,
    for_kubernetes,
    left_out,
    one_owner,
    read_alert,
    read_alert_name,
    read_labels,
    read_name,
)
from slo_compiler.importing.model import Contents, Format, Imported, ImportedSLO, Options
from slo_compiler.importing.part import Section
from slo_compiler.importing.queries import TEMPLATED, read_query
from slo_compiler.importing.sloth_queries import instead_of_plugin, read_ratio
from slo_compiler.importing.sloth_windows import Windows, read_windows
from slo_compiler.schema.base import shown
from slo_compiler.source import Document

# Labels of Sloth's alerts, and those of ours that mean the same.
_TEXTS = Texts({"sloth_service": "service", "sloth_slo": "slo", "sloth_severity": "severity"})
_SEVERITIES = ("page", "ticket")


@dataclass(frozen=True, slots=True)
class Keys:
    """How a spelling of the format calls what both have."""

    error_query: str = "error_query"
    total_query: str = "total_query"
    error_ratio_query: str = "error_ratio_query"
    page: str = "page_alert"
    ticket: str = "ticket_alert"
    plugins: str = "slo_plugins"


_FILE = Keys()
_RESOURCE = Keys(
    "errorQuery", "totalQuery", "errorRatioQuery", "pageAlert", "ticketAlert", "sloPlugins"
)


def read(documents: Sequence[Document], options: Options, report: Report) -> Contents:
    """Read all documents of a run; a catalog of windows among them is for all SLOs."""
    windows = read_windows(documents, options.period, report)
    report.raise_if_failed()  # other windows than those meant would be other thresholds
    imported = Imported(windows.period, windows.all(), defaults=compat_of("sloth", options))
    for document in documents:
        data = document.data
        if isinstance(data, dict) and data.get("kind") == "AlertWindows":
            continue
        top = Section.of(document, (), data, report)
        if top.get("apiVersion") == "sloth.slok.dev/v1":
            if top.get("kind") != "PrometheusServiceLevel":
                top.refuse("kind", f"no kind {shown(top.get('kind'))} of Sloth")
                continue
            top.get("status")
            for_kubernetes(top.part("metadata"), "labels", "annotations")
            _service(top.part("spec"), _RESOURCE, windows, imported)
        elif top.get("version") == "prometheus/v1":
            _service(top, _FILE, windows, imported)
        else:
            top.refuse("version", "this is no Sloth file", "expected version: prometheus/v1")
            continue
        top.finish()
    one_owner(imported, report)
    return Contents({options.tenant: imported})


def _service(part: Section, keys: Keys, windows: Windows, imported: Imported) -> None:
    report = part.report
    service = read_name(part, "service")
    labels = read_labels(part.part("labels"), imported.owners)
    _no_plugins(part, keys.plugins)
    for slo in part.parts("slos", report):
        own = Report()
        slo.report = own
        data = _slo(slo, keys, windows, imported)
        alerting, policy = data.pop("alerting"), data.pop("policy")
        data["labels"] = {**labels, **data["labels"]}
        data = {"name": data.pop("name"), "service": service, **data, "alerting": alerting}
        data = {key: value for key, value in data.items() if value not in (None, {})}
        at = slo.document.locate((*slo.loc, "name"))
        imported.slos.append(ImportedSLO(slo.document, at, data, own, policy))
    if part.loc:  # else its caller has more keys of it
        part.finish()


def _slo(slo: Section, keys: Keys, windows: Windows, imported: Imported) -> dict[str, Any]:
    data: dict[str, Any] = {"name": read_name(slo, "name")}
    for key in ("description", "objective"):
        value = slo.get(key)
        data[key] = None if value is None else From(value, (*slo.loc, key))
    if data["objective"] is None:
        slo.refuse("objective", 'the key "objective" is missing')
    data["labels"] = read_labels(slo.part("labels"), imported.owners)
    data["sli"] = _sli(slo.part("sli"), keys)
    _no_plugins(slo, "plugins")
    alerting = slo.part("alerting")
    data["alerting"] = _metadata(alerting, top=True)
    alerting.text("name")
    on = []
    for severity, key in zip(_SEVERITIES, (keys.page, keys.ticket), strict=True):
        alert = alerting.part(key)
        own = _metadata(alert)
        off = alert.flag("disable")
        alert.finish()
        if off:
            _off(alert, own, f"the {severity} alert is switched off")
            continue
        on.append(severity)
        if own:
            data["alerting"].setdefault("severities", {})[severity] = own
    alerting.finish()
    slo.finish()
    data["policy"] = None
    if len(on) == 1:
        data["policy"] = windows.only(on[0])
        data["alerting"]["policy"] = data["policy"]["name"]
    elif not on:
        _off(alerting, data["alerting"], "both alerts are switched off")
        data["alerting"] = "none"
    return data


def _off(part: Section, own: dict[str, Any], why: str) -> None:
    """Report the names, labels and annotations of alerts that there are not."""
    if own:
        keys = " and ".join(key for key in ("name", "labels", "annotations") if key in part.data)
        left_out(part, keys or "its links", why)


def _metadata(part: Section, *, top: bool = False) -> dict[str, Any]:
    """Give an alert's name, labels and annotations; what has no counterpart is a finding."""
    name = read_alert_name(part) if "name" in part.data else None
    found = {"name": name} if name else {}
    return found | read_alert(part, _TEXTS, links=top)


def _sli(sli: Section, keys: Keys) -> dict[str, Any] | None:
    plugin = sli.get("plugin")
    if plugin is not None:
        id_ = plugin.get("id") if isinstance(plugin, dict) else None
        sli.refuse(
            "plugin",
            f"the SLI plugin {shown(id_)} is code that only Sloth runs",
            instead_of_plugin(id_),
        )
    events, raw = sli.get("events"), sli.get("raw")
    if plugin is None and (events is None) == (raw is None):
        sli.report.error(
            sli.document.locate(sli.loc), "import-refused", "an SLI has either events or raw"
        )
    found: dict[str, Any] | None = None
    if isinstance(events, dict) or events is not None:
        part = sli.part("events")
        errors, total = (
            read_query(part, key, TEMPLATED) for key in (keys.error_query, keys.total_query)
        )
        found = {"ratio": {"errors": errors, "total": total}}
        part.finish()
    elif raw is not None:
        part = sli.part("raw")
        found = _raw(part, keys.error_ratio_query)
        part.finish()
    sli.finish()
    return found


def _raw(part: Section, key: str) -> dict[str, Any]:
    """Count the events of a ratio of two sums; any other ratio is weighted by time."""
    if sides := read_ratio(part, key):
        part.read.add(key)
        text = "a ratio of two sums is written as errors and events, which means the same"
        part.report.info(part.at(key), "import-decided", text)
        return {"ratio": dict(zip(("errors", "total"), sides, strict=True))}
    query = read_query(part, key, TEMPLATED)
    if query is not None:
        part.report.warning(
            part.at(key),
            "import-approximated",
            "a raw ratio is averaged over time, each second with the same weight; Sloth evaluates "
            "it over each window. Its thresholds stay",
            "if it divides errors by events, write it as sum(...) / sum(...), or as events",
        )
    return {"raw": {"error_ratio": query}}


def _no_plugins(part: Section, key: str) -> None:
    if part.get(key) is not None:
        part.refuse(
            key,
            "SLO plugins change the rules that Sloth writes, and only Sloth runs them",
            "remove them; SLIs, names, labels and windows have keys of their own",
        )


FORMAT = Format(
    "sloth",
    "Sloth prometheus/v1, PrometheusServiceLevel and AlertWindows",
    read,
    takes_period=True,
)
