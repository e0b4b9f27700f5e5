"""What an emitter is: a name for the project's `targets`, and how it renders the plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from slo_compiler.diagnostics import Report
from slo_compiler.emit.artefact import Artefact
from slo_compiler.plan import Plan
from slo_compiler.render import TenantRules
from slo_compiler.source import Document


@dataclass(frozen=True, slots=True)
class Rendered:
    """The plan, its rules as text, and the Alertmanager configuration to merge into, if any."""

    plan: Plan
    rules: tuple[TenantRules, ...]
    base: Document | None = None


@dataclass(frozen=True, slots=True)
class Emission:
    """Files of one emitter, and what there is to count in them; their paths are its layout."""

    artefacts: tuple[Artefact, ...]
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Emitter:
    """One target: its name in the project file, and the function that makes its files.

    The report takes the function's findings. Each artefact names the tool that checks it.
    """

    name: str
    emit: Callable[[Rendered, Report], Emission]
