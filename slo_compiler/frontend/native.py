"""The native front end: a Tenant is read as it is."""

from __future__ import annotations

from collections.abc import Iterable

from slo_compiler.diagnostics import Report
from slo_compiler.frontend.base import FrontEnd
from slo_compiler.schema import API_VERSION
from slo_compiler.source import Document


def read(document: Document, _report: Report) -> Iterable[Document]:
    """Return the document itself."""
    return (document,)


FRONT_END = FrontEnd(API_VERSION, "Tenant", "a tenant's own manifest", read)
