"""SLOs of other tools' files in a tenant's own manifest: each value keeps its foreign place."""

from __future__ import annotations

from typing import Any

from slo_compiler.diagnostics import Report
from slo_compiler.documents import read_documents
from slo_compiler.duration import Duration
from slo_compiler.frontend.overlay import Origin, Overlay
from slo_compiler.frontend.template import STAND_IN, Places
from slo_compiler.frontend.translate import From, belonging, places_of
from slo_compiler.importing.files import KEY, entries
from slo_compiler.importing.model import Format, Imported, ImportedSLO, Options
from slo_compiler.settings import Settings
from slo_compiler.source import Document, Loc, SourceFile

_SPEC: Loc = ("spec",)


def with_imports(
    settings: Settings, document: Document, file: SourceFile, report: Report
) -> tuple[Document, frozenset[Loc]]:
    """Add the SLOs and policies of the files that a tenant's document imports.

    Returns:
        The document, and the paths of what is missing, because its files have errors.
    """
    named = [*entries(document.data)]
    if not named:
        return document, frozenset()
    before = report.failed
    report.extend(file.problems)
    added = _Added(document, settings)
    for index, entry in named:
        added.take(index, entry, dict(file.imports or ()), report)
    if added.is_empty and report.failed and not before:
        return added.document(), frozenset({_SPEC})  # nothing is certain without any SLO
    lost = {(*_SPEC, "slos")} if report.failed and not before else set()
    return added.document(), frozenset(lost)


class _Added:
    """A tenant's document while SLOs are added to it."""

    def __init__(self, document: Document, settings: Settings) -> None:
        self._own, self._settings = document, settings
        spec = document.data["spec"]
        self._slos = [*spec["slos"]] if isinstance(spec.get("slos"), list) else []
        given = spec.get("policies")
        self._policies = [*given] if isinstance(given, list) else []
        self._names = {each.get("name") for each in self._policies if isinstance(each, dict)}
        self._added: dict[str, Any] = {}  # policies, by name
        self._places: Places = {}

    @property
    def is_empty(self) -> bool:
        """Whether there is no SLO at all."""
        return not self._slos

    def take(
        self,
        index: int,
        entry: dict[str, Any],
        files: dict[str, tuple[SourceFile, ...]],
        report: Report,
    ) -> None:
        """Read the files of one entry."""
        from slo_compiler.importing.formats import FORMATS  # noqa: PLC0415  (few projects need it)

        formats = {each.name: each for each in FORMATS if not each.says_tenant}
        format_ = formats.get(str(entry.get("format")))
        names = entry.get("files")
        listed = (
            [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
        )
        sources = {each.path: each for name in listed for each in files.get(name, ())}
        if format_ is None or not sources or len(sources) < len(listed):
            found = [name for name in listed if name in files]
            if format_ is None or not found:
                return  # the schema, or what looked for the files, has reported why
        own = Report()
        documents = [
            each
            for source in sources.values()
            for each in read_documents(source.path, source.content, own)
        ]
        report.extend(own.diagnostics)
        if own.failed or not documents:
            return
        self._read(format_, documents, index, entry, report)

    def _read(
        self,
        format_: Format,
        documents: list[Document],
        index: int,
        entry: dict[str, Any],
        report: Report,
    ) -> None:
        metadata = self._own.data.get("metadata")
        tenant = metadata.get("name") if isinstance(metadata, dict) else None
        place: Loc = (*_SPEC, KEY, index)
        period = entry.get("period")
        if period is not None and not format_.takes_period:
            at = self._own.locate((*place, "period"), key=True)
            text = f"{format_.name} names the period of each SLO itself"
            report.error(at, "import-refused", text, "remove it")
            return
        options = Options(str(tenant or "tenant"), self._settings, _plain_period(period))
        own = Report()
        imported = format_.read(documents, options, own).tenants[options.tenant]
        report.extend(own.diagnostics)
        policy = entry.get("policy")
        for slo in imported.slos:
            report.extend(slo.report.diagnostics)
            if slo.report.failed:
                continue
            if policy is not None:
                loc = (*place, "policy")
                self._add(slo, imported, From(policy, loc, (), self._own))
            else:
                self._add(slo, imported, None)

    def _add(self, slo: ImportedSLO, imported: Imported, policy: From | None) -> None:
        """Add an SLO, with what the import's manifest has as defaults."""
        name = slo.data.get("name")
        loc = name.loc if isinstance(name, From) else ()
        data = dict(slo.data)
        data.setdefault("period", imported.period)
        alerting = data.get("alerting", {})
        if alerting != "none":
            used = slo.policy or imported.policy
            alerting = {**alerting}
            if policy is not None:
                alerting["policy"] = policy
            elif used is not None:
                alerting["policy"] = self._policy(used, slo.document)
            if imported.alert_name:
                alerting.setdefault("name", imported.alert_name)
            data["alerting"] = alerting
        whole = From(data, loc, (), slo.document)
        self._slos.append(self._placed(whole, (*_SPEC, "slos", len(self._slos)), slo.document))

    def _policy(self, policy: dict[str, Any], document: Document) -> str:
        """Add a policy; one of the same name in the manifest is taken instead."""
        name = str(policy["name"])
        if name in self._names:
            return name
        number, base = 2, name
        plain = [_plain(each) for each in policy["tiers"]]
        while name in self._names or self._added.get(name, plain) != plain:
            name, number = f"{base}-{number}", number + 1
        if name not in self._added:
            self._added[name] = plain
            loc = (*_SPEC, "policies", len(self._policies))
            whole = From({**policy, "name": name}, (), (), document)
            self._policies.append(self._placed(whole, loc, document))
        return name

    def _placed(self, value: From, loc: Loc, document: Document) -> Any:  # noqa: ANN401
        data, places = places_of(document, belonging(value, document), loc)
        self._places |= places
        return data

    def document(self) -> Document:
        """Give the document with all that was added."""
        own = self._own
        spec = {**own.data["spec"], "slos": self._slos}
        if self._policies:
            spec["policies"] = self._policies
        if self.is_empty and "slos" not in own.data["spec"]:
            spec["slos"] = [STAND_IN]  # so that all else is checked
        data = {**own.data, "spec": spec}
        places = {(): Origin(own, ()), **self._places}
        return Overlay(own.path, data, own.node, own.lines, own, places)


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, From):
        return _plain(value.data)
    return {key: _plain(each) for key, each in value.items()} if isinstance(value, dict) else value


def _plain_period(value: object) -> str | None:
    """Give the period as text, as the command line has it; what is no span is for the schema."""
    if not isinstance(value, str):
        return None
    try:
        return str(Duration.parse(value))
    except ValueError:
        return None
