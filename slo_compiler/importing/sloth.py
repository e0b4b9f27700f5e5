"""Sloth's `prometheus/v1` files, its Kubernetes resource, and its catalogs of alert windows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from slo_compiler.diagnostics import Position, Report
from slo_compiler.frontend.translate import From
from slo_compiler.importing.model import Format, Imported, ImportedSLO
from slo_compiler.importing.part import Section
from slo_compiler.importing.sloth_queries import instead_of_plugin, read_query, read_ratio
from slo_compiler.importing.sloth_windows import Windows, read_windows
from slo_compiler.schema.annotation import AlertLabels, AlertName, Annotations, labels_read
from slo_compiler.schema.base import SLO_NAME, Labels, shown
from slo_compiler.source import Document

# Labels of Sloth's alerts, and those of ours that say the same.
_LABELS = {"sloth_service": "service", "sloth_slo": "slo", "sloth_severity": "severity"}
_OURS = ("service", "slo", "severity", "tenant", "tier")
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


def read(documents: Sequence[Document], period: str | None, report: Report) -> Imported:
    """Read all documents of a run; a catalog of windows among them holds for all SLOs."""
    windows = read_windows(documents, period, report)
    report.raise_if_failed()  # other windows than those meant would be other thresholds
    imported = Imported(windows.period, windows.all())
    for document in documents:
        data = document.data
        if isinstance(data, dict) and data.get("kind") == "AlertWindows":
            continue
        top = Section.of(document, (), data, report)
        if top.get("apiVersion") == "sloth.slok.dev/v1":
            if top.get("kind") != "PrometheusServiceLevel":
                top.refuse("kind", f"no kind {shown(top.get('kind'))} of Sloth")
                continue
            _of_kubernetes(top)
            _service(top.part("spec"), _RESOURCE, windows, imported)
        elif top.get("version") == "prometheus/v1":
            _service(top, _FILE, windows, imported)
        else:
            top.refuse("version", "this is no Sloth file", "expected version: prometheus/v1")
            continue
        top.finish()
    _one_owner(imported, report)
    return imported


def _one_owner(imported: Imported, report: Report) -> None:
    """Report owners that differ: a tenant has one, and none of them is taken."""
    for owner, at in imported.owners.items() if len(imported.owners) > 1 else ():
        text = f"the label owner {shown(owner)} is left out: a tenant has one owner"
        report.warning(at, "import-left-out", text, "write it as metadata.owner of the manifest")


def _of_kubernetes(top: Section) -> None:
    """Report what the resource carries for Kubernetes; its name and namespace need no word."""
    top.get("status")
    metadata = top.part("metadata")
    for key in ("labels", "annotations"):
        if metadata.get(key):
            text = f"the {key} of the Kubernetes resource are left out"
            top.report.info(metadata.key(key), "import-left-out", text)


def _service(part: Section, keys: Keys, windows: Windows, imported: Imported) -> None:
    report = part.report
    service = _name(part, "service")
    labels = _checked(part.part("labels"), Labels, "label", imported.owners)
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
    data: dict[str, Any] = {"name": _name(slo, "name")}
    for key in ("description", "objective"):
        value = slo.get(key)
        data[key] = None if value is None else From(value, (*slo.loc, key))
    if data["objective"] is None:
        slo.refuse("objective", 'the key "objective" is missing')
    data["labels"] = _checked(slo.part("labels"), Labels, "label", imported.owners)
    data["sli"] = _sli(slo.part("sli"), keys)
    _no_plugins(slo, "plugins")
    alerting = slo.part("alerting")
    data["alerting"] = _metadata(alerting)
    alerting.text("name")
    on = []
    for severity, key in zip(_SEVERITIES, (keys.page, keys.ticket), strict=True):
        alert = alerting.part(key)
        own = _metadata(alert)
        off = alert.flag("disable")
        alert.finish()
        if off:
            _left_out(alert, own, f"the {severity} alert is switched off")
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
        _left_out(alerting, data["alerting"], "both alerts are switched off")
        data["alerting"] = "none"
    return data


def _left_out(part: Section, own: dict[str, Any], why: str) -> None:
    """Report the names, labels and annotations of alerts that there are not."""
    if own:
        keys = " and ".join(key for key in ("name", "labels", "annotations") if key in part.data)
        text = f"{keys or 'its links'} left out: {why}"
        part.report.warning(part.document.locate(part.loc, key=True), "import-left-out", text)


def _metadata(part: Section) -> dict[str, Any]:
    """Give an alert's name, labels and annotations; what has no counterpart is a finding."""
    found: dict[str, Any] = {}
    name = part.text("name") if "name" in part.data else None
    if name is not None:
        wrong = _wrong(AlertName, name)
        if wrong:
            part.report.warning(part.at("name"), "import-left-out", f"left out: {wrong[0]}")
        else:
            found["name"] = From(name, (*part.loc, "name"))
    labels = _checked(part.part("labels"), AlertLabels, "label", None)
    annotations = part.part("annotations")
    links = {"runbook_url": "runbook", "dashboard_url": "dashboard"}
    top = part.loc[-1] == "alerting"
    kept = {k: v for k, v in annotations.data.items() if not (top and k in links)}
    inner = Section(part.document, annotations.loc, kept, part.report)
    texts = _checked(inner, Annotations, "annotation", None)
    for key, link in links.items():
        if top and key in annotations.data:
            found[link] = From(annotations.data[key], (*annotations.loc, key))
    found |= {k: v for k, v in (("labels", labels), ("annotations", texts)) if v}
    return found


