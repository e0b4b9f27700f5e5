"""What a format's importer gives: SLOs as native data, and what its author should know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from slo_compiler.diagnostics import Position, Report
from slo_compiler.source import Document
from slo_compiler.unit import Settings


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says of a run, and the project that its SLOs are for."""

    tenant: str
    settings: Settings
    period: str | None = None


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
    """What was in all documents of a run: the SLOs, and what holds for those that do not say it."""

    period: Any
    policy: dict[str, Any] | None = None
    alert_name: str = ""  # that the tool gives to alerts without a name
    owners: dict[str, Position] = field(default_factory=dict)  # where each is first
    slos: list[ImportedSLO] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Format:
    """A format that can be imported."""

    name: str
    summary: str
    read: Callable[[Sequence[Document], Options, Report], Imported]
    takes_period: bool = False  # whether the tool has one period for a run, which no file says
