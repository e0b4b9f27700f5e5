"""What manifests declare for the lints: which are off and why, expected traffic, retention."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from slo_compiler.duration import Duration
from slo_compiler.schema.base import Strict, invalid, shown
from slo_compiler.schema.quantities import Count
from slo_compiler.schema.texts import Name, Text


def _retention(value: object) -> Duration:
    """Read a span that may be longer than any window or period."""
    if isinstance(value, Duration):
        return value
    try:
        return Duration.parse(value if isinstance(value, str) else "")
    except ValueError:
        message = f"expected a span of time such as 45d or 1y, found {shown(value)}"
        raise invalid("duration", message) from None


def _reason(value: object) -> object:
    if isinstance(value, str) and not value.strip():
        raise invalid("reason", "the reason is empty", "say why, for whoever reads this next")
    return value


Retention = Annotated[
    Duration,
    BeforeValidator(_retention),
    WithJsonSchema({"type": "string", "examples": ["45d", "1y"]}),
]


class Traffic(Strict):
    """How much an SLO expects to count on a usual day; with `by`, each of its series."""

    events_per_day: Count


class LintSwitch(Strict):
    """A lint that does not apply, here or to some tenants, and why."""

    id: Name
    reason: Annotated[Text, BeforeValidator(_reason)]
    tenants: list[Name] | None = Field(default=None, min_length=1)


class LintSpec(Strict):
    """Which lints are off, and which ones a tenant's comment cannot switch off."""

    disable: list[LintSwitch] = []
    locked: list[Name] = []
