"""What an emitter is: a name for the project's `targets`, and how it renders the plan.

The unit of work is a tenant. What an emitter makes of a tenant depends on that tenant alone, so
that tenants are rendered in parallel and their files kept in a cache; what is made of all tenants
together comes last, from small facts that each tenant's part hands over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slo_compiler.diagnostics import Position, Report
from slo_compiler.emit.artefact import Artefact
from slo_compiler.plan import PlannedTenant
from slo_compiler.render import TenantRules
from slo_compiler.resolve.hours import Locate
from slo_compiler.resolve.model import ResolvedTenant
from slo_compiler.schema import ProjectSpec
from slo_compiler.source import Document


@dataclass(frozen=True, slots=True)
class TenantContext:
    """A planned tenant, its rules as text, and the tenants that its SLOs depend on."""

    planned: PlannedTenant
    rules: TenantRules
    project: ProjectSpec
    known: Sequence[ResolvedTenant]  # the tenant itself, and those that it depends on


@dataclass(frozen=True, slots=True)
class ProjectContext:
    """The project, where its heartbeat is, and the Alertmanager configuration to merge into."""

    spec: ProjectSpec
    heartbeat: Position
    base: Document | None = None
    at: Locate | None = None  # where a part of the project is
    whole: bool = False  # whether these are all tenants of the project


@dataclass(frozen=True, slots=True)
class Emission:
    """Files, which are the emitter's layout by their paths, what there is to count, and facts.

    Facts are plain frozen values that can be pickled; those of a tenant are few and small.
    """

    artefacts: tuple[Artefact, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    facts: Any = None  # of the emitter's own type


@dataclass(frozen=True, slots=True)
class EvaluatedRules:
    """A tenant's rules as the engine of a target evaluates them.

    `rules` has the text of each rule of `planned`, group by group; the engine may have more groups.
    """

    planned: PlannedTenant
    rules: TenantRules
    groups: int


@dataclass(frozen=True, slots=True)
class Emitter:
    """One target: its name in the project file, and the functions that make its files.

    `tenant` renders what one tenant gets, `project` what all tenants share, from the facts of
    every tenant's emission, in the order of their names. `check` refuses a project that the target
    cannot serve. `evaluated` gives the rules that the target's engine evaluates, if it has one, and
    None where they do not fit. The report takes the findings. Each artefact names the tool that
    checks it.
    """

    name: str
    tenant: Callable[[TenantContext, Report], Emission] | None = None
    project: Callable[[Sequence[Any], ProjectContext, Report], Emission] | None = None
    check: Callable[[ProjectSpec, Locate, Report], None] | None = None
    evaluated: Callable[[TenantContext, Report], EvaluatedRules | None] | None = None
