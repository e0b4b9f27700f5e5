"""What every SLI type declares: its key, and which queries become events and errors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Annotated, ClassVar

from pydantic import Field

from slo_compiler.schema.base import LabelName, Strict

Query = Annotated[str, Field(min_length=1)]


class Reading(Enum):
    """How a query of the manifest is read."""

    RATE = "a counter's selector, or PromQL that yields events per second"
    FAMILY = "a plain selector of a histogram, read as the rate of one series of its family"
    SAMPLES = "a plain selector, each sample of which counts"
    VALUE = "PromQL that yields values, as they are"


@dataclass(frozen=True, slots=True)
class Term:
    """A query of the manifest, by its key, and how to read it."""

    field: str
    reading: Reading = Reading.RATE
    suffix: str = ""  # of a family: such as _bucket
    matcher: str = ""  # of a family: such as le="0.3"


@dataclass(frozen=True, slots=True)
class BasePair:
    """How an SLI becomes errors and events: two terms, and the templates that make series of them.

    The templates are those of templates/promql/sli/; they get the terms' isolated expressions and
    the `values`.
    """

    events: Term
    errors: Term
    errors_template: str
    events_template: str = "events"
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


class SLIType(Strict):
    """One way to count errors and events."""

    KIND: ClassVar[str]  # its key in the manifest

    by: list[LabelName] = Field(default=[], max_length=8)

    def extremes(self) -> tuple[Decimal, Decimal] | None:
        """Give a good and a bad sample of an SLI that counts samples, as near as they can be."""
        return None

    @abstractmethod
    def base_pair(self) -> BasePair | None:
        """Say which queries are counted, and how; None if it counts other SLOs."""
