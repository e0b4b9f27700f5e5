"""What a front end is: which documents it reads, and how they become documents of tenants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from slo_compiler.diagnostics import Report
from slo_compiler.source import Document


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """A kind of document that declares SLOs.

    `read` returns documents whose data has the shape of a native Tenant. It does not validate: the
    caller does. What has no counterpart in a Tenant goes to the report as an error.
    """

    api_version: str
    kind: str
    summary: str
    read: Callable[[Document, Report], Iterable[Document]]
    # For documents that have no apiVersion and kind.
    recognises: Callable[[Mapping[str, Any]], bool] | None = None

    def reads(self, data: object) -> bool:
        """Return whether a document's data is of this kind."""
        if not isinstance(data, dict):
            return False
        if self.recognises is not None:
            return self.recognises(data)
        return (data.get("apiVersion"), data.get("kind")) == (self.api_version, self.kind)
