"""Names, labels and annotations of other tools, as far as the native vocabulary takes them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from slo_compiler.diagnostics import Position, Report
from slo_compiler.frontend.translate import From
from slo_compiler.importing.model import Imported
from slo_compiler.importing.part import Section
from slo_compiler.schema.annotation import AlertLabels, AlertName, Annotations, labels_read
from slo_compiler.schema.base import shown
from slo_compiler.schema.texts import SLO_NAME, Labels

# Labels that all alerts have.
OURS = ("service", "slo", "severity", "tenant", "tier")
_LINKS = {"runbook_url": "runbook", "dashboard_url": "dashboard"}


@dataclass(frozen=True, slots=True)
class Texts:
    """How a tool's annotations name the labels of alerts."""

    renamed: Mapping[str, str] = field(default_factory=dict)  # the tool's name, and ours
    by: Collection[str] = ()  # labels that the alerts of an SLO have beside OURS

    def translated(self, text: str) -> str:
        """Write our names of labels into a text."""
        return re.sub(r"(\$labels\.)(\w+)", lambda m: m[1] + self.renamed.get(m[2], m[2]), text)

    def unknown(self, text: str) -> tuple[str, str] | None:
        """Return which label of a text alerts do not have, and which they have."""
        known = (*OURS, *self.by)
        missing = next((name for name in labels_read(text) if name not in known), None)
        if missing is None:
            return None
        return f'alerts have no label "{missing}"', f"they have {', '.join(known)}"


def read_labels(
    part: Section,
    owners: dict[str, Position] | None,
    type_: Any = Labels,  # noqa: ANN401
    prefix: str = "",
) -> dict[str, Any]:
    """Give the labels that alerts may have; each other one is a finding.

    One called `owner` goes to the `owners`. With a prefix, only keys that have it are read.
    """
    found: dict[str, Any] = {}
    for key, value in part.data.items():
        name = key.removeprefix(prefix)
        if not key.startswith(prefix) or key in part.read:
            continue
        part.read.add(key)
        if name == "owner" and owners is not None and isinstance(value, str):
            owners.setdefault(value, part.at(key))
        elif error := wrong(type_, {name: value}):
            _refuse(part, key, "label", error)
        else:
            found[name] = From(value, (*part.loc, key))
    return found


def read_annotations(part: Section, texts: Texts, prefix: str = "") -> dict[str, Any]:
    """Give the annotations that alerts may have; each other one is a finding."""
    found: dict[str, Any] = {}
    for key, value in part.data.items():
        name = key.removeprefix(prefix)
        if not key.startswith(prefix) or key in part.read:
            continue
        part.read.add(key)
        made = texts.translated(value) if isinstance(value, str) else value
        error = wrong(Annotations, {name: made})
        if error is None and isinstance(made, str):
            error = texts.unknown(made)
        if error:
            _refuse(part, key, "annotation", error)
        else:
            found[name] = From(made, (*part.loc, key))
    return found


def read_links(part: Section, prefix: str = "") -> dict[str, Any]:
    """Give the links among annotations, which have keys of their own."""
    found = {}
    for name, link in _LINKS.items():
        key = prefix + name
        if key in part.data:
            found[link] = From(part.get(key), (*part.loc, key))
    return found


def read_alert_name(part: Section, key: str = "name") -> From | None:
    """Give the name of alerts; None if there is none, and a finding if it cannot be one."""
    name = part.text(key)
    if name is None:
        return None
    if error := wrong(AlertName, name):
        part.report.warning(part.at(key), "import-left-out", f"left out: {error[0]}")
        return None
    return From(name, (*part.loc, key))


def read_alert(part: Section, texts: Texts, *, links: bool) -> dict[str, Any]:
    """Give the labels and annotations of alerts, and the links among them."""
    annotations = part.part("annotations")
    found = read_links(annotations) if links else {}
    taken = {
        "labels": read_labels(part.part("labels"), None, AlertLabels),
        "annotations": read_annotations(annotations, texts),
    }
    return found | {key: value for key, value in taken.items() if value}


def read_name(part: Section, key: str) -> From | None:
    """Give a name of an SLO or a service as the compiler takes it."""
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


def left_out(part: Section, keys: str, why: str) -> None:
    """Report what is written of something that there is not."""
    text = f"{keys} left out: {why}"
    part.report.warning(part.document.locate(part.loc, key=True), "import-left-out", text)


def for_kubernetes(metadata: Section, *keys: str) -> None:
    """Report labels and annotations that a resource carries for Kubernetes alone."""
    for key in keys:
        if metadata.get(key):
            text = f"the {key} of the Kubernetes resource are left out"
            metadata.report.info(metadata.key(key), "import-left-out", text)


def one_owner(imported: Imported, report: Report) -> None:
    """Report owners that differ: a tenant has one, and none of them is taken."""
    for owner, at in imported.owners.items() if len(imported.owners) > 1 else ():
        text = f"the label owner {shown(owner)} is left out: a tenant has one owner"
        report.warning(at, "import-left-out", text, "write it as metadata.owner of the manifest")


def wrong(type_: Any, value: object) -> tuple[str, str] | None:  # noqa: ANN401
    """Return why the native vocabulary refuses a value, and what to write; None if it does not."""
    try:
        TypeAdapter(type_).validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        return first["msg"], str(first.get("ctx", {}).get("help", ""))
    return None


def _refuse(part: Section, key: str, what: str, error: tuple[str, str]) -> None:
    message, help_ = error
    text = f"the {what} {shown(key)} is left out: {message}"
    part.report.warning(part.key(key), "import-left-out", text, help_)
