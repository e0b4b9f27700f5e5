"""OpenSLO's files: v1 with all its kinds, and SLOs of v1alpha."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.frontend.translate import From
from slo_compiler.importing.defaults import settle
from slo_compiler.importing.metadata import one_owner, read_labels, read_name
from slo_compiler.importing.model import Contents, Format, Imported, ImportedSLO, Options
from slo_compiler.importing.openslo_alerts import read_policy
from slo_compiler.importing.openslo_objects import NamedObjects, collect, leave_out, text_of
from slo_compiler.importing.openslo_queries import of_v1alpha, percent, read_sli
from slo_compiler.importing.openslo_windows import read_period, read_span
from slo_compiler.importing.part import Section
from slo_compiler.schema.base import shown
from slo_compiler.source import Document

_METHODS = ("Occurrences", "Timeslices", "RatioTimeslices")
_PERIOD = "28d"  # if no SLO can be read
_COMPOSITE = (
    "write an SLO for each of them, and one more: sli: {composite: {slos: [{slo: service/name, "
    "weight: 2}]}}, which weighs their events"
)


def read(documents: Sequence[Document], options: Options, report: Report) -> Contents:
    """Read all documents of a run, whose objects refer to each other by name."""
    objects = collect(documents, report)
    imported = Imported(_PERIOD)
    policies: dict[str, dict[str, Any]] = {}
    for top in objects.of_kind("SLO"):
        for slo in _slos(top, objects, options, imported):
            if slo.policy:
                slo.policy["name"] = _unique(slo.policy, policies)
            imported.slos.append(slo)
    settle(imported)
    _others(objects, report)
    one_owner(imported, report)
    return Contents({options.tenant: imported})


def _unique(policy: dict[str, Any], seen: dict[str, dict[str, Any]]) -> str:
    """Give a policy a name that no other policy has."""
    name, number = policy["name"], 2
    while seen.setdefault(name, policy)["tiers"] != policy["tiers"]:
        name, number = f"{policy['name']}-{number}", number + 1
    return str(name)


def _slos(
    top: Section, objects: NamedObjects, options: Options, imported: Imported
) -> Iterator[ImportedSLO]:
    """Give the SLOs of a document: one for each of its objectives."""
    objectives = top.part("spec").data.get("objectives")
    count = len(objectives) if isinstance(objectives, list) else 0
    for index in range(max(count, 1)):
        own = Report()
        again = Section(top.document, top.loc, top.data, own)
        again.read |= {"apiVersion", "kind"}
        yield _slo(again, index, count, objects, options, imported)


def _slo(
    top: Section,
    index: int,
    count: int,
    objects: NamedObjects,
    options: Options,
    imported: Imported,
) -> ImportedSLO:
    metadata, spec = top.part("metadata"), top.part("spec")
    alpha = top.data.get("apiVersion") == "openslo/v1alpha"
    objectives = [*spec.parts("objectives", top.report)]
    if count == 0:
        spec.refuse(
            "objectives", "the SLO has no objective", "such as objectives: [{target: 0.99}]"
        )
    objective = objectives[index] if count else Section(top.document, spec.loc, {}, top.report)
    name, labels = read_name(metadata, "name"), metadata.part("labels")
    data: dict[str, Any] = {
        "name": _numbered(name, objective, index, count),
        "service": _service(spec, objects),
        "description": text_of(metadata, spec),
        "objective": _target(objective),
        "period": read_period(spec),
        "labels": read_labels(labels, imported.owners),
    }
    leave_out(metadata, "annotations")
    method = spec.text("budgetingMethod")
    if method not in _METHODS:
        text = f"expected how the budget is counted, found {shown(method)}"
        spec.refuse("budgetingMethod", text, f"one of {', '.join(_METHODS)}")
    slice_, data["budgeting"] = _slices(objective, method, alpha=alpha)
    averaged = slice_ if method == "RatioTimeslices" else None
    if alpha:
        data["sli"] = of_v1alpha(spec, objective, objects)
    else:
        indicator = _indicator(spec, objective, objects)
        data["sli"] = read_sli(indicator, objective, objects, averaged) if indicator else None
        if indicator:
            indicator.finish()
    policy = read_policy(spec, objects, options)
    data["alerting"] = {} if policy else "none"
    for part in (objective, metadata, spec, top):
        part.finish()
    data = {key: value for key, value in data.items() if value is not None and value != {}}
    at = objective.document.locate(objective.loc) if count > 1 else metadata.at("name")
    return ImportedSLO(top.document, at, data, top.report, policy)


def _numbered(name: From | None, objective: Section, index: int, count: int) -> From | None:
    """Give each objective of several a name of its own."""
    title = objective.text("displayName")
    if count < 2:  # noqa: PLR2004
        if title:
            text = "the display name of the objective is left out"
            objective.report.info(objective.key("displayName"), "import-left-out", text)
        return name
    if name is None:
        return None
    ending = re.sub(r"[^a-z0-9]+", "-", (title or "").lower()).strip("-") or str(index + 1)
    made = f"{name.data[: 62 - len(ending[:30])]}-{ending[:30].strip('-')}"
    objective.report.info(
        objective.document.locate(objective.loc),
        "import-decided",
        f"an SLO has one objective: this one is called {shown(made)}",
    )
    return From(made, name.loc)


def _service(spec: Section, objects: NamedObjects) -> From | None:
    """Give the service; its object, which need not be there, has nothing else that is used."""
    name = spec.data.get("service")
    if isinstance(name, str):
        objects.read.add(("Service", name))
    return read_name(spec, "service")


def _target(objective: Section) -> From | None:
    given = [key for key in ("target", "targetPercent") if objective.get(key) is not None]
    if len(given) != 1:
        objective.report.error(
            objective.document.locate(objective.loc),
            "import-refused",
            f"expected one of target and targetPercent, found {' and '.join(given) or 'none'}",
            "such as target: 0.999, or targetPercent: 99.9",
        )
        return None
    (key,) = given
    value, loc = objective.get(key), (*objective.loc, key)
    return From(percent(value) if key == "target" else value, loc)


def _slices(
    objective: Section, method: str | None, *, alpha: bool
) -> tuple[Duration | None, dict[str, Any] | None]:
    """Give the length of slices, and a budget of those that are good or bad as a whole."""
    if method not in ("Timeslices", "RatioTimeslices"):
        for key in ("timeSliceTarget", "timeSliceWindow"):
            if objective.get(key) is not None:
                text = f"{key} is left out: the budget is one of {method}"
                objective.report.warning(objective.key(key), "import-left-out", text)
        return None, None
    if alpha:
        objective.get("timeSliceTarget")
        objective.report.error(
            objective.document.locate(objective.loc),
            "import-refused",
            "v1alpha does not say how long a slice is",
            "write the SLO as openslo/v1, with a timeSliceWindow",
        )
        return None, None
    window = objective.get("timeSliceWindow")
    if isinstance(window, int) and not isinstance(window, bool) and 0 < window < 10**6:
        length: Duration | None = Duration.of(minutes=window)
    else:
        length = read_span(objective, "timeSliceWindow")
    target = objective.get("timeSliceTarget")
    if method == "RatioTimeslices":
        if target is not None:
            text = "timeSliceTarget is left out: RatioTimeslices has no good and bad slices"
            objective.report.warning(objective.key("timeSliceTarget"), "import-left-out", text)
        return length, None
    if target is None:
        objective.refuse("timeSliceTarget", 'the key "timeSliceTarget" is missing', "such as 0.95")
    if length is None or target is None:
        return length, None
    objective.report.warning(
        objective.key("timeSliceWindow"),
        "import-approximated",
        "OpenSLO does not say what a slice without events is: it is left out of the budget",
        "write `idle: good` or `idle: bad` if it is one of them",
    )
    value = percent(target)
    share = From(
        value if isinstance(value, str) else f"{value}%", (*objective.loc, "timeSliceTarget")
    )
    slices = {
        "slice": From(str(length), (*objective.loc, "timeSliceWindow")),
        "target": share,
        "idle": "exclude",
    }
    return length, {"timeslices": slices}


def _indicator(spec: Section, objective: Section, objects: NamedObjects) -> Section | None:
    """Give the spec of the SLI of an SLO."""
    for key in ("indicator", "indicatorRef", "compositeWeight"):
        if objective.get(key) is not None:
            text = "a composite of objectives burns the budget of each, which cannot be written"
            objective.refuse(key, text, _COMPOSITE)
            return None
    inline, ref = spec.get("indicator"), spec.get("indicatorRef")
    if (inline is None) == (ref is None):
        text = "an SLO has either an indicator or an indicatorRef"
        spec.report.error(spec.document.locate(spec.loc, key=True), "import-refused", text)
        return None
    there = objects.get(spec, "indicatorRef", "SLI") if ref is not None else spec.part("indicator")
    if there is None:
        return None
    there.read |= {"apiVersion", "kind"}
    metadata, body = there.part("metadata"), there.part("spec")
    metadata.text("name")
    leave_out(metadata, "displayName", "labels", "annotations")
    if body.text("description"):
        text = "the description of the SLI is left out"
        body.report.info(body.key("description"), "import-left-out", text)
    metadata.finish()
    there.finish()
    return body


def _others(objects: NamedObjects, report: Report) -> None:
    """Report objects that no SLO has read, and those of which only the name is taken."""
    for (kind, name), part in objects.found.items():
        at = part.document.locate(("metadata", "name"))
        if kind == "DataSource":
            text = f"the data source {shown(name)} is left out: the rules run where they are loaded"
            report.info(at, "import-left-out", text)
        elif kind == "Service":
            text = f"of the service {shown(name)} only the name is taken, by its SLOs"
            report.info(at, "import-left-out", text)
        elif kind != "SLO" and (kind, name) not in objects.read:
            text = f"the {kind} {shown(name)} is left out: no SLO refers to it"
            report.warning(at, "import-left-out", text, "remove it, or import the SLO with it")


FORMAT = Format("openslo", "OpenSLO v1, and SLOs of v1alpha", read)
