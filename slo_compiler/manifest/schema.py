"""JSON Schema of the manifests, for editors."""

from __future__ import annotations

from typing import Any

from slo_compiler.manifest.base import Strict
from slo_compiler.manifest.model import AlertPolicy, Project, Tenant

_KINDS: dict[str, type[Strict]] = {"Tenant": Tenant, "Project": Project, "AlertPolicy": AlertPolicy}


def json_schema(kind: str) -> dict[str, Any]:
    """Give the schema (draft 2020-12) of one kind of document."""
    schema = _KINDS[kind].model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
