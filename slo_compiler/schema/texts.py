"""Field types that are texts: names, lines, paths, labels; each refuses what is wrong."""

from __future__ import annotations

import re
from typing import Annotated

from slo_compiler.characters import REORDERING, UNSEEN
from slo_compiler.naming import RESERVED_LABELS
from slo_compiler.schema.base import invalid, shown, string, typed

DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# The name of an SLO or a service is the value of a label, and neither a file's nor a receiver's.
SLO_NAME = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?")
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
# Controls, what is not seen or reorders the text around it, and what ends a line unseen.
_CONTROL = re.compile(
    rf"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff{REORDERING}{UNSEEN}]"
)


def _name(value: object) -> str:
    name = string(value)
    if not DNS_LABEL.fullmatch(name):
        raise invalid(
            "name",
            f"{shown(value)} is not a DNS label",
            "use lowercase letters, digits and inner hyphens, at most 63",
        )
    return name


def _slo_name(value: object) -> str:
    name = string(value)
    if not SLO_NAME.fullmatch(name):
        raise invalid(
            "name",
            f"{shown(value)} is no name of an SLO or a service",
            "use letters, digits and inner hyphens, underscores and dots, at most 63",
        )
    return name


def plain_text(value: object) -> str:
    """Take text that nothing runs as a template."""
    value = string(value)
    if "{{" in value:
        raise invalid(
            "template-in-text",
            '"{{" is not allowed here',
            "Prometheus and Alertmanager would run it as a template, untenanted",
        )
    if found := _CONTROL.search(value):
        raise invalid(
            "control-character",
            f"the text holds the control character U+{ord(found[0]):04X}",
            "remove it",
        )
    return value


def line(value: object) -> str:
    """Take plain text without a line break: it ends up in a header, a title or a table."""
    text = plain_text(value)
    if "\n" in text:
        raise invalid("line-break", "one line is expected here, found several", "join the lines")
    return text


def _path(value: object) -> str:
    """Take the path of a file or a folder that the system can have."""
    text = line(value)
    longest = max((len(part.encode()) for part in text.split("/")), default=0)
    for what, size, most in (
        ("a name in the path", longest, _MAX_NAME),
        ("the path", len(text.encode()), _MAX_PATH),
    ):
        if size > most:
            raise invalid(
                "path-too-long",
                f"{what} has {size:,} bytes; systems allow {most:,}",
                "name a file or folder that can exist",
            )
    return text


_MAX_NAME, _MAX_PATH = 255, 4_000  # bytes; of Linux and macOS, with room for the project's folder


def _slo_reference(value: object) -> str:
    text = string(value)
    parts = text.split("/")
    names = parts[-2:]
    tenant = parts[:-2]
    good = len(parts) in (2, 3) and all(map(SLO_NAME.fullmatch, names))
    if not good or not all(map(DNS_LABEL.fullmatch, tenant)):
        raise invalid(
            "slo-reference",
            f"{shown(value)} does not name an SLO",
            "write tenant/service/slo, or service/slo for one of this tenant",
        )
    return text


def _label_name(value: object) -> str:
    name = _source_label(value)
    _refuse_reserved(name, "choose another name")
    return name


def _refuse_reserved(name: str, advice: str) -> None:
    if name in RESERVED_LABELS:
        raise invalid("reserved-label", f'the label "{name}" is set by the compiler', advice)


def _by_label(value: object) -> str:
    name = _source_label(value)
    advice = "leave it out: buckets are no series of their own"
    if name != "le":
        advice = f"record it by another name, such as by: {{query_{name}: {name}}}"
    _refuse_reserved(name, advice)
    return name


def _source_label(value: object) -> str:
    name = string(value)
    if not LABEL_NAME.fullmatch(name) or name.startswith("__"):
        raise invalid(
            "label-name",
            f"{shown(value)} is not a label name",
            "use letters, digits and underscores, the first no digit, and not two underscores",
        )
    return name


def _version(value: object) -> str:
    text = str(value)
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,3}\.[0-9]{1,3}(\.[0-9]{1,3})?", text):
        raise invalid("version", f'expected a version such as "3.5", found {shown(value)}')
    return text


def _secret_file(value: object) -> str:
    path = line(value)
    if not path.startswith("/"):
        raise invalid(
            "secret-path",
            f"{shown(path)} is not an absolute path",
            "name the file as Alertmanager will see it",
        )
    parts = path.split("/")[1:]
    if any(part in ("", ".", "..") for part in parts):
        raise invalid(
            "secret-path", f"{shown(path)} is not a plain path", "write it without //, . or .."
        )
    return path


SLOName = Annotated[str, *typed(_slo_name, {"type": "string", "pattern": f"^{SLO_NAME.pattern}$"})]
Name = Annotated[str, *typed(_name, {"type": "string", "pattern": f"^{DNS_LABEL.pattern}$"})]
Text = Annotated[str, *typed(plain_text, {"type": "string", "not": {"pattern": r"\{\{"}})]
Line = Annotated[str, *typed(line, {"type": "string", "not": {"pattern": r"\{\{|\n"}})]
FilePath = Annotated[str, *typed(_path, {"type": "string", "not": {"pattern": r"\{\{|\n"}})]
SLOReference = Annotated[
    str,
    *typed(
        _slo_reference,
        {"type": "string", "pattern": "^([a-z0-9-]+/)?[a-zA-Z0-9_.-]+/[a-zA-Z0-9_.-]+$"},
    ),
]
Version = Annotated[str, *typed(_version, {"type": "string", "examples": ["3.5"]})]
SecretFile = Annotated[str, *typed(_secret_file, {"type": "string", "pattern": "^/"})]
_LABEL_SCHEMA = {
    "type": "string",
    "pattern": f"^{LABEL_NAME.pattern}$",
    "not": {"enum": sorted(RESERVED_LABELS)},
}
LabelName = Annotated[str, *typed(_label_name, _LABEL_SCHEMA)]
ByLabel = Annotated[str, *typed(_by_label, _LABEL_SCHEMA)]  # a label that queries have
SourceLabel = Annotated[  # a label that queries have, and series get by another name
    str, *typed(_source_label, {"type": "string", "pattern": f"^{LABEL_NAME.pattern}$"})
]
Labels = dict[LabelName, Line]
