"""JSON Schema of the manifests, for editors."""

from __future__ import annotations

from typing import Any

from slo_compiler.schema import API_VERSION, DOCUMENT_KINDS, SLO
from slo_compiler.schema.base import Strict
from slo_compiler.schema.descriptions import description

KINDS: dict[str, type[Strict]] = {kind.__name__: kind for kind in DOCUMENT_KINDS}
_METADATA = {"name": "customer-b"}
_SLO = {
    "name": "availability",
    "service": "checkout",
    "objective": 99.9,
    "sli": {
        "ratio": {"errors": 'requests_total{code=~"5.."}', "total": "requests_total"},
    },
}
_TIER = {
    "name": "fast",
    "severity": "page",
    "budget_share": "2%",
    "long_window": "1h",
    "short_window": "5m",
}
_SPECS: dict[str, dict[str, Any]] = {
    "Tenant": {
        "channels": [{"name": "chat", "webhook": {"url": "http://chat.internal/"}}],
        "escalation": [
            {"severity": "page", "notify": ["chat"]},
            {"severity": "ticket", "notify": ["chat"], "hours": "business"},
        ],
        "slos": [_SLO],
    },
    "Project": {"sources": ["tenants/"], "output": "generated/"},
    "AlertPolicy": {"tiers": [_TIER]},
    "SLOTemplate": {
        "parameters": [{"name": "job"}],
        "slo": {**_SLO, "sli": {"availability": {"gauge": 'up{job="${job}"}'}}},
    },
}
EXAMPLES = {
    kind: {
        "apiVersion": API_VERSION,
        "kind": kind,
        **({} if kind == "Project" else {"metadata": _METADATA}),
        "spec": spec,
    }
    for kind, spec in _SPECS.items()
}
EXAMPLES["Tenant"]["metadata"] = {**_METADATA, "owner": "customer-b-sre"}
_REFERENCE = {"type": "string", "pattern": r"\$\{"}
_SCALARS = {"string", "integer", "number", "boolean"}


def json_schema(kind: str) -> dict[str, Any]:
    """Give the schema (draft 2020-12) of one kind of document."""
    schema = KINDS[kind].model_json_schema(by_alias=True)
    definitions = schema.get("$defs", {})
    if kind == "SLOTemplate":
        slo = SLO.model_json_schema(by_alias=True)
        definitions |= {name: _open(part) for name, part in slo.pop("$defs").items()}
        slo.pop("required")  # what the template leaves out, a use may add
        for key in ("template", "with"):
            slo["properties"].pop(key)
        definitions["SLO"] = _open(slo)
        definitions["TemplateSpec"]["properties"]["slo"] = {"$ref": "#/$defs/SLO"}
    elif "SLO" in definitions:
        needed = definitions["SLO"].pop("required")
        definitions["SLO"]["anyOf"] = [{"required": needed}, {"required": ["template"]}]
    if kind == "Tenant":  # its SLOs may all be in files of other tools
        definitions["TenantSpec"].pop("required")
        definitions["TenantSpec"]["anyOf"] = [{"required": ["slos"]}, {"required": ["import"]}]
    reduced: dict[str, Any] = _without_null(schema)
    definitions = reduced.get("$defs", {})
    for name, part in [(kind, reduced), *definitions.items()]:
        for key, inner in part.get("properties", {}).items():
            if "description" not in inner:
                inner["description"] = description(name, key) or _of_mapping(inner, definitions)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": schema_id(kind)}
    return {**head, **reduced, "examples": [EXAMPLES[kind]]}


def schema_id(kind: str) -> str:
    """Return the identifier of a kind's schema: a name, which need not be an address."""
    return f"urn:{API_VERSION.replace('/', ':')}:{kind}"


def _of_mapping(inner: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Take the description of the mapping that is a key's value, without its details."""
    references = [inner, *inner.get("anyOf", ()), *inner.get("allOf", ())]
    for reference in references:
        name = reference.get("$ref", "").removeprefix("#/$defs/")
        if "description" in definitions.get(name, {}):
            text: str = definitions[name]["description"]
            return text.split("\n\n", maxsplit=1)[0].replace("\n", " ")
    return ""


def _without_null(schema: Any) -> Any:  # noqa: ANN401
    """Leave null out: a key without a value is an error, and what is not given is not written."""
    if isinstance(schema, list):
        return [_without_null(part) for part in schema if part != {"type": "null"}]
    if not isinstance(schema, dict):
        return schema
    reduced = {key: _without_null(part) for key, part in schema.items()}
    if reduced.get("default", ...) is None:
        del reduced["default"]
    if isinstance(reduced.get("anyOf"), list) and len(reduced["anyOf"]) == 1:
        reduced = {**reduced.pop("anyOf")[0], **reduced}
    return reduced


def _open(schema: Any) -> Any:  # noqa: ANN401
    """Allow a reference in place of each scalar of a template's SLO."""
    if isinstance(schema, list):
        return [_open(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") in _SCALARS:
        inner = {key: part for key, part in schema.items() if key != "description"}
        outer = {"description": schema["description"]} if "description" in schema else {}
        return {"anyOf": [inner, _REFERENCE], **outer}
    opened = {}
    for key, part in schema.items():
        if key == "properties":
            opened[key] = {name: _open(inner) for name, inner in part.items()}
        elif key in ("items", "additionalProperties", "anyOf", "oneOf", "allOf"):
            opened[key] = _open(part)
        else:
            opened[key] = part
    return opened
