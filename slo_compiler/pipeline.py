"""The compiler's steps, from files to files, as plain calls that can be read top to bottom."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from slo_compiler import lint
from slo_compiler import verify as verification
from slo_compiler.diagnostics import Position, Report
from slo_compiler.manifest.escalation import check_hours
from slo_compiler.manifest.library import read_library
from slo_compiler.manifest.load import Manifest, SourceFile, load
from slo_compiler.manifest.model import AlertPolicy, Project, ProjectSpec, Tenant
from slo_compiler.manifest.resolve import check_versions, resolve
from slo_compiler.manifest.resolved import ResolvedTenant
from slo_compiler.plan.build import build
from slo_compiler.plan.ir import Plan
from slo_compiler.source import MAX_BYTES, Document, read_documents
from slo_compiler.target import TARGETS
from slo_compiler.target.artefact import Artefact
from slo_compiler.write import lock

PROJECT_FILE = "slo-compiler.yaml"
STDIN = "-"
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """The project: what its file says, where it stands, and the folder that paths are relative to.

    Without a file it is what the command line says, and the paths are the current folder's.
    """

    spec: ProjectSpec
    root: Path
    manifest: Manifest | None = None

    def at(self, *path: str | int, key: bool = False) -> Position:
        """Place of a part of the project file, or of its key."""
        if self.manifest is None:
            return Position(PROJECT_FILE)
        return self.manifest.document.locate(path, key=key)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the manifests say, before anything is planned."""

    tenants: tuple[ResolvedTenant, ...]
    inputs: tuple[SourceFile, ...]
    base: Document | None


@dataclass(frozen=True, slots=True)
class Compiled:
    """The result of a compile that found no error."""

    settings: Settings
    tenants: tuple[ResolvedTenant, ...]
    plan: Plan
    artefacts: tuple[Artefact, ...]
    verification: verification.Verification


def compile_project(
    settings: Settings,
    sources: Sequence[SourceFile],
    report: Report,
    progress: Progress,
    *,
    whole: bool = False,
) -> Compiled:
    """Compile and verify; nothing is written.

    Args:
        settings: the project.
        sources: the manifests.
        report: where findings go.
        progress: is told of each step.
        whole: whether these are all manifests of the project, so that what none of them needs is
            needed by none.

    Raises:
        CompileError: with every finding of the run, if there is an error among them.
    """
    resolved = resolve_project(settings, sources, report, progress)
    tenants, base = resolved.tenants, resolved.base
    progress(f"planning {len(tenants)} tenants")
    project = settings.manifest.document if settings.manifest else None
    lint.run(tenants, settings.spec, project, report, whole=whole)
    position = settings.at("spec", "alertmanager", "heartbeat")
    plan = build(tenants, settings.spec, position, report)
    progress("rendering")
    targets = dict(TARGETS)
    artefacts = [a for t in settings.spec.targets for a in targets[t](plan, base, report)]
    report.raise_if_failed()
    progress(f"verifying {len(artefacts)} files")
    with tempfile.TemporaryDirectory(prefix="slo-compiler-") as stage:
        _stage(Path(stage), artefacts)
        verified = verification.verify(Path(stage), artefacts, report)
    report.raise_if_failed()
    facts = {
        "versions": {
            "prometheus": settings.spec.prometheus.version,
            "alertmanager": settings.spec.alertmanager.version,
        },
        "counts": plan.counts,
    }
    record = lock({file.name: file.digest for file in resolved.inputs}, artefacts, facts)
    return Compiled(settings, tenants, plan, (*artefacts, record), verified)


def resolve_project(
    settings: Settings, sources: Sequence[SourceFile], report: Report, progress: Progress
) -> Resolved:
    """Read and resolve all manifests; findings go to `report`."""
    inputs = [*sources, *([settings.manifest.source] if settings.manifest else [])]
    progress("reading")
    policies, templates = (
        _named(names, settings, report, inputs)
        for names in (settings.spec.policies, settings.spec.templates)
    )
    library, shared = read_library(templates, report)
    shared += load([*_builtin_policies(), *policies], (AlertPolicy,), report)
    manifests = load(sources, (Tenant, AlertPolicy), report, library)
    _refuse_policies(manifests, report)
    base = _base(settings, report, inputs)
    check_versions(
        settings.spec,
        {name: settings.at("spec", name, "version") for name in ("prometheus", "alertmanager")},
        report,
    )
    if settings.manifest is not None:
        check_hours(settings.spec.hours, settings.spec.holidays, settings.manifest.document, report)
    tenants = resolve([*shared, *manifests], settings.spec, report)
    return Resolved(tenants, tuple(inputs), base)


def read_project(path: Path | None, report: Report) -> Settings:
    """Read the project file; without one, everything is the default.

    Raises:
        CompileError: the file cannot be read or holds errors.
    """
    if path is None:
        # Without a project file the caller names the sources, so its defaults do not matter.
        return Settings(ProjectSpec(), Path.cwd())
    content = _bytes(path, report)
    report.raise_if_failed()
    return parse_project(SourceFile(str(path), path.name, content), path.parent, report)


