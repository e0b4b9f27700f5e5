"""Files of Prometheus rules, and PrometheusRule objects: each rule with its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from slo_compiler.diagnostics import Position, Report
from slo_compiler.importing.part import Section
from slo_compiler.importing.rules_text import Operand
from slo_compiler.schema.base import shown
from slo_compiler.source import Document


@dataclass(slots=True)
class FoundRule:
    """One rule, and whether it is a part of what was understood."""

    section: Section
    name: str
    alerts: bool
    expr: Operand | None  # None if it is longer than what is looked at
    labels: dict[str, str]
    used: bool = False
    why: str = field(default="")  # it was not understood

    @property
    def at(self) -> Position:
        """Place of its name."""
        return self.section.at("alert" if self.alerts else "record")

    @property
    def described(self) -> str:
        """What it is in a message."""
        return f"the {'alert' if self.alerts else 'recording rule'} {shown(self.name)}"


def read_rules(documents: Sequence[Document], report: Report) -> list[FoundRule]:
    """Read the rules of all documents; what is no rule is an error."""
    return [rule for document in documents for rule in _document(document, report)]


def _document(document: Document, report: Report) -> Iterator[FoundRule]:
    top = Section.of(document, (), document.data, report)
    holder = top
    if top.data.get("kind") == "PrometheusRule":
        holder = top.part("spec")
    if not isinstance(holder.data.get("groups"), list):
        text = "this is no file of Prometheus rules"
        holder.refuse("groups", text, "it has a list of groups, each with rules")
        return
    for group in holder.parts("groups", report):
        for section in group.parts("rules", report):
            yield from _rule(section)


def _rule(section: Section) -> Iterator[FoundRule]:
    name = section.text("alert") or section.text("record")
    expr = section.text("expr")
    if name is None or expr is None:
        if name is None:
            key = section.document.locate(section.loc)
            text = "a rule has alert or record, and expr"
            section.report.error(key, "import-refused", text)
        else:
            section.refuse("expr", 'the key "expr" is missing')
        return
    labels = section.part("labels").data
    plain = {key: value for key, value in labels.items() if isinstance(value, str)}
    yield FoundRule(section, name, "alert" in section.data, Operand.of(expr), plain)
