"""Imported SLOs as manifests: each SLO is validated at its foreign lines, then written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from slo_compiler import naming
from slo_compiler import plan as planning
from slo_compiler import resolve as resolving
from slo_compiler.diagnostics import CompileError, Diagnostic, Report, Severity
from slo_compiler.documents import read_documents
from slo_compiler.frontend.load import Manifest
from slo_compiler.frontend.translate import translated
from slo_compiler.frontend.validate import validate
from slo_compiler.importing.defaults import secrets_of
from slo_compiler.importing.model import Format, Imported, ImportedSLO, Options
from slo_compiler.importing.writing import Kept, comments_of, manifest_text
from slo_compiler.schema import API_VERSION, Tenant
from slo_compiler.settings import Settings
from slo_compiler.source import Document, SourceFile


@dataclass(frozen=True, slots=True)
class Written:
    """The manifests of the tenants for whom something was left; how many SLOs came and went."""

    slos: int
    refused: int
    approximated: int = 0  # of those that came
    manifests: Mapping[str, str] = field(default_factory=dict)
    project: str = ""  # a project file, if the files have what is in it

    @property
    def text(self) -> str | None:
        """All manifests as one file; None if there is none."""
        return "---\n".join(self.manifests.values()) or None


def import_files(
    format_: Format,
    files: Sequence[SourceFile],
    options: Options,
    report: Report,
    shared: Sequence[Manifest] = (),
) -> Written:
    """Make the manifests of tenants out of foreign files.

    An SLO with an error is left out; the others are written.

    Args:
        format_: of the files.
        files: all of a run.
        options: those of the command line, and the project.
        report: takes the findings.
        shared: the policies that all tenants may use.
    """
    documents = [each for file in files for each in read_documents(file.path, file.content, report)]
    if report.failed:
        return Written(0, 0)
    contents = format_.read(documents, options, report)
    of_files = comments_of(report)
    settings = contents.settings or options.settings
    manifests: dict[str, str] = {}
    slos = refused = changed = 0
    for tenant, imported in contents.tenants.items():
        own = _Tenant(tenant, imported, settings, {file.path: file for file in files}, shared)
        kept = own.kept(report)
        report.extend(imported.report.diagnostics)
        slos += len(kept)
        refused += len(imported.slos) - len(kept)
        changed += sum(any(map(_is_change, slo.report.diagnostics)) for slo, _ in kept)
        if kept:
            title = f"Imported from {format_.name}: {len(kept)} of {len(imported.slos)} SLOs."
            manifests[tenant] = own.text(documents[0], title, of_files, kept)
    if not slos and not refused and not report.failed:
        report.error(documents[0].locate(), "import-refused", "the files hold no SLO")
    project = contents.project if manifests else ""
    return Written(slos, refused, changed, manifests, project)


@dataclass(slots=True)
class _Tenant:
    """One tenant of a run."""

    name: str
    imported: Imported
    settings: Settings
    sources: Mapping[str, SourceFile]
    shared: Sequence[Manifest]
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)  # of SLOs that were kept

    def kept(self, report: Report) -> Kept:
        """Check each SLO as a manifest by itself, and give those without an error."""
        spec = self.settings.spec
        kept: list[tuple[ImportedSLO, dict[str, Any]]] = []
        seen: dict[tuple[str, str], ImportedSLO] = {}
        for slo in self.imported.slos:
            own_policy = slo.policy or self.imported.policy
            watching = [own_policy] if own_policy else []
            body = {**self._spec(watching), **self._routes(watching), "slos": [slo.data]}
            document = translated(slo.document, {**self._head(), "spec": body})
            own = slo.report
            model = None if own.failed else validate(Tenant, document, own)
            if isinstance(model, Tenant):
                manifest = Manifest(model, document, self.sources[slo.document.path])
                found = resolving.resolve([*self.shared, manifest], spec, own)
                with suppress(CompileError):  # whose findings are this SLO's
                    own.raise_if_failed()
                    planning.build(found.tenants, spec, document.locate(), own)
                one = model.spec.slos[0]
                name = (naming.normalised(one.service), naming.normalised(one.name))
                first = seen.setdefault(name, slo)
                if first is not slo:
                    message = f"{one.service}/{one.name} is imported from {first.at} already"
                    own.error(slo.at, "duplicate-slo", message, "rename one")
            report.extend(own.diagnostics)
            if not own.failed:
                kept.append((slo, document.data["spec"]["slos"][0]))
                if own_policy:
                    self.policies.setdefault(own_policy["name"], own_policy)
        return kept

    def text(self, document: Document, title: str, comments: Sequence[str], kept: Kept) -> str:
        """Write the manifest."""
        used = [self.policies[name] for name in sorted(self.policies)]
        plain = translated(document, {**self._head(), "spec": self._spec(used)}).data
        routes = translated(document, self._routes(used)).data
        comments = [*comments, *comments_of(self.imported.report)]
        routed = bool(self.imported.channels)
        return manifest_text(title, comments, plain, routes, kept, routed=routed)

    def _head(self) -> dict[str, Any]:
        owners = self.imported.owners
        owner = next(iter(owners)) if len(owners) == 1 else self.name
        metadata = {"name": self.name, "owner": owner}
        return {"apiVersion": API_VERSION, "kind": "Tenant", "metadata": metadata}

    def _spec(self, policies: Sequence[dict[str, Any]]) -> dict[str, Any]:
        imported = self.imported
        defaults = {"period": imported.period}
        usual = imported.policy["name"] if imported.policy else None
        if any(policy["name"] == usual for policy in policies):
            defaults["policy"] = usual
        if imported.alert_name:
            defaults["name"] = imported.alert_name
        defaults |= imported.defaults
        return {"defaults": defaults} | ({"policies": [*policies]} if policies else {})

    def _routes(self, policies: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Give the channels; one to begin with if there is none.

        Its address is in a file, which is the tenant's to write.
        """
        imported = self.imported
        if imported.channels:
            return {"channels": imported.channels, "escalation": imported.escalation}
        tiers = [tier["severity"] for each in policies for tier in each["tiers"]]
        severities = dict.fromkeys([*tiers, *imported.severities])
        if not severities:
            return {}
        file = f"{secrets_of(self.settings, self.name)}/webhook"
        return {
            "channels": [{"name": "alerts", "webhook": {"url_file": file}}],
            "escalation": [{"severity": each, "notify": ["alerts"]} for each in severities],
        }


def _is_change(found: Diagnostic) -> bool:
    return found.severity is Severity.WARNING and found.id.startswith("import-")