def _checked(
    part: Section,
    type_: Any,  # noqa: ANN401
    what: str,
    owners: dict[str, Position] | None,
) -> dict[str, Any]:
    """Give the entries that the native vocabulary takes; each other one is a finding."""
    found: dict[str, Any] = {}
    for key, value in part.data.items():
        if key == "owner" and owners is not None and isinstance(value, str):
            owners.setdefault(value, part.at(key))
            continue
        text_of = what == "annotation" and isinstance(value, str)
        made = _relabelled(value) if text_of else value
        wrong = _wrong(type_, {key: made}) or _unknown_label(made, what)
        if wrong:
            message, help_ = wrong
            text = f"the {what} {shown(key)} is left out: {message}"
            part.report.warning(part.key(key), "import-left-out", text, help_)
        else:
            found[key] = From(made, (*part.loc, key))
    return found


def _relabelled(text: str) -> str:
    return re.sub(r"(\$labels\.)(\w+)", lambda m: m[1] + _LABELS.get(m[2], m[2]), text)


def _unknown_label(value: object, what: str) -> tuple[str, str] | None:
    names = labels_read(value) if what == "annotation" and isinstance(value, str) else []
    unknown = next((name for name in names if name not in _OURS), None)
    if unknown is None:
        return None
    return f'alerts have no label "{unknown}"', f"they have {', '.join(_OURS)}"


def _wrong(type_: Any, value: object) -> tuple[str, str] | None:  # noqa: ANN401
    try:
        TypeAdapter(type_).validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        return first["msg"], str(first.get("ctx", {}).get("help", ""))
    return None


def _name(part: Section, key: str) -> From | None:
    """Give a name as the compiler takes it: a DNS label."""
    text = part.text(key)
    if text is None:
        if part.data.get(key) is None:
            part.refuse(key, f'the key "{key}" is missing')
        return None
    name = text
    if not SLO_NAME.fullmatch(text):
        name = re.sub(r"[^a-zA-Z0-9]+", "-", text)[:63].strip("-")
    if name != text:
        part.report.warning(
            part.at(key),
            "import-approximated",
            f"{shown(text)} is called {shown(name)}: names are letters, digits and inner "
            "hyphens, underscores and dots, at most 63",
        )
    return From(name, (*part.loc, key))


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
        errors, total = (read_query(part, key) for key in (keys.error_query, keys.total_query))
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
    query = read_query(part, key)
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


FORMAT = Format("sloth", "Sloth prometheus/v1, PrometheusServiceLevel and AlertWindows", read)
