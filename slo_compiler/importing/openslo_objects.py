"""The objects of OpenSLO files by kind and name, and what refers to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from slo_compiler.diagnostics import Report, nearest
from slo_compiler.importing.part import Section
from slo_compiler.schema.base import shown
from slo_compiler.source import Document

KINDS = (
    "SLO",
    "SLI",
    "Service",
    "DataSource",
    "AlertPolicy",
    "AlertCondition",
    "AlertNotificationTarget",
)
VERSIONS = {"openslo/v1": KINDS, "openslo/v1alpha": ("SLO", "Service")}


@dataclass(slots=True)
class NamedObjects:
    """All objects of a run, in the order of the files; and those that nothing has read yet."""

    found: dict[tuple[str, str], Section] = field(default_factory=dict)
    read: set[tuple[str, str]] = field(default_factory=set)

    def of_kind(self, kind: str) -> list[Section]:
        """Give the objects of a kind."""
        return [part for (each, _), part in self.found.items() if each == kind]

    def get(self, part: Section, key: str, kind: str) -> Section | None:
        """Give the object that a key names; an error at the key if there is none.

        Its findings go to the report of what refers to it.
        """
        name = part.text(key)
        if name is None:
            return None
        there = self.found.get((kind, name))
        if there is None:
            names = [name for each, name in self.found if each == kind]
            part.refuse(
                key,
                f"no {kind} is called {shown(name)} in the files given",
                nearest(name, names) if names else "import the file with it together with this",
            )
            return None
        self.read.add((kind, name))
        return Section(there.document, there.loc, there.data, part.report)


def collect(documents: Sequence[Document], report: Report) -> NamedObjects:
    """Take up all objects; what is none, and a second one of a name, is an error."""
    objects = NamedObjects()
    for document in documents:
        top = Section.of(document, (), document.data, report)
        version, kind = top.get("apiVersion"), top.get("kind")
        if not isinstance(version, str) or not version.startswith(("openslo/", "openslo.com/")):
            top.refuse("apiVersion", "this is no OpenSLO file", "expected apiVersion: openslo/v1")
            continue
        if version not in VERSIONS:
            text = f"the version {shown(version)} of OpenSLO cannot be imported"
            top.refuse("apiVersion", text, f"write it as one of {', '.join(VERSIONS)}")
            continue
        kinds = VERSIONS[version]
        if not isinstance(kind, str) or kind not in kinds:
            text = f"{version} has no kind {shown(kind)}"
            top.refuse("kind", text, nearest(str(kind), kinds))
            continue
        name = top.part("metadata").data.get("name")
        if not isinstance(name, str) or not name:
            text = "the object has no name" if name in (None, "") else "expected text as the name"
            report.error(document.locate(("metadata", "name")), "import-refused", text)
            continue
        first = objects.found.setdefault((kind, name), top)
        if first is not top:
            at = first.document.locate(("metadata", "name"))
            text = f"a second {kind} is called {shown(name)}; the first is at {at}"
            report.error(document.locate(("metadata", "name")), "import-refused", text)
    return objects


def text_of(metadata: Section, spec: Section) -> object:
    """Give an object's description; its display name if it has none, else that is a finding."""
    name, description = metadata.text("displayName"), spec.text("description")
    if name and description:
        metadata.report.info(
            metadata.key("displayName"),
            "import-left-out",
            "the display name is left out: the SLO has a description",
        )
    return description or name


def leave_out(metadata: Section, *keys: str) -> None:
    """Report metadata that is for people or for other tools."""
    for key in keys:
        if metadata.get(key):
            text = f"{key} of the object left out: nothing in the manifest is like it"
            metadata.report.info(metadata.key(key), "import-left-out", text)
