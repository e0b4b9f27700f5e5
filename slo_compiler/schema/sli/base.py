"""What every SLI type declares: its key, and which queries become events and errors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Annotated, ClassVar, get_args, get_type_hints

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator

from slo_compiler.schema.base import Strict, how_to_quote, invalid, shown
from slo_compiler.schema.texts import ByLabel, LabelName, SourceLabel


class HoldsQuery:
    """Marks a field's type: its text is a query."""


Query = Annotated[str, HoldsQuery(), Field(min_length=1)]
_MOST = 16  # queries in a list


def _queries(value: object) -> str | list[str]:
    if not isinstance(value, list):
        return _query(value)
    if not 0 < len(value) <= _MOST:
        count = f"{len(value):,}" if value else "none"
        raise invalid("length", f"expected 1 to {_MOST} queries, found {count}")
    return [_query(query) for query in value]


def _query(value: object) -> str:
    if not isinstance(value, str):
        raise invalid("type", f"expected text, found {shown(value)}", how_to_quote(value))
    if not value:
        raise invalid("length", "the text is empty", "write something, or remove the key")
    return value


# One query, or several that are added up.
Queries = Annotated[
    str | list[str],
    HoldsQuery(),
    BeforeValidator(_queries),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {
                    "type": "array",
                    "items": {"type": "string", "minLength": 1},
                    "minItems": 1,
                    "maxItems": _MOST,
                },
            ]
        }
    ),
]


class Reading(Enum):
    """How a query of the manifest is read."""

    RATE = "a counter's selector, or PromQL that yields events per second"
    FAMILY = "a plain selector of a histogram, read as the rate of one series of its family"
    SAMPLES = "a plain selector, each sample of which counts"
    VALUE = "PromQL that yields values, as they are"


@dataclass(frozen=True, slots=True)
class Term:
    """A query of the manifest, or several that are added up, by its key, and how to read it."""

    field: str
    minus: str = ""  # the key of what is taken away from it
    reading: Reading = Reading.RATE
    suffix: str = ""  # of a family: such as _bucket
    matcher: str = ""  # of a family: such as le="0.3"


class Second(Enum):
    """What the second query of a pair counts."""

    ERRORS = "events that failed"
    GOOD = "events that did not"
    SAME = "the events themselves: which of them failed is seen in their values"


class Missing(Enum):
    """What it means that the second query has no series while the first one has."""

    ZERO = "nothing was counted yet: no errors, or no good events"
    BROKEN = "the second query is wrong: there is no value"


class Measure(Enum):
    """What an event of an SLI is."""

    REQUESTS = "an increment of a counter"
    SECONDS = "a second of one series, which is sampled"


@dataclass(frozen=True, slots=True)
class BasePair:
    """How an SLI becomes errors and events: two terms, what they mean, and how they are written.

    The templates are those of templates/promql/sli/; they get the terms' isolated expressions and
    the `values`.
    """

    events: Term
    second: Term
    counts: Second
    missing: Missing
    measure: Measure
    events_template: str
    errors_template: str
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def of_two_counters(self) -> bool:
        """Whether events are increments, and the second query reads other counters."""
        return self.measure is Measure.REQUESTS and self.second != self.events


_LONG = 64
_MOST_LABELS = Field(max_length=8)
# The labels of the queries; or the names that they get, each with the label that it is of.
By = Annotated[list[ByLabel], _MOST_LABELS] | Annotated[dict[LabelName, SourceLabel], _MOST_LABELS]


class SLIType(Strict):
    """One way to count errors and events."""

    KIND: ClassVar[str]  # its key in the manifest

    by: By = []

    @field_validator("by", mode="before")
    @classmethod
    def _several(cls, by: object) -> object:
        if isinstance(by, list | dict):
            return by
        help_ = (
            f"put it into brackets: [{by}]"
            if by and isinstance(by, str) and len(by) < _LONG
            else ""
        )
        raise invalid("type", f"expected a list, found {shown(by)}", help_)

    @field_validator("by")
    @classmethod
    def _names_apart(cls, by: By) -> By:
        """Refuse renames that depend on their order, and a label that gets two names."""
        old = [*by.values()] if isinstance(by, dict) else []
        for new, name in zip(by, old, strict=False):
            if new != name and new in old:
                raise invalid(
                    "by-rename",
                    f'"{new}" is both a new name and a label of the queries',
                    "choose a new name that the queries do not have",
                )
            if old.count(name) > 1:
                raise invalid("by-rename", f'the label "{name}" gets two names', "give it one")
        return by

    @classmethod
    def query_fields(cls) -> tuple[str, ...]:
        """Return the names of the fields that are queries."""
        hints = get_type_hints(cls, include_extras=True)
        return tuple(name for name in cls.model_fields if _holds_query(hints[name]))

    def extremes(self) -> tuple[Decimal, Decimal] | None:
        """Give a good and a bad sample of an SLI that counts samples, as near as they can be."""
        return None

    @abstractmethod
    def base_pair(self) -> BasePair | None:
        """Return which queries are counted, and how; None if it counts other SLOs."""


def _holds_query(hint: object) -> bool:
    return isinstance(hint, HoldsQuery) or any(map(_holds_query, get_args(hint)))
