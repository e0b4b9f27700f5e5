"""Pyrra's Kubernetes resource, ServiceLevelObjective."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from slo_compiler.diagnostics import Report, nearest
from slo_compiler.duration import Duration
from slo_compiler.frontend.translate import From
from slo_compiler.importing.defaults import compat_of, settle, severity_names
from slo_compiler.importing.metadata import (
    Texts,
    for_kubernetes,
    left_out,
    one_owner,
    read_alert_name,
    read_annotations,
    read_labels,
    read_links,
    read_name,
    wrong,
)
from slo_compiler.importing.model import Contents, Format, Imported, ImportedSLO, Options
from slo_compiler.importing.part import Section
from slo_compiler.importing.pyrra_queries import read_sli
from slo_compiler.importing.pyrra_windows import BURNS, policy_of
from slo_compiler.schema.base import shown
from slo_compiler.schema.quantities import Period
from slo_compiler.source import Document

_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_GROUP, _KIND = "pyrra.dev", "ServiceLevelObjective"
_PREFIX = "pyrra.dev/"  # of labels and annotations that alerts get, without it
_ALERT = "ErrorBudgetBurn"
_USUAL = Duration.of(days=28)
# What Kubernetes itself writes into a resource.
_SERVER = (
    "uid",
    "generation",
    "resourceVersion",
    "creationTimestamp",
    "managedFields",
    "selfLink",
    "ownerReferences",
    "finalizers",
)
_HEAVY = (
    ("performanceOverAccuracy", "all windows are summed of recorded samples as it is"),
    ("ruleOutput", "the rules of a tenant are in one file"),
)


def read(documents: Sequence[Document], options: Options, report: Report) -> Contents:
    """Read all documents of a run."""
    defaults = compat_of("pyrra", options)
    imported = Imported(str(_USUAL), alert_name=_ALERT, defaults=defaults)
    for document in documents:
        for resource in _resources(Section.of(document, (), document.data, report)):
            own = Report()
            resource.report = own
            slo = _slo(resource, options, imported)
            resource.finish()
            slo.report = own
            imported.slos.append(slo)
    _say_services(imported, report)
    settle(imported)
    one_owner(imported, report)
    return Contents({options.tenant: imported})


def _say_services(imported: Imported, report: Report) -> None:
    """Report once how services are named."""
    for slo in imported.slos:
        service = slo.data.get("service")
        if service is None or service.loc[-2:-1] == ("labels",):
            continue
        named = service.loc[-1:] == ("namespace",)
        after = "its namespace" if named else "the tenant"
        report.info(
            slo.document.locate(service.loc, key=True) if named else slo.at,
            "import-decided",
            f"Pyrra knows no services: without a label {_PREFIX}service, the service is called "
            f"after {after}, {shown(service.data)}",
            "correct `service` where it should have another name",
        )
        return


def _resources(top: Section) -> Iterator[Section]:
    """Give the resources of a document: itself, or the items of a list."""
    version, kind = top.get("apiVersion"), top.get("kind")
    group = version.partition("/")[0] if isinstance(version, str) else ""
    if kind in ("List", f"{_KIND}List") and group in ("v1", _GROUP):
        top.get("metadata")
        for item in top.parts("items", top.report):
            yield from _resources(item)
        top.finish()
    elif group != _GROUP:
        top.refuse("apiVersion", "this is no Pyrra file", "expected apiVersion: pyrra.dev/v1alpha1")
    elif version != f"{_GROUP}/v1alpha1" or kind != _KIND:
        wrong_key = "kind" if version == f"{_GROUP}/v1alpha1" else "apiVersion"
        what = shown(top.get(wrong_key))
        top.refuse(wrong_key, f"no {wrong_key} {what} of Pyrra", f"expected {_KIND} of v1alpha1")
    else:
        yield top


def _slo(top: Section, options: Options, imported: Imported) -> ImportedSLO:
    metadata, spec = top.part("metadata"), top.part("spec")
    top.get("status")
    labels, annotations = metadata.part("labels"), metadata.part("annotations")
    service = _service(metadata, labels, options)
    sli, by = read_sli(spec.part("indicator"))
    data: dict[str, Any] = {"name": read_name(metadata, "name"), "service": service}
    for key, name in (
        ("description", "description"),
        ("target", "objective"),
        ("window", "period"),
    ):
        value = spec.get(key)
        data[name] = None if value in (None, "") else From(value, (*spec.loc, key))
    if isinstance(target := spec.get("target"), str) and _NUMBER.fullmatch(target):
        data["objective"] = From(Decimal(target), (*spec.loc, "target"))
    for key, example in (("target", '"99.9"'), ("window", "4w")):
        if spec.get(key) in (None, ""):
            spec.refuse(key, f'the key "{key}" is missing', f"such as {key}: {example}")
    data["labels"] = read_labels(labels, imported.owners, prefix=_PREFIX)
    data["sli"] = sli
    alerting = spec.part("alerting")
    data["alerting"] = _alerting(alerting)
    if isinstance(data["alerting"], dict):
        data["alerting"] |= _texts(annotations, by)
    elif any(key.startswith(_PREFIX) for key in annotations.data):
        left_out(annotations, "annotations", "the alerts are switched off")
    policy = _policy(spec, alerting, options)
    alerting.finish()
    _for_kubernetes(metadata, labels, annotations)
    _of_rules(spec)
    spec.finish()
    data = {key: value for key, value in data.items() if value is not None and value != {}}
    at = top.document.locate((*metadata.loc, "name"))
    return ImportedSLO(top.document, at, data, top.report, policy)


def _service(metadata: Section, labels: Section, options: Options) -> From | None:
    """Name the service, which Pyrra does not know: by a label, the namespace, or the tenant."""
    key = f"{_PREFIX}service"
    if key in labels.data:
        metadata.get("namespace")
        return read_name(labels, key)
    namespace = metadata.text("namespace")
    return read_name(metadata, "namespace") if namespace else From(options.tenant, metadata.loc)


def _alerting(alerting: Section) -> dict[str, Any] | str:
    on = alerting.get("burnrates") is None or alerting.flag("burnrates")
    on = on and not alerting.flag("disabled")
    absent = alerting.get("absent") is None or alerting.flag("absent")
    name = alerting.data.get("name") and read_alert_name(alerting)
    alerting.get("name")
    if alerting.text("absentName"):
        alerting.report.warning(
            alerting.at("absentName"),
            "import-left-out",
            "the name of the alert on missing data is left out: it is called SLONoData",
        )
    if not on:
        if name:
            left_out(alerting, "name", "the alerts are switched off")
        if absent:
            alerting.report.warning(
                alerting.document.locate(alerting.loc, key=True),
                "import-approximated",
                "SLOMetricAbsent is switched off, too: an SLO with alerting: none has no alert "
                "at all",
                "remove `alerting: none` if missing data should be noticed",
            )
        return "none"
    if not absent:
        alerting.report.info(
            alerting.key("absent"),
            "import-left-out",
            "SLONoData fires when the metrics are missing: an SLO with alerts has that one, too",
        )
    return {"name": name} if name else {}


def _texts(annotations: Section, by: dict[str, str]) -> dict[str, Any]:
    """Give the annotations and links that alerts get."""
    renamed = {old: new for old, new in by.items() if new != old}
    renamed |= {"short": "short_window", "long": "long_window"}
    links = read_links(annotations, _PREFIX)
    texts = read_annotations(annotations, Texts(renamed, [*by.values()]), _PREFIX)
    return links | ({"annotations": texts} if texts else {})


def _policy(spec: Section, alerting: Section, options: Options) -> dict[str, Any] | None:
    severities, own = _severities(alerting.part("severities"), options)
    window = spec.data.get("window")
    if window is None:
        return None
    if error := wrong(Period, window):
        spec.refuse("window", error[0], error[1])
        return None
    if not isinstance(window, str):
        spec.refuse("window", f"expected text, found {shown(window)}", "such as window: 4w")
        return None
    settings, loc = options.settings, (*spec.loc, "window")
    span = Duration.parse(window)
    policy = policy_of(span, severities, settings, spec.document, loc, spec.report)
    if own:  # other SLOs with this window have other severities
        policy["name"] = "-".join([policy["name"], *severities.values()])
    return policy


def _severities(part: Section, options: Options) -> tuple[dict[str, str], bool]:
    """Give the severity of each alert as the project names it, and whether the SLO names one."""
    names = severity_names(options)
    usual = {burn.key: names[burn.severity] for burn in BURNS}
    found = dict(usual)
    for key in usual:
        value = part.text(key)
        if value and value in names:
            found[key] = names[value]
        elif value:
            help_ = nearest(value, names)
            part.refuse(key, f"the project has no severity {shown(value)}", help_)
    if part.text("absent"):
        part.report.warning(
            part.at("absent"),
            "import-left-out",
            "the severity of the alert on missing data is left out: SLONoData has the most "
            "urgent one of the tenant",
        )
    part.finish()
    return found, found != usual


def _for_kubernetes(metadata: Section, labels: Section, annotations: Section) -> None:
    """Report what is for Kubernetes alone, and the keys that nothing has."""
    for part, key in ((labels, "labels"), (annotations, "annotations")):
        if any(not name.startswith(_PREFIX) for name in part.data):
            for_kubernetes(metadata, key)
    metadata.read |= {"name", "namespace", *_SERVER}
    metadata.finish()


def _of_rules(spec: Section) -> None:
    """Report what decides how Pyrra writes rules, and not when it alerts."""
    for key, why in _HEAVY:
        if spec.get(key) not in (None, False, {}):
            spec.report.info(spec.key(key), "import-left-out", f"{key} is left out: {why}")
    if spec.get("partial_response_strategy") not in (None, "", "abort"):
        spec.report.warning(
            spec.at("partial_response_strategy"),
            "import-left-out",
            "left out: the target thanos has partial_response_strategy: abort",
        )


FORMAT = Format("pyrra", "Pyrra ServiceLevelObjective", read)
