"""Files to validated documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from slo_compiler.diagnostics import Report
from slo_compiler.frontend.kinds import sort_document
from slo_compiler.frontend.template import Library, expand
from slo_compiler.frontend.validate import validate
from slo_compiler.schema import Tenant
from slo_compiler.schema.base import Strict
from slo_compiler.source import Document, SourceFile, read_documents


@dataclass(frozen=True, slots=True)
class Manifest:
    """A validated document, and where its values stand."""

    model: Strict
    document: Document
    source: SourceFile


def load(
    files: Iterable[SourceFile],
    kinds: Sequence[type[Strict]],
    report: Report,
    library: Library | None = None,
) -> list[Manifest]:
    """Read and validate all documents; those with findings are left out of the result."""
    manifests = []
    for file in files:
        for read in read_documents(file.path, file.content, report):
            for found in sort_document(read, kinds, report):
                document, whole = found.document, True
                if found.kind is Tenant:
                    document, whole = expand(document, library or Library(), report)
                model = validate(found.kind, document, report)
                if model is not None and whole and found.whole:
                    manifests.append(Manifest(model, document, file))
    return manifests
