"""What the alerts of an SLO are called, and which labels and annotations users put on them.

The nearest wins: what an SLO sets comes before what its tenant sets, and that before the project.
At each of them, a tier's texts come before those of its severity, and those before all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from slo_compiler.diagnostics import Position, Report, nearest
from slo_compiler.naming import IDENTITY
from slo_compiler.resolve.inherit import SourceLevel
from slo_compiler.resolve.model import ResolvedSLO
from slo_compiler.schema import Alerting, AlertMetadata
from slo_compiler.schema.annotation import CONSTANT_LABELS, labels_read
from slo_compiler.source import Loc


@dataclass(frozen=True, slots=True)
class UserMetadata:
    """Name, labels and annotations of some of an SLO's alerts, as users want them."""

    name: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)  # sorted
    annotations: Mapping[str, str] = field(default_factory=dict)  # sorted

    @property
    def is_empty(self) -> bool:
        """Whether users want nothing of their own."""
        return not (self.name or self.labels or self.annotations)

    @property
    def key(self) -> tuple[object, ...]:
        """A key that is equal for equal metadata."""
        return (self.name, (*self.labels.items(),), (*self.annotations.items(),))


def metadata_of(slo: ResolvedSLO, severity: str, tier: str | None = None) -> UserMetadata:
    """Join all metadata of the alerts of a severity, and of a tier if they have one."""
    name: str | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    for _, alerting in slo.inherited.metadata:
        for part in (alerting, alerting.severities.get(severity), alerting.tiers.get(tier or "")):
            if part is not None:
                name = part.name or name
                labels |= part.labels
                annotations |= part.annotations
    return UserMetadata(name, dict(sorted(labels.items())), dict(sorted(annotations.items())))


def renames(slo: ResolvedSLO) -> bool:
    """Whether any of an SLO's alerts may have a name of its own."""
    return any(
        part.name for _, alerting in slo.inherited.metadata for _, part in metadata_parts(alerting)
    )


def metadata_parts(alerting: Alerting) -> Iterator[tuple[Loc, AlertMetadata]]:
    """Give the parts of one level, each with its path there: of all alerts, then of some."""
    yield (), alerting
    yield from ((("severities", name), part) for name, part in alerting.severities.items())
    yield from ((("tiers", name), part) for name, part in alerting.tiers.items())


def check_metadata(slo: ResolvedSLO, report: Report) -> None:
    """Refuse references to labels that the alerts of an SLO lack, in its own words or inherited."""
    known = (*IDENTITY, *CONSTANT_LABELS, *slo.by)
    for level, path, text in _texts(slo):
        for label in labels_read(text):
            if label not in known:
                at, who = _place(slo, level)
                report.error(
                    slo.document.locate((*at, *path)) if at else slo.at("name"),
                    "unknown-label",
                    f'the alerts of {slo.spec.service}/{slo.spec.name} have no label "{label}"'
                    + who,
                    nearest(label, known),
                )


def _texts(slo: ResolvedSLO) -> Iterator[tuple[SourceLevel, Loc, str]]:
    """Give the texts in use, with their level, and their path there."""
    replaced: set[str] = set()
    for level, alerting in reversed(slo.inherited.metadata):
        for path, part in metadata_parts(alerting):
            for name, text in part.annotations.items():
                if name not in replaced:
                    yield level, (*path, "annotations", name), text
        replaced |= {*alerting.annotations}
    for key in ("runbook", "dashboard"):
        if key in slo.inherited.sourced:
            own_link = slo.inherited.sourced[key]
            yield own_link.level, (key,), own_link.value


def check_severity_names(
    alerting: Alerting,
    severities: Mapping[str, object],
    at: Callable[..., Position],
    report: Report,
) -> None:
    """Refuse words about severities that the project lacks; `at` gives the place of a path."""
    for name in alerting.severities:
        if name not in severities:
            report.error(
                at("severities", name),
                "undefined-severity",
                f'no severity "{name}"',
                nearest(name, severities),
            )


def _place(slo: ResolvedSLO, level: SourceLevel) -> tuple[Loc, str]:
    """Give where a level is in the SLO's document, if it is there, and words for it if not."""
    match level:
        case SourceLevel.SLO:
            return (*slo.loc, "alerting"), ""
        case SourceLevel.TENANT:
            return ("spec", "defaults"), ""
        case _:
            return (), ", which the project's defaults name"
