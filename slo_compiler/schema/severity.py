"""How urgent alerts are: the project's severities, most urgent first, and their values in alerts.

Manifests use the names; alerts, routes and inhibitions carry the values, which an organisation may
have chosen long ago. A value is used in matchers and in a regular expression, so it is plain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Discriminator, Tag, WithJsonSchema

from slo_compiler import naming
from slo_compiler.schema.base import Strict, invalid, shown
from slo_compiler.schema.texts import Labels, Name

_LABEL = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9])?")


def _label(value: str) -> str:
    if not _LABEL.fullmatch(value):
        raise invalid(
            "severity",
            f"{shown(value)} cannot be the value of a severity label",
            "use letters, digits, and inner hyphens and underscores, at most 63",
        )
    if value == naming.SEVERITY_HEARTBEAT:
        raise invalid(
            "severity", f'"{value}" is the severity of the watchdogs', "choose another value"
        )
    return value


def _name(value: str) -> str:
    if value.startswith(naming.STEP_PREFIXES):
        raise invalid(
            "severity",
            f"the severity {shown(value)} would be taken for a step of the budget",
            f"choose a name that does not begin with {' or '.join(naming.STEP_PREFIXES)}",
        )
    return value


def _unique(severities: Mapping[str, str | SeveritySpec]) -> Mapping[str, str | SeveritySpec]:
    seen: dict[str, str] = {}
    for name, value in severities.items():
        label = value if isinstance(value, str) else value.label
        if label in seen:
            raise invalid(
                "severity",
                f'"{seen[label]}" and "{name}" have the same label, {shown(label)}',
                "give each severity a label of its own: routes tell them apart by it",
                key=name,
            )
        seen[label] = name
    return severities


SeverityLabel = Annotated[
    str,
    AfterValidator(_label),
    WithJsonSchema({"type": "string", "pattern": f"^{_LABEL.pattern}$"}),
]


class SeveritySpec(Strict):
    """The value of the `severity` label, and labels that alerts of this severity get beside it."""

    label: SeverityLabel
    labels: Labels = {}


def _which(value: object) -> str:
    return "mapping" if isinstance(value, dict | SeveritySpec) else "text"


Severities = Annotated[
    dict[
        Annotated[Name, AfterValidator(_name)],
        Annotated[
            Annotated[SeverityLabel, Tag("text")] | Annotated[SeveritySpec, Tag("mapping")],
            Discriminator(_which),
        ],
    ],
    AfterValidator(_unique),
]


@dataclass(frozen=True, slots=True)
class SeverityLevel:
    """One severity: its name in manifests, its label's value, and the labels beside it."""

    name: str
    label: str
    labels: Mapping[str, str]


def severities_of(spec: Mapping[str, str | SeveritySpec]) -> tuple[SeverityLevel, ...]:
    """Give a project's severities, most urgent first."""
    return tuple(
        SeverityLevel(name, value, {})
        if isinstance(value, str)
        else SeverityLevel(name, value.label, dict(sorted(value.labels.items())))
        for name, value in spec.items()
    )


DEFAULT_SEVERITIES: dict[str, str | SeveritySpec] = {"page": "page", "ticket": "ticket"}
BY_DEFAULT: Sequence[SeverityLevel] = severities_of(DEFAULT_SEVERITIES)
