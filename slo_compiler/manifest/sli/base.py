"""What every SLI type declares: its key, and which queries become events and errors."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from slo_compiler.manifest.base import LabelName, Strict


@dataclass(frozen=True, slots=True)
class Term:
    """A query of the manifest, by its key; of a histogram, the series to take and its bucket."""

    field: str
    suffix: str = ""  # such as _bucket: the query is a plain selector of the series' family
    matcher: str = ""  # such as le="0.3"


@dataclass(frozen=True, slots=True)
class BasePair:
    """How an SLI becomes errors and events: two terms, and the template that makes errors."""

    events: Term
    errors: Term
    template: str  # of templates/promql/sli/


class SLIType(Strict):
    """One way to count errors and events."""

    KIND: ClassVar[str]  # its key in the manifest

    by: list[LabelName] = Field(default=[], max_length=8)

    @abstractmethod
    def base_pair(self) -> BasePair:
        """Say which queries are counted, and how."""
