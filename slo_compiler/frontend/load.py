"""Files to validated documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from slo_compiler.diagnostics import Report
from slo_compiler.documents import read_documents
from slo_compiler.frontend.kinds import SortedDocument, sort_document
from slo_compiler.frontend.lost import consequences
from slo_compiler.frontend.repair import repair
from slo_compiler.frontend.template import Library, expand
from slo_compiler.frontend.validate import validate
from slo_compiler.schema import Project, Tenant
from slo_compiler.schema.base import Strict
from slo_compiler.source import Document, Loc, SourceFile

_REPAIRED = (Tenant, Project)  # what has more to check than itself


@dataclass(frozen=True, slots=True)
class Manifest:
    """A validated document, and the places of its values."""

    model: Strict
    document: Document
    source: SourceFile
    lost: frozenset[Loc] = frozenset()  # what had findings, and is not in the model

    @property
    def uncertain(self) -> frozenset[str]:
        """IDs of findings that may only follow from what is lost."""
        return consequences(self.lost)

    def lacks(self, *path: str | int) -> bool:
        """Whether something on the way to a value is lost, or something in it."""
        return any(loc[: len(path)] == path[: len(loc)] for loc in self.lost)


def load(
    files: Iterable[SourceFile],
    kinds: Sequence[type[Strict]],
    report: Report,
    library: Library | None = None,
) -> list[Manifest]:
    """Read and validate all documents.

    A Tenant or Project with findings is given without what they are about, as far as that goes; of
    other kinds, documents with findings are left out.
    """
    return [
        manifest
        for file in files
        for read in read_documents(file.path, file.content, report)
        for found in sort_document(read, kinds, report)
        if (manifest := _manifest(found, file, library or Library(), report))
    ]


def _manifest(
    found: SortedDocument, file: SourceFile, library: Library, report: Report
) -> Manifest | None:
    document, lost = found.document, frozenset[Loc]()
    if found.kind is Tenant:
        if library.imports is not None:
            document, lost = library.imports(document, file, report)
        document, of_templates = expand(document, library, report)
        lost |= of_templates
    if not found.whole:
        lost |= {("spec",)}
    model = validate(found.kind, document, report)
    if model is not None:
        return Manifest(model, document, file, lost)
    repaired = repair(found.kind, document) if found.kind in _REPAIRED else None
    if repaired is None:
        return None
    lost = frozenset(map(repaired.document.final, lost)) | repaired.lost
    return Manifest(repaired.model, repaired.document, file, lost)
