"""Texts of alerts that Prometheus fills in: annotations and links.

Prometheus runs an annotation as a template, which may query whatever it stores. So of its language
two forms are taken, `{{ $labels.NAME }}` and `{{ $value }}`, and written anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from slo_compiler import naming
from slo_compiler.diagnostics import nearest
from slo_compiler.schema.base import invalid, shown, string
from slo_compiler.schema.texts import LABEL_NAME, LabelName, Line, plain_text

PLACEHOLDERS = ("service", "slo", "tenant")  # of links, in braces: filled in when compiling
# Labels of alerts that the series beneath lack, so that Prometheus could not fill them in.
CONSTANT_LABELS = (naming.SEVERITY, naming.TIER)

_VALUE = "value"
_HTTP = re.compile(r"https?://(?:[^{}/?#@\s]|\{[a-z_]+\})+(?:[/?#]|$)")
_WRITE = "write https://..., without spaces"
_ENCODE = {'"': "%22", "<": "%3C", ">": "%3E", "\\": "%5C"}
# A space ends a link, and these end what it is put into; a browser reads a backslash as a slash.
_ENDING = re.compile(r"[\s<>\"\\]")
_ACTION = re.compile(
    rf"\{{\{{\s*\$(?:labels\.(?P<label>{LABEL_NAME.pattern})|(?P<value>{_VALUE}))\s*\}}\}}"
)


@dataclass(frozen=True, slots=True)
class TextReference:
    """A part of a text that Prometheus fills in: a label, or the alert's value."""

    label: str | None


def parts(text: str) -> Iterator[str | TextReference]:
    """Split a text at what Prometheus fills in; what is no reference is plain text."""
    end = 0
    for found in _ACTION.finditer(text):
        yield text[end : found.start()]
        yield TextReference(found["label"])
        end = found.end()
    yield text[end:]


def labels_read(text: str) -> list[str]:
    """Give the labels that a text refers to."""
    return [part.label for part in parts(text) if isinstance(part, TextReference) and part.label]


def filled(text: str, constants: Mapping[str, str], *, escaped: bool = False) -> str:
    """Write a text as Prometheus takes it; in a URL, values are escaped.

    `urlquery` is of Go's own templates, so that all versions have it. It writes a space as `+`,
    which means a space in a query only; a `+` of the value is `%2B` by then.
    """
    if "{{" not in text:
        return text
    escape = ' | urlquery | reReplaceAll "[+]" "%20"' if escaped else ""
    written = []
    for part in parts(text):
        if isinstance(part, str):
            written.append(part)
        elif part.label is None:
            written.append(f"{{{{ $value{escape} }}}}")
        else:
            labelled = f"{{{{ $labels.{part.label}{escape} }}}}"
            written.append(constants.get(part.label, labelled))
    return "".join(written)


def _annotation_text(value: object) -> str:
    text = string(value)
    pieces = [*parts(text)]
    # `{` before a reference would begin another one, three braces wide.
    plain = [part for part in pieces if isinstance(part, str)]
    if any("{{" in part for part in plain) or any(part.endswith("{") for part in plain[:-1]):
        raise invalid(
            "template-in-text",
            'of what begins with "{{" only {{ $labels.NAME }} and {{ $value }} are allowed here',
            "Prometheus would run all else as a template, for which no tenants exist",
        )
    for part in plain:
        plain_text(part)
    return text


def _advice(link: str) -> str:
    """Return how to turn a text that is no link into one."""
    host = re.split(r"[/?#]", link.partition("://")[2])[0]
    if host.startswith("{{"):
        return "a label may be in the path or the query, not in the host"
    if "@" in host:
        return "leave out what is before the @: the host is after it"
    ending = _ENDING.search(_ACTION.sub("", link))
    encoded = _ENCODE.get(ending[0]) if ending else None
    return f"write {ending[0]} as {encoded}" if ending and encoded else _WRITE