def parse_project(file: SourceFile, root: Path, report: Report) -> Settings:
    """Validate a project file's content; `root` is the folder that its paths are relative to.

    Raises:
        CompileError: it holds errors.
    """
    manifests = load([file], (Project,), report)
    report.raise_if_failed()
    manifest = manifests[0]
    if len(manifests) > 1:
        at = manifests[1].document.locate(("kind",))
        report.error(at, "duplicate-project", "a project has one document")
        report.raise_if_failed()
    assert isinstance(manifest.model, Project)  # noqa: S101  (narrows the type)
    return Settings(manifest.model.spec, root, manifest)


def with_overrides(settings: Settings, changes: Mapping[str, object]) -> Settings:
    """Replace parts of the project's specification by what the command line says."""
    return replace(settings, spec=settings.spec.model_copy(update=dict(changes)))


def read_sources(
    paths: Iterable[str], settings: Settings, report: Report, stdin: Callable[[], bytes]
) -> list[SourceFile]:
    """Read manifests: files, folders (all *.yaml and *.yml below, sorted), or `-` for stdin."""
    files: dict[Path, SourceFile] = {}
    names: set[str] = set()
    for path in paths:
        if path == STDIN:
            files[Path(STDIN)] = SourceFile("<stdin>", "stdin", stdin())
            continue
        for found in _expand(Path(path), report):
            real = _real(found)
            if not str(found).isprintable():
                # It would stand in a comment of the output, and a line break ends a comment.
                report.error(
                    Position(str(found)),
                    "file-name",
                    "the file's name holds a control character",
                    "rename it",
                )
            elif real not in files:
                name = _name(found, settings.root, names)
                names.add(name)
                files[real] = SourceFile(str(found), name, _bytes(found, report))
    report.raise_if_failed()
    return list(files.values())


def _expand(path: Path, report: Report) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    found = sorted(
        file
        for pattern in ("*.yaml", "*.yml")
        for file in path.rglob(pattern)
        if not any(part.startswith(".") for part in file.relative_to(path).parts)
        and not file.is_dir()
    )
    if not found:
        report.error(
            Position(str(path)),
            "no-manifests",
            "the folder holds no manifest",
            "a manifest is a *.yaml or *.yml file; `slo-compiler init` writes a first one",
        )
    for file in found:
        if _real(file).is_relative_to(_real(path)):
            yield file
        else:  # what is read may be shown in a report, and manifests are not ours
            report.error(
                Position(str(file)),
                "symlink-outside",
                "this link leads out of the folder of manifests",
                "put the manifest itself here, or name its file as a source",
            )


def _real(path: Path) -> Path:
    """Follow all links; unlike Path.resolve, a loop of links is no exception."""
    return Path(os.path.realpath(path))


def _name(path: Path, root: Path, taken: Container[str] = ()) -> str:
    """Name a file the same on every machine: relative to the project, else by its last part.

    Of two files outside of the project with the same last part, the second is named by more.
    """
    real, top = _real(path), _real(root)
    if real.is_relative_to(top):
        return real.relative_to(top).as_posix()
    names = ("/".join(real.parts[-n:]) for n in range(1, len(real.parts)))
    return next((name for name in names if name not in taken), str(real))


def _bytes(path: Path, report: Report, at: Position | None = None) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)  # what is longer is refused
    except OSError as error:
        reason = error.strerror or str(error)
        what = f"{path}" if at else "it"
        report.error(at or Position(str(path)), "unreadable", f"cannot read {what}: {reason}")
        return b""


def _builtin_policies() -> list[SourceFile]:
    """Read the policies that come with the compiler."""
    folder = Path(__file__).parent / "policies"
    return [
        SourceFile(f"<builtin>/{path.name}", path.name, path.read_bytes())
        for path in sorted(folder.glob("*.yaml"))
    ]


def _named(
    names: Iterable[str], settings: Settings, report: Report, inputs: list[SourceFile]
) -> list[SourceFile]:
    """Read what the project names for all its tenants, and note it as an input."""
    paths = [str(settings.root / name) for name in names]
    files = read_sources(paths, settings, report, lambda: b"")
    inputs += files
    return files


def _refuse_policies(manifests: Sequence[Manifest], report: Report) -> None:
    """Policies for all tenants are the platform's to write; among the sources they are refused."""
    for manifest in manifests:
        if isinstance(manifest.model, AlertPolicy):
            report.error(
                manifest.document.locate(("kind",)),
                "kind",
                "an AlertPolicy does not belong among the tenants' manifests",
                "name its file in the project's policies, or use spec.policies of the tenant",
            )


def _base(settings: Settings, report: Report, inputs: list[SourceFile]) -> Document | None:
    if settings.spec.alertmanager.base is None:
        return None
    path = settings.root / settings.spec.alertmanager.base
    at = settings.at("spec", "alertmanager", "base")
    file = SourceFile(str(path), _name(path, settings.root), _bytes(path, report, at))
    report.raise_if_failed()
    documents = read_documents(file.path, file.content, report)
    if len(documents) > 1:
        report.error(
            documents[1].locate(),
            "base-config",
            "the base configuration has a second document, which Alertmanager does not read",
            "merge it into the first",
        )
    report.raise_if_failed()
    inputs.append(file)
    # Composed again by YAML 1.1, which is what Alertmanager's own parser mostly follows.
    node = yaml.compose(file.content, Loader=yaml.SafeLoader)
    return replace(documents[0], node=node or documents[0].node)


def _stage(folder: Path, artefacts: Iterable[Artefact]) -> None:
    for artefact in artefacts:
        path = folder / artefact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artefact.text, encoding="utf-8")
