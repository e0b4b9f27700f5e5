"""Which kind a document is: one of the native kinds, or one that a front end reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slo_compiler import frontend
from slo_compiler.diagnostics import Report, nearest
from slo_compiler.frontend.base import FrontEnd
from slo_compiler.frontend.foreign import foreign
from slo_compiler.schema import API_VERSION, DOCUMENT_KINDS, Tenant
from slo_compiler.schema.base import Strict, shown
from slo_compiler.source import Document


@dataclass(frozen=True, slots=True)
class SortedDocument:
    """A document with native data, and its model; `whole` unless its front end found errors."""

    document: Document
    kind: type[Strict]
    whole: bool = True


def sort_document(
    document: Document, kinds: Sequence[type[Strict]], report: Report
) -> Iterator[SortedDocument]:
    """Find the kind of a document, and read it with its front end if it has one.

    Args:
        document: any document of a file.
        kinds: what may be in the file.
        report: takes the findings; a document of no allowed kind is one.
    """
    front_end = next((each for each in frontend.FRONT_ENDS if each.reads(document.data)), None)
    if front_end is None or Tenant not in kinds:
        kind = _native(document, kinds, front_end, report)
        if kind is not None:
            yield SortedDocument(document, kind)
        return
    own = Report()
    documents = [*front_end.read(document, own)]
    report.extend(own.diagnostics)
    for each in documents:
        yield SortedDocument(each, Tenant, not own.failed)


def _native(
    document: Document,
    kinds: Sequence[type[Strict]],
    front_end: FrontEnd | None,
    report: Report,
) -> type[Strict] | None:
    data = document.data
    names = {kind.__name__: kind for kind in kinds}
    if not isinstance(data, dict):
        report.error(
            document.locate(),
            "not-a-manifest",
            "a manifest is a mapping with apiVersion, kind and spec",
            f"begin with apiVersion: {API_VERSION}",
        )
        return None
    if front_end is None and (other := foreign(data)):
        report.error(document.locate(), "foreign-format", f"this is {other.name}", other.help)
        return None
    for key, expected in (("apiVersion", API_VERSION), ("kind", " or ".join(names))):
        if key not in data and front_end is None:
            at = document.locate((key,))
            report.error(at, "missing-key", f'the key "{key}" is missing', f"add {key}: {expected}")
    if front_end is None and ("apiVersion" not in data or "kind" not in data):
        return None
    if front_end is None and data["apiVersion"] != API_VERSION:
        report.error(
            document.locate(("apiVersion",)),
            "api-version",
            f'expected apiVersion "{API_VERSION}", found {shown(data["apiVersion"])}',
        )
        return None
    name = data.get("kind")
    if front_end is not None or not isinstance(name, str) or name not in names:
        known = [kind.__name__ for kind in DOCUMENT_KINDS]
        misplaced = front_end is not None or name in known
        hint = nearest(name, names) if isinstance(name, str) and not misplaced else ""
        if misplaced:
            hint = _ELSEWHERE.get(str(name), "")
        report.error(
            document.locate(("kind",)),
            "kind",
            f"{_with_article(name)} does not belong here"
            if misplaced
            else f"no kind {shown(name)}",
            hint or f"expected {' or '.join(names)}",
        )
        return None
    return names[name]


_ELSEWHERE = {
    "Project": "move it out of this folder",
    "SLOTemplate": "put it into a file that the project's templates name",
}


def _with_article(kind: object) -> str:
    return f"{'an' if kind in ('AlertPolicy', 'SLOTemplate') else 'a'} {kind}"
