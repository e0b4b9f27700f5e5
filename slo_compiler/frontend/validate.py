"""A document against its model: every finding of it in one run, each at its line."""

from __future__ import annotations

from itertools import islice
from typing import TypeVar

from pydantic import ValidationError

from slo_compiler.diagnostics import Report
from slo_compiler.frontend.finding import DocumentFinding, distinct, empty_places
from slo_compiler.schema.base import Strict
from slo_compiler.source import Document

ModelT = TypeVar("ModelT", bound=Strict)
MAX_FINDINGS = 100  # of one document; whoever has more has another problem


def validate(kind: type[ModelT], document: Document, report: Report) -> ModelT | None:
    """Validate a document against one model; None if there are findings."""
    model, findings = examine(kind, document.data)
    for finding in findings:
        finding.tell(document, report)
    return None if findings else model


def examine(kind: type[ModelT], data: object) -> tuple[ModelT | None, list[DocumentFinding]]:
    """Validate data against one model, and return it with the findings."""
    findings = [DocumentFinding.empty(loc) for loc in islice(empty_places(data), MAX_FINDINGS)]
    model = None
    try:
        model = kind.model_validate(data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        findings += [DocumentFinding.of(kind, d, data) for d in details[:MAX_FINDINGS]]
        if len(details) > MAX_FINDINGS:
            message = f"{len(details):,} findings; the first {MAX_FINDINGS} are reported"
            findings.append(DocumentFinding((), "too-many", message))
    return model, distinct(findings)
