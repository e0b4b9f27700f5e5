"""Which tenants and SLOs do the project's sources declare? Read cheaply, for completion.

Nothing is validated, and what cannot be read is left out. Of all files only the tenants' names are
read; of one tenant the whole document, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from slo_compiler import naming, reading
from slo_compiler.diagnostics import Report
from slo_compiler.documents import MAX_DEPTH, read_documents
from slo_compiler.source import Document, SourceFile

# What a shell takes as one word: a manifest is hostile, and what is completed is run.
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_DOCUMENTS = re.compile(rb"^---", re.MULTILINE)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Sources:
    """The manifests of a project, and where its templates are."""

    root: Path
    files: tuple[SourceFile, ...]
    templates: tuple[str, ...]

    @classmethod
    def of(cls, project: Path) -> Sources:
        """Read the sources that a project file names."""
        content = reading.read_bytes(project, Report())
        data = next((d.data for d in read_documents(str(project), content, Report())), None)
        spec = _mapping(data, "spec")
        root = project.parent
        output = [spec.get("output", naming.OUTPUT_FOLDER)]
        own = [*output, *_texts(spec, "policies"), *_texts(spec, "templates")]
        base = _mapping(spec, "alertmanager").get("base")
        skip = [project, *(root / name for name in (*own, base) if isinstance(name, str))]
        sources = _texts(spec, "sources") or [naming.SOURCES_FOLDER]
        paths = [str(root / source) for source in sources]
        found = reading.read_sources(paths, root, Report(), skip=skip)
        return cls(root, tuple(found), tuple(_texts(spec, "templates")))

    def tenants(self) -> list[str]:
        """Return the names of all tenants, sorted."""
        return sorted({name for file in self.files for name in _tenants(file.content)})

    def slos(self, tenant: str) -> list[tuple[str, str]]:
        """Return service and name of each SLO of a tenant, in the order of its manifest."""
        found = [
            pair
            for file in self.files
            if tenant in _tenants(file.content)
            for document in read_documents(file.path, file.content, Report())
            if _mapping(document.data, "metadata").get("name") == tenant
            for pair in self._pairs(document)
        ]
        return [*dict.fromkeys(found)]

    def _pairs(self, document: Document) -> Iterator[tuple[str, str]]:
        slos = _list(_mapping(document.data, "spec"), "slos")
        if any(isinstance(slo, dict) and "template" in slo for slo in slos):
            slos = [*self._expanded(document)]
        for slo in slos:
            pair = _word(slo, "service"), _word(slo, "name")
            if all(pair):
                yield pair

    def _expanded(self, document: Document) -> Iterator[object]:
        """Fill in templates, as a compile does: only here the schema has to be imported."""
        from slo_compiler.frontend.library import read_library
        from slo_compiler.frontend.template import expand

        paths = [str(self.root / path) for path in self.templates]
        files = reading.read_sources(paths, self.root, Report())
        library, _ = read_library(files, Report())
        filled, lost = expand(document, library, Report())
        for index, slo in enumerate(filled.data["spec"]["slos"]):
            if ("spec", "slos", index) not in lost:
                yield slo


def _tenants(content: bytes) -> Iterator[str]:
    """Give the names of the tenants of a file; one that is broken has those before the mistake."""
    for text in _DOCUMENTS.split(content):
        if b"Tenant" in text:
            try:
                name = _tenant(text)
            except yaml.YAMLError:
                continue
            if name is not None and _WORD.fullmatch(name):
                yield name


def _tenant(text: bytes) -> str | None:
    """Return the name of the tenant that a document declares, without reading on from there."""
    kind = name = None
    keys: list[str | None] = []  # of each level, the key whose value is next; None: a key is next
    mappings: list[bool] = []
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            mappings.append(isinstance(event, yaml.MappingStartEvent))
            keys.append(None)
            if len(keys) > MAX_DEPTH:  # no compile reads it, and LibYAML takes its time
                break
            continue
        if isinstance(event, yaml.ScalarEvent) and mappings and mappings[-1] and keys[-1] is None:
            keys[-1] = event.value
            continue
        if isinstance(event, yaml.CollectionEndEvent):
            mappings.pop()
            keys.pop()
        elif isinstance(event, yaml.ScalarEvent):
            kind = event.value if keys == ["kind"] else kind
            name = event.value if keys == ["metadata", "name"] else name
            if kind is not None and name is not None:
                break
        if keys:  # a value has ended
            keys[-1] = None
    return name if kind == "Tenant" else None


def _mapping(data: object, key: str) -> dict[str, object]:
    found = data.get(key) if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}


def _list(data: dict[str, object], key: str) -> list[object]:
    found = data.get(key)
    return found if isinstance(found, list) else []


def _texts(data: dict[str, object], key: str) -> Sequence[str]:
    return [text for text in _list(data, key) if isinstance(text, str)]


def _word(data: object, key: str) -> str:
    found = data.get(key) if isinstance(data, dict) else None
    return found if isinstance(found, str) and _WORD.fullmatch(found) else ""
