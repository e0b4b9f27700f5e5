"""What a format's importer gives: SLOs as native data, and what its author should know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slo_compiler import naming
from slo_compiler.diagnostics import Position, Report
from slo_compiler.settings import Settings
from slo_compiler.source import Document


@dataclass(frozen=True, slots=True)
class Options:
    """The command line's options of a run, and the project that its SLOs are for."""

    tenant: str  # of SLOs that do not name it; empty if there is none
    settings: Settings
    period: str | None = None
    sources: str = naming.SOURCES_FOLDER  # the folder that manifests are written to
    compat: str | None = None  # whether to record the tool's series, beside its rules or instead


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
    """What was in all documents of a run: the SLOs, and the defaults for them."""

    period: Any
    policy: dict[str, Any] | None = None
    alert_name: str = ""  # that the tool gives to alerts without a name
    owners: dict[str, Position] = field(default_factory=dict)  # where each is first
    slos: list[ImportedSLO] = field(default_factory=list)
    defaults: dict[str, Any] = field(default_factory=dict)  # more of them
    severities: tuple[str, ...] = ()  # that alert by a policy which is not imported
    channels: list[dict[str, Any]] = field(default_factory=list)
    escalation: list[dict[str, Any]] = field(default_factory=list)
    report: Report = field(default_factory=Report)  # on the tenant as a whole


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in the files of a run: SLOs of one tenant or several, and perhaps the project."""

    tenants: Mapping[str, Imported]
    settings: Settings | None = None  # of a project that is made of these files
    project: str = ""  # its file


@dataclass(frozen=True, slots=True)
class Format:
    """A format that can be imported."""

    name: str
    summary: str
    read: Callable[[Sequence[Document], Options, Report], Contents]
    takes_period: bool = False  # whether the tool has one period for a run, which no file has
    says_tenant: bool = False  # whether its files may name tenants
