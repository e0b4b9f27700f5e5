"""Alertmanager's whole configuration as a Secret, which the Prometheus Operator's object names.

Decision: secrets of channels stay the files that the manifests name. The operator mounts Secrets at
/etc/alertmanager/secrets/NAME/KEY, so that this one contains none and can be in a repo.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.emit import alertmanager
from slo_compiler.emit.artefact import Artefact
from slo_compiler.emit.emitter import ProjectContext
from slo_compiler.templating import render

LIMIT = 1024 * 1024  # bytes of a Secret
_MOUNT = re.compile(r"/etc/alertmanager/secrets/([a-z0-9]([a-z0-9.-]*[a-z0-9])?)/[^/]+")
_KEYS = {
    naming.ALERTMANAGER_FILE: "alertmanager.yaml",
    naming.TEMPLATES_FILE: naming.TEMPLATES_FILE.rpartition("/")[2],
}


def operator_secret(
    facts: Sequence[alertmanager.Facts], context: ProjectContext, report: Report
) -> tuple[Artefact, ...]:
    """Render the Secret, if the project names one; amtool checks the configuration alone."""
    spec = context.spec.operator
    if spec.config_secret is None:
        return ()
    artefacts = alertmanager.project(facts, context, report).artefacts
    files = [(_KEYS[artefact.path], artefact.text.strip()) for artefact in artefacts]
    size = sum(len(text.encode()) for _, text in files)
    if size > LIMIT:
        report.error(
            context.heartbeat,
            "object-too-large",
            f"Alertmanager's configuration has {size:,} bytes, and a Secret holds {LIMIT:,}",
            "write the texts of notifications once: alertmanager: {templates: "
            "/etc/alertmanager/config/slo.tmpl}",
        )
    text = render(
        "emit/secret.yml.j2",
        name=spec.config_secret,
        namespace=spec.namespace,
        labels=sorted(spec.labels.items()),
        mounted=sorted({*_mounted(facts)}),
        files=files,
    )
    return tuple(
        Artefact(
            naming.OPERATOR_SECRET_FILE, text, "amtool", artefact.origins, checked=artefact.text
        )
        for artefact in artefacts
        if artefact.path == naming.ALERTMANAGER_FILE
    )


def _mounted(facts: Sequence[alertmanager.Facts]) -> Iterator[str]:
    """Name the Secrets that have the files of channels."""
    for each in facts:
        for receiver in each.routing.receivers:
            for integration in receiver.integrations:
                for _, path in integration.kind.secret_files():
                    if found := _MOUNT.fullmatch(path):
                        yield found[1]
