"""The project: its file, the policies and templates that it names, and the base configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import yaml

from slo_compiler import resolve as resolving
from slo_compiler.cache import key_of
from slo_compiler.diagnostics import Report, nearest
from slo_compiler.documents import read_documents
from slo_compiler.emit import BY_NAME
from slo_compiler.frontend.library import read_library
from slo_compiler.frontend.load import load
from slo_compiler.frontend.lost import consequences
from slo_compiler.importing.direct import with_imports
from slo_compiler.reading import name_of, read_bytes, read_sources
from slo_compiler.schema import AlertPolicy, Project, ProjectSpec
from slo_compiler.settings import Settings
from slo_compiler.source import Document, SourceFile
from slo_compiler.unit import Environment


@dataclass(frozen=True, slots=True)
class Shared:
    """What all units share, and the files that it was read from."""

    environment: Environment
    base: Document | None  # the Alertmanager configuration to merge into
    files: tuple[SourceFile, ...]
    library_digest: str


def read_project(path: Path | None, report: Report, *, lenient: bool = False) -> Settings:
    """Read the project file; without one, everything is the default.

    Args:
        path: the file.
        report: takes the findings.
        lenient: whether to go on without what is wrong, so that the manifests are checked, too.

    Raises:
        CompileError: the file cannot be read, or has errors.
    """
    if path is None:
        # Without a project file the caller names the sources, so its defaults do not matter.
        return Settings(ProjectSpec(), Path.cwd())
    content = read_bytes(path, report)
    report.raise_if_failed()
    file = SourceFile(str(path), path.name, content)
    return parse_project(file, path.parent, report, lenient=lenient)


def parse_project(
    file: SourceFile, root: Path, report: Report, *, lenient: bool = False
) -> Settings:
    """Validate a project file's content; `root` is the folder that its paths are relative to.

    Raises:
        CompileError: it has errors.
    """
    manifests = load([file], (Project,), report)
    if not (lenient and manifests) or manifests[0].lacks("spec", "sources"):
        report.raise_if_failed()
    manifest = manifests[0]
    if len(manifests) > 1:
        at = manifests[1].document.locate(("kind",))
        report.error(at, "duplicate-project", "a project has one document")
        if not lenient:
            report.raise_if_failed()
    assert isinstance(manifest.model, Project)  # noqa: S101  (narrows the type)
    return Settings(manifest.model.spec, root, manifest)


def with_overrides(settings: Settings, changes: Mapping[str, object]) -> Settings:
    """Replace parts of the project's specification by the command line's options."""
    return replace(settings, spec=settings.spec.model_copy(update=dict(changes)))


def read_shared(settings: Settings, report: Report) -> Shared:
    """Read what all tenants share, and check the project; findings go to `report`."""
    files = [settings.manifest.source] if settings.manifest else []
    policies, templates = (
        _named(names, settings, report, files)
        for names in (settings.spec.policies, settings.spec.templates)
    )
    library, shared = read_library(templates, report)
    library = replace(library, imports=partial(with_imports, settings))
    uncertain = settings.uncertain
    if "undefined-template" in uncertain:
        library = replace(library, complete=False)
    policies_report = Report()
    shared += load([*_builtin_policies(), *policies], (AlertPolicy,), policies_report)
    report.extend(policies_report.diagnostics)
    if policies_report.failed:
        uncertain |= consequences([("spec", "policies")])
    base = _base(settings, report, files)
    resolving.check_project(settings.spec, settings.at, report.without(settings.uncertain))
    _check_targets(settings, report)
    resolving.resolve(
        shared, settings.spec, report, uncertain
    )  # what is wrong with policies themselves
    parts: list[str | bytes] = [repr(settings.spec)]
    for file in [*([settings.manifest.source] if settings.manifest else []), *policies, *templates]:
        parts += [file.path, file.name, file.content]
    environment = Environment(settings, library, tuple(shared), uncertain)
    return Shared(environment, base, tuple(files), key_of(parts))


def _check_targets(settings: Settings, report: Report) -> None:
    for index, target in enumerate(settings.spec.targets):
        at = settings.at("spec", "targets", index)
        if target not in BY_NAME:
            help_ = nearest(target, BY_NAME)
            report.error(at, "undefined-target", f'no target "{target}"', help_)
        elif target in settings.spec.targets[:index]:
            report.error(at, "duplicate-target", f'"{target}" is named twice', "remove one")
        elif (check := BY_NAME[target].check) is not None:
            check(settings.spec, settings.at, report)


def _builtin_policies() -> list[SourceFile]:
    """Read the policies that come with the compiler."""
    folder = Path(__file__).parent / "policies"
    return [
        SourceFile(f"<builtin>/{path.name}", path.name, path.read_bytes())
        for path in sorted(folder.glob("*.yaml"))
    ]


def _named(
    names: Iterable[str], settings: Settings, report: Report, files: list[SourceFile]
) -> list[SourceFile]:
    """Read what the project names for all its tenants, and note it as an input."""
    paths = [str(settings.root / name) for name in names]
    found = read_sources(paths, settings.root, report)
    files += found
    return found


def _base(settings: Settings, report: Report, files: list[SourceFile]) -> Document | None:
    if settings.spec.alertmanager.base is None:
        return None
    path = settings.root / settings.spec.alertmanager.base
    at = settings.at("spec", "alertmanager", "base")
    own = Report()
    file = SourceFile(str(path), name_of(path, settings.root), read_bytes(path, own, at))
    documents = [] if own.failed else read_documents(file.path, file.content, own)
    if len(documents) > 1:
        own.error(
            documents[1].locate(),
            "base-config",
            "the base configuration has a second document, which Alertmanager does not read",
            "merge it into the first",
        )
    report.extend(own.diagnostics)
    if own.failed:
        return None
    files.append(file)
    # Composed again by YAML 1.1, which is what Alertmanager's own parser mostly follows.
    node = yaml.compose(file.content, Loader=yaml.SafeLoader)
    return replace(documents[0], node=node or documents[0].node)
