"""What a format's importer gives: SLOs as native data, and what its author should know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from slo_compiler.diagnostics import Position, Report
from slo_compiler.source import Document


@dataclass(slots=True)
class ImportedSLO:
    """One SLO: native data with `From` values, its findings, and the policy that it needs."""

    document: Document
    at: Position
    data: dict[str, Any]
    report: Report
    policy: dict[str, Any] | None = None


@dataclass(slots=True)
class Imported:
    """What was in all documents of a run."""

    period: str
    policy: dict[str, Any]
    owners: dict[str, Position] = field(default_factory=dict)  # where each is first
    slos: list[ImportedSLO] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Format:
    """A format that can be imported."""

    name: str
    summary: str
    read: Callable[[Sequence[Document], str | None, Report], Imported]
