"""Imported SLOs as one manifest: each is validated at its foreign lines, then written."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import yaml

from slo_compiler import naming, pipeline
from slo_compiler import plan as planning
from slo_compiler import resolve as resolving
from slo_compiler.diagnostics import CompileError, Diagnostic, Report, Severity
from slo_compiler.frontend.load import Manifest
from slo_compiler.frontend.translate import translated
from slo_compiler.frontend.validate import validate
from slo_compiler.importing.model import Format, Imported, ImportedSLO, Options
from slo_compiler.schema import API_VERSION, Tenant
from slo_compiler.source import SourceFile, read_documents
from slo_compiler.unit import Settings


@dataclass(frozen=True, slots=True)
class Written:
    """A manifest, None if nothing was left for it; and how many SLOs came and went."""

    text: str | None
    slos: int
    refused: int
    approximated: int = 0  # of those that came


class _Dumper(yaml.SafeDumper):
    """Writes numbers as they were written, long texts as blocks, and no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002
        return True


def _number(dumper: yaml.SafeDumper, value: Decimal) -> yaml.Node:
    text = f"{value:f}"
    return dumper.represent_scalar(f"tag:yaml.org,2002:{'float' if '.' in text else 'int'}", text)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(Decimal, _number)
_Dumper.add_representer(str, _text)


def import_files(
    format_: Format,
    files: Sequence[SourceFile],
    options: Options,
    report: Report,
) -> Written:
    """Make the manifest of a tenant out of foreign files.

    An SLO with an error is left out; the others are written.
    """
    read = [
        (file, each) for file in files for each in read_documents(file.path, file.content, report)
    ]
    if report.failed:
        return Written(None, 0, 0)
    documents = [document for _, document in read]
    tenant, settings = options.tenant, options.settings
    sources = {file.path: file for file in files}
    imported = format_.read(documents, options, report)
    of_files = _comments(report)
    shared = pipeline.read_shared(settings, Report()).environment.shared
    head: dict[str, Any] = {
        "apiVersion": API_VERSION,
        "kind": "Tenant",
        "metadata": {"name": tenant, "owner": _owner(imported, tenant)},
    }
    kept: list[tuple[ImportedSLO, dict[str, Any]]] = []
    seen: dict[tuple[str, str], ImportedSLO] = {}
    policies: dict[str, Any] = {}
    for slo in imported.slos:
        own_policy = slo.policy or imported.policy
        watching = [own_policy] if own_policy else []
        spec = _spec(imported, watching) | _routes(tenant, settings, watching)
        document = translated(slo.document, {**head, "spec": {**spec, "slos": [slo.data]}})
        own = slo.report
        model = None if own.failed else validate(Tenant, document, own)
        if isinstance(model, Tenant):
            manifest = Manifest(model, document, sources[slo.document.path])
            found = resolving.resolve([*shared, manifest], settings.spec, own)
            with suppress(CompileError):  # whose findings are this SLO's
                own.raise_if_failed()
                planning.build(found.tenants, settings.spec, document.locate(), own)
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
                policies.setdefault(own_policy["name"], own_policy)
    refused = len(imported.slos) - len(kept)
    if not kept:
        return Written(None, 0, refused)
    used = [policies[name] for name in sorted(policies)]
    routes = _routes(tenant, settings, used)
    plain = translated(documents[0], {**head, "spec": _spec(imported, used)}).data
    parts = [
        f"# Imported from {format_.name}: {len(kept)} of {len(imported.slos)} SLOs.",
        *of_files,
        _yaml(plain).rstrip("\n"),
        *(["  # Decide where alerts go: the other tool leaves that open."] if routes else []),
        *([_indented(_yaml(routes), 2)] if routes else []),
        "  slos:",
    ]
    for slo, data in kept:
        parts += [f"  # {_line(slo.at)}", *(f"  {each}" for each in _comments(slo.report))]
        parts.append(_indented(_yaml([data]), 2))
    changed = sum(any(_is_change(d) for d in slo.report.diagnostics) for slo, _ in kept)
    return Written("\n".join(parts) + "\n", len(kept), refused, changed)


def _is_change(found: Diagnostic) -> bool:
    return found.severity is Severity.WARNING and found.id.startswith("import-")


def _spec(imported: Imported, policies: Sequence[dict[str, Any]]) -> dict[str, Any]:
    defaults = {"period": imported.period}
    usual = imported.policy["name"] if imported.policy else None
    if any(policy["name"] == usual for policy in policies):
        defaults["policy"] = usual
    if imported.alert_name:
        defaults["name"] = imported.alert_name
    return {"defaults": defaults} | ({"policies": [*policies]} if policies else {})


def _routes(tenant: str, settings: Settings, policies: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Give a channel to begin with: its address is in a file, which is the tenant's to write."""
    folder = (settings.spec.secrets or "/etc/alertmanager/secrets/{tenant}/").rstrip("/")
    severities = dict.fromkeys(tier["severity"] for each in policies for tier in each["tiers"])
    if not severities:
        return {}
    file = f"{folder.replace('{tenant}', tenant)}/webhook"
    return {
        "channels": [{"name": "alerts", "webhook": {"url_file": file}}],
        "escalation": [{"severity": severity, "notify": ["alerts"]} for severity in severities],
    }


def _owner(imported: Imported, tenant: str) -> str:
    return next(iter(imported.owners)) if len(imported.owners) == 1 else tenant


def _yaml(data: Any) -> str:  # noqa: ANN401
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def _indented(text: str, by: int) -> str:
    return "\n".join(f"{' ' * by}{line}" if line else "" for line in text.rstrip("\n").split("\n"))


def _comments(report: Report) -> list[str]:
    found = [d for d in report.diagnostics if d.severity is not Severity.ERROR]
    return [f"# {_line(d.position)}: {_line(d.message)}" for d in found]


def _line(text: object) -> str:
    """Give a text as one line of a comment, which it cannot leave."""
    one = " ".join(str(text).split())
    return "".join(char if char.isprintable() else "?" for char in one)
