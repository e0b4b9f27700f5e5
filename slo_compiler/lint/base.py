"""What a lint sees, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import cast

from slo_compiler.diagnostics import Position, Severity
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema import ProjectSpec
from slo_compiler.source import Document


@dataclass(frozen=True, slots=True)
class Context:
    """What is around a tenant: the project, its file if there is one, and other tenants."""

    project: ProjectSpec
    document: Document | None
    tenants: Sequence[ResolvedTenant]  # those that are looked at
    known: Sequence[ResolvedTenant] = ()  # they, and those that their SLOs depend on


@dataclass(frozen=True, slots=True)
class Finding:
    """What a lint reports at one place; its ID and severity are the lint's."""

    position: Position
    message: str
    help: str


Check = Callable[[ResolvedTenant, Context], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Lint:
    """A lint: one module, whose docstring is its documentation."""

    id: str
    severity: Severity
    doc: str
    once: bool  # whether it finds one thing for all tenants
    check: Check | None  # None for those on the switches, which the runner finds itself

    @classmethod
    def of(cls, module: ModuleType) -> Lint:
        """Read what a lint's module declares."""
        check = cast("Check | None", getattr(module, "check", None))
        once = bool(getattr(module, "ONCE", False))
        return cls(module.ID, module.SEVERITY, (module.__doc__ or "").strip(), once, check)

    @property
    def summary(self) -> str:
        """The first line of its documentation."""
        return self.doc.partition("\n")[0].removesuffix(".")
