"""The public API: compile from text or from paths; findings and files are returned as data."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from slo_compiler import pipeline
from slo_compiler.diagnostics import CompileError, Diagnostic, Report, Severity, one_per_cause
from slo_compiler.reading import has_good_name, read_sources
from slo_compiler.source import SourceFile


@dataclass(frozen=True, slots=True)
class Result:
    """What a compile found, and the files that it made.

    Attributes:
        diagnostics: errors, warnings and infos, sorted by place.
        artefacts: the text of each file by its path in the output; none if there is an error.
        tools: the tools that checked the files (promtool, amtool), with the path of each.
        skipped: the tools that were not found: what they check was not checked.
    """

    diagnostics: tuple[Diagnostic, ...]
    artefacts: Mapping[str, str] = field(default_factory=dict)
    tools: Mapping[str, str] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return all(found.severity is not Severity.ERROR for found in self.diagnostics)


def compile_text(
    manifests: str | Mapping[str, str], project: str = "", *, root: str | os.PathLike[str] = "."
) -> Result:
    """Compile manifests that are given as text.

    Nothing is written. Bad input raises nothing: it is a diagnostic.

    Args:
        manifests: one YAML file, or several by their names; a name is what diagnostics show.
        project: the text of the project file; without it, its defaults apply.
        root: the folder that paths in the project are relative to.

    Example:
        >>> import slo_compiler
        >>> result = slo_compiler.compile_text("kind: Tenant")
        >>> result.ok
        False
        >>> for found in result.diagnostics:
        ...     print(f"{found.position}: {found.severity}: {found.message}")
        manifest.yaml:1:1: error: the key "apiVersion" is missing
        >>> print(result.diagnostics[0].help)
        add apiVersion: slo-compiler/v1
    """
    files = {"manifest.yaml": manifests} if isinstance(manifests, str) else manifests
    sources = [SourceFile(name, name, _bytes(text)) for name, text in files.items()]

    def settings(report: Report) -> pipeline.Settings:
        if not project:
            return pipeline.read_project(None, report)
        file = SourceFile(pipeline.PROJECT_FILE, pipeline.PROJECT_FILE, _bytes(project))
        return pipeline.parse_project(file, Path(root), report, lenient=True)

    def named(_settings: pipeline.Settings, report: Report) -> Sequence[SourceFile]:
        return [file for file in sources if has_good_name(file.name, report)]

    return _compiled(settings, named, whole=bool(project))


def _bytes(text: str) -> bytes:
    """Encode a text; what is no character in it is found when it is decoded."""
    return text.encode("utf-8", "surrogatepass")


def compile_paths(
    paths: Iterable[str | os.PathLike[str]] = (),
    project: str | os.PathLike[str] | None = None,
) -> Result:
    """Compile manifests from files and folders.

    Nothing is written. Bad input raises nothing: it is a diagnostic.

    Args:
        paths: files, or folders whose *.yaml and *.yml files are read; without any, the sources
            that the project file names.
        project: the project file; without one, its defaults apply.
    """
    given = [os.fspath(path) for path in paths]

    def settings(report: Report) -> pipeline.Settings:
        return pipeline.read_project(Path(project) if project else None, report, lenient=True)

    def sources(settings: pipeline.Settings, report: Report) -> Sequence[SourceFile]:
        named = [str(settings.root / source) for source in settings.spec.sources]
        return read_sources(given or named, settings.root, report)

    return _compiled(settings, sources, whole=not given)


def _compiled(
    settings: Callable[[Report], pipeline.Settings],
    sources: Callable[[pipeline.Settings, Report], Sequence[SourceFile]],
    *,
    whole: bool,
) -> Result:
    report = Report()
    try:
        found = settings(report)
        done = pipeline.compile_project(found, sources(found, report), report, whole=whole, jobs=1)
    except CompileError as error:
        report.extend(error.diagnostics)
        return Result(tuple(one_per_cause(report.diagnostics)))
    return Result(
        tuple(one_per_cause(report.diagnostics)),
        {artefact.path: artefact.text for artefact in done.artefacts},
        dict(done.verification.ran),
        tuple(done.verification.skipped),
    )
