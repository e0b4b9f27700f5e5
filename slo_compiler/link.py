"""Joining units: what must hold across files, and the files that all tenants share.

The files that all tenants share depend on the facts that each tenant's emission hands over, and on
the project. The cache keeps them by both, so that an edit that moves no fact renders none of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from slo_compiler import lint
from slo_compiler.cache import Cache, key_of
from slo_compiler.diagnostics import Diagnostic, Position, Report, Severity
from slo_compiler.emit import BY_NAME
from slo_compiler.emit.artefact import Artefact
from slo_compiler.emit.emitter import Emission, Emitter, ProjectContext
from slo_compiler.emit.facts import thaw
from slo_compiler.plan.compat import ForeignKey
from slo_compiler.unit import Unit


@dataclass(frozen=True, slots=True)
class Emitted:
    """The files of all targets, and what there is to count in them."""

    artefacts: tuple[Artefact, ...]
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """The cache, and all that files of all tenants depend on, beside the tenants' facts."""

    cache: Cache
    parts: Sequence[str | bytes]


def check_units(units: Sequence[Unit], report: Report, *, whole: bool) -> None:
    """Collect the findings of all units, and check what only all of them together show.

    Args:
        units: in the order of their files.
        report: takes the findings.
        whole: whether these are all files of the project.
    """
    copies = _check_names(units, report)
    found = (
        found
        for index, unit in enumerate(units)
        for found in unit.diagnostics
        if index not in copies or found.severity is Severity.ERROR
    )
    report.extend(lint.first_of_its_kind(sorted(found, key=Diagnostic.sort_key)))
    if not any(unit.failed for unit in units) and not report.failed:
        lint.report_unused([unit.switched for unit in units], report, whole=whole)


def _check_names(units: Sequence[Unit], report: Report) -> set[int]:
    """Report tenants and SLOs that are declared twice; gives the units that declare again.

    Of a copied file, that is the one finding.
    """
    copies = set()
    tenants: dict[str, Position] = {}
    slos: dict[tuple[str, str, str], Position] = {}
    for index, unit in enumerate(units):
        # Within a unit this was checked already.
        for each in {interface.name: interface for interface in unit.interfaces}.values():
            first = tenants.setdefault(each.name, each.position)
            if first != each.position:
                report.error(
                    each.position,
                    "duplicate-tenant",
                    f'the tenant "{each.name}" is declared twice; first at {first}',
                    "give each tenant one document",
                )
                copies.add(index)
                continue
            for key, at in each.slos:
                first = slos.setdefault(key, at)
                if first != at:
                    report.error(
                        at,
                        "duplicate-slo",
                        f"the SLO {'/'.join(key)} is declared twice; first at {first}",
                        "rename one: both would record the same series",
                    )
    _check_foreign([unit for index, unit in enumerate(units) if index not in copies], report)
    return copies


def _check_foreign(units: Sequence[Unit], report: Report) -> None:
    """Report SLOs that readers of another tool cannot tell apart, of whichever tenants."""
    seen: dict[ForeignKey, Position] = {}
    for key, at in (each for unit in units for one in unit.interfaces for each in one.foreign):
        first = seen.setdefault(key, at)
        if first != at:
            tool, *names = key
            report.error(
                at,
                "duplicate-compat",
                f"readers of {tool.title()} know this SLO as {'/'.join(filter(None, names))}, "
                f"and so that at {first}",
                "write compat: none for the one that the tool has not, or rename one",
            )


def emit(
    units: Sequence[Unit],
    targets: Sequence[str],
    context: ProjectContext,
    report: Report,
    kept: Kept | None = None,
) -> Emitted:
    """Join the tenants' files, and render those that all tenants share.

    Args:
        units: in the order of their files.
        targets: names of emitters.
        context: the project.
        report: takes the findings.
        kept: where files that all tenants share are kept; None to render them always.

    Raises:
        CompileError: with all findings, if there is an error among them.
    """
    tenants = sorted((t for unit in units for t in unit.tenants), key=lambda tenant: tenant.name)
    counts = Counter({"tenants": len(tenants)})
    for tenant in tenants:
        counts.update(tenant.counts)
    artefacts: list[Artefact] = []
    for index, target in enumerate(targets):
        emissions = [tenant.emissions[index] for tenant in tenants]
        emitter = BY_NAME[target]
        if emitter.project is not None:
            facts = [tenant.facts[index] for tenant in tenants]
            emissions.append(_shared(emitter, facts, context, report, kept))
        for emission in emissions:
            artefacts += emission.artefacts
            counts.update(emission.counts)
    report.raise_if_failed()
    return Emitted(tuple(artefacts), dict(counts))


def _shared(
    emitter: Emitter,
    facts: Sequence[bytes],
    context: ProjectContext,
    report: Report,
    kept: Kept | None,
) -> Emission:
    """Render what all tenants share; it is kept unless there is something to report."""
    assert emitter.project is not None  # noqa: S101  (narrows the type)
    key = key_of([*kept.parts, emitter.name, *facts]) if kept else ""
    found: Emission | None = kept.cache.get(key) if kept else None
    if found is None:
        own = Report()
        found = emitter.project([thaw(each) for each in facts], context, own)
        report.extend(own.diagnostics)
        if kept and not own.diagnostics:
            kept.cache.put(key, found)
    return found
