"""Which templates the platform offers, and what is wrong with them before anybody uses them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from slo_compiler.diagnostics import Report, nearest
from slo_compiler.frontend.load import Manifest, load
from slo_compiler.frontend.overlay import Origin, Overlay
from slo_compiler.frontend.reference import SAMPLES, is_whole, leaves, references, sampled
from slo_compiler.frontend.template import SLO_LOC, Library, Template, TemplateValue
from slo_compiler.frontend.validate import examine
from slo_compiler.schema import SLO, SLOTemplate
from slo_compiler.source import SourceFile


def read_library(files: Iterable[SourceFile], report: Report) -> tuple[Library, list[Manifest]]:
    """Read templates; report their mistakes here, once, and not again where they are used."""
    before = len(report.diagnostics)
    manifests = load(files, (SLOTemplate,), report)
    complete = len(report.diagnostics) == before
    templates: dict[str, Template] = {}
    for manifest in manifests:
        assert isinstance(manifest.model, SLOTemplate)  # noqa: S101  (narrows the type)
        template = _template(manifest, manifest.model, report)
        if template.name in templates:
            first = templates[template.name].document.locate(("metadata", "name"))
            report.error(
                manifest.document.locate(("metadata", "name")),
                "duplicate-template",
                f'the template "{template.name}" is defined twice; first at {first}',
                "rename one",
            )
            continue
        templates[template.name] = template
    return Library(templates, complete), manifests


def _template(manifest: Manifest, model: SLOTemplate, report: Report) -> Template:
    before = len(report.diagnostics)
    defaults = {}
    for index, parameter in enumerate(model.spec.parameters):
        if parameter.default is not None:
            origin = Origin(manifest.document, ("spec", "parameters", index, "default"))
            defaults[parameter.name] = TemplateValue(parameter.default, origin)
    template = Template(
        name=model.metadata.name,
        document=manifest.document,
        parameters=tuple(dict.fromkeys(parameter.name for parameter in model.spec.parameters)),
        defaults=defaults,
        slo=model.spec.slo,
    )
    _check_parameters(template, model, report)
    _check_references(template, report)
    _check_slo(template, report)
    return replace(template, broken=len(report.diagnostics) > before)


def _check_parameters(template: Template, model: SLOTemplate, report: Report) -> None:
    used = {found.name for _, text in leaves(model.spec.slo) for found in references(text)}
    seen: dict[str, int] = {}
    for index, parameter in enumerate(model.spec.parameters):
        at = template.document.locate(("spec", "parameters", index, "name"))
        if parameter.name in seen:
            report.error(
                at,
                "duplicate-parameter",
                f'the parameter "{parameter.name}" is declared twice; first on line '
                f"{seen[parameter.name]}",
                "remove one",
            )
        elif parameter.name not in used:
            report.error(
                at,
                "unused-parameter",
                f'the parameter "{parameter.name}" is not used',
                f"remove it, or write ${{{parameter.name}}} where it belongs",
            )
        seen.setdefault(parameter.name, at.line)


def _check_references(template: Template, report: Report) -> None:
    document = template.document
    for loc, text in leaves(template.slo):
        for found in references(text):
            at = document.within((*SLO_LOC, *loc), found.start, found.end - found.start)
            if not found.closed:
                report.error(
                    at,
                    "template-reference",
                    "${ begins a parameter, and is not closed",
                    "write $${ for the two characters",
                )
            elif found.name is not None and found.name not in template.parameters:
                report.error(
                    at,
                    "undeclared-parameter",
                    f'the template has no parameter "{found.name}"',
                    nearest(found.name, template.parameters) or "declare it in spec.parameters",
                )
    for key in ("template", "with"):
        if key in template.slo:
            report.error(
                document.locate((*SLO_LOC, key), key=True),
                "nested-template",
                "a template cannot use another",
                "write the SLO out",
            )


def _check_slo(template: Template, report: Report) -> None:
    """Validate what does not depend on arguments: samples of them are put in their places."""
    document = template.document
    wholes = {loc for loc, text in leaves(template.slo) if is_whole(text)}
    findings, others = (examine(SLO, sampled(template.slo, sample))[1] for sample in SAMPLES)
    shared = {(finding.place, finding.id) for finding in others}
    view = Overlay(
        document.path,
        template.slo,
        document.node,
        document.lines,
        document,
        {(): Origin(document, SLO_LOC)},
    )
    for finding in findings:
        place = finding.place
        if (place, finding.id) not in shared or place in wholes:
            continue  # it depends on the arguments
        if finding.id == "missing-key" and len(place) == 1:
            continue  # what the template leaves out, a use may add
        finding.tell(view, report)