def _link(value: object) -> str:
    link = _annotation_text(value)
    # A person clicks it in a chat: no script, no file, and no host that a series names.
    if not _HTTP.match(link) or _ENDING.search(_ACTION.sub("", link)):
        raise invalid("link", f"{shown(value)} is no link", _advice(link))
    for part in parts(link):
        for name in re.findall(r"\{([a-z_]+)\}", part) if isinstance(part, str) else ():
            if name not in PLACEHOLDERS:
                raise invalid(
                    "placeholder",
                    f"no placeholder {{{name}}}",
                    nearest(name, PLACEHOLDERS),
                )
    return link


# Annotations with the evidence for an alert; no text takes their place.
EVIDENCE = (
    "title",
    "series",
    "evidence",
    "burn_rate",
    "error_ratio",
    "threshold",
    "guard",
    "budget_remaining",
    "time_to_exhaustion",
    "objective",
    "depends_on",
    "manifest",
)
# Annotations that the texts of notifications have a place for.
KNOWN = ("summary", "description", *EVIDENCE, "runbook_url", "dashboard_url")
_LINKS = {"runbook_url": "runbook", "dashboard_url": "dashboard"}


def _annotation_name(value: object) -> str:
    name = string(value)
    if not LABEL_NAME.fullmatch(name) or name.startswith("__"):
        raise invalid(
            "annotation-name",
            f"{shown(value)} is not the name of an annotation",
            "use letters, digits and underscores, the first no digit, and not two underscores",
        )
    if name in EVIDENCE:
        raise invalid(
            "reserved-annotation",
            f'the annotation "{name}" is set by the compiler',
            "choose another name; summary and description may be replaced",
        )
    if name in _LINKS:
        raise invalid(
            "reserved-annotation",
            f'the annotation "{name}" is made of {_LINKS[name]}',
            f"write it beside annotations: {_LINKS[name]}: https://...",
        )
    return name


_ALERT_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{0,127}")


def _alert_name(value: object) -> str:
    name = string(value)
    if not _ALERT_NAME.fullmatch(name):
        raise invalid(
            "alert-name",
            f"{shown(value)} is not a name for an alert",
            "use letters, digits and underscores, the first a letter, at most 128",
        )
    if name in naming.ALERTS:
        raise invalid(
            "alert-name",
            f'"{name}" is the name of an alert of the compiler\'s own',
            "choose another name, or leave it out",
        )
    return name


# What to write for labels that have a key of their own.
_KEYS = {
    naming.SEVERITY: "the project gives its values: severities: {page: critical, ticket: warning}",
    "alertname": "write it as name: CheckoutBurnsBudget",
    "owner": "write it in metadata: {owner: ...}",
}


def _alert_label(value: object) -> object:
    if isinstance(value, str) and value in _KEYS:
        raise invalid("reserved-label", f'the label "{value}" is set by the compiler', _KEYS[value])
    return value


_NO_TEMPLATE = {"not": {"pattern": r"\{\{(?!\s*\$(labels\.[a-zA-Z_][a-zA-Z0-9_]*|value)\s*\}\})"}}
AnnotationText = Annotated[
    str,
    BeforeValidator(_annotation_text),
    WithJsonSchema({"type": "string", **_NO_TEMPLATE}),
]
Link = Annotated[
    str,
    BeforeValidator(_link),
    WithJsonSchema({"type": "string", "pattern": "^https?://", **_NO_TEMPLATE}),
]
AnnotationName = Annotated[
    str,
    BeforeValidator(_annotation_name),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^{LABEL_NAME.pattern}$",
            "not": {"enum": sorted((*EVIDENCE, *_LINKS))},
        }
    ),
]
AlertLabels = dict[Annotated[LabelName, BeforeValidator(_alert_label)], Line]
Annotations = dict[AnnotationName, AnnotationText]
AlertName = Annotated[
    str,
    BeforeValidator(_alert_name),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^{_ALERT_NAME.pattern}$",
            "not": {"enum": sorted(naming.ALERTS)},
        }
    ),
]
