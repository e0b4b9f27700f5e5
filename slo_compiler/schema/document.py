"""All keys of manifests as docs/manifest-keys.md (`python -m` this prints it)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from slo_compiler.duration import Duration
from slo_compiler.schema.json_schema import KINDS, json_schema

_HEAD = """\
# Keys of manifests

All keys of all documents, with their types and defaults. Generated from the code; do not edit.
[Manifests](manifest.md) has the examples. Documents come first, then what is in them, by name. A
key without a default may be left out, unless it is required.

Types: a *span* is a time such as `5m` or `30d`; a *name* has lowercase letters, digits and inner
hyphens; a *percentage* is `99.9` or `2%`; a *file* is an absolute path, as Alertmanager sees it.

"""
_WORDS = {  # by the pattern of a text
    r"^([0-9]+(ms|[smhdwy]))+$": "span",
    r"^([0-9]+([.][0-9]+)?(ms|us|µs|μs|ns|[smhdwy]))+$": "span",
    r"^[0-9]+[dw]$": "span",
    r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$": "name",
    r"^[a-zA-Z_][a-zA-Z0-9_]*$": "label",
    r"^[0-9.]+%$": "percentage",
    r"^https?://": "URL",
    r"^/": "file",
}
_SCALARS = {"integer": "integer", "number": "number", "boolean": "`true` or `false`"}


def markdown() -> str:
    """Give the page: each kind of document, then each mapping that is in one of them."""
    documents: list[str] = []
    mappings: dict[str, Any] = {}
    for kind in KINDS:
        schema = json_schema(kind)
        documents.append(_section(kind, schema))
        if kind == "SLOTemplate":  # its SLO is that of a tenant, with ${parameter} for values
            names = ("TemplateSpec", "Parameter")
            mappings |= {name: schema["$defs"][name] for name in names}
        else:
            mappings |= schema["$defs"]
    return _HEAD + "\n".join([*documents, *(_section(n, mappings[n]) for n in sorted(mappings))])


def _section(name: str, schema: dict[str, Any]) -> str:
    """Give one mapping: its description and a row for each key."""
    lines = [f"## {name}", "", _cell(schema.get("description", "")), ""]
    if choice := _choice(schema):
        lines += [f"Exactly one of {choice}.", ""]
    if sets := [_keys(part) for part in schema.get("anyOf", ()) if "required" in part]:
        lines += [f"Required: {'; or '.join(sets)}.", ""]
    lines += ["| Key | Type | Default | Meaning |", "|---|---|---|---|"]
    required = schema.get("required", ())
    for key, value in schema.get("properties", {}).items():
        default = "required" if key in required else _default(value)
        lines.append(f"| `{key}` | {_type(value)} | {default} | {_cell(value['description'])} |")
    return "\n".join([*lines, ""])


def _choice(schema: dict[str, Any]) -> str:
    """Give the keys of which exactly one must be there."""
    return ", ".join(_keys(part) for part in schema.get("oneOf", ()) if "required" in part)


def _keys(part: dict[str, Any]) -> str:
    """Give the keys that a part of a schema requires."""
    return ", ".join(f"`{key}`" for key in part["required"])


def _type(schema: dict[str, Any]) -> str:
    """Describe the value of a key in a few words."""
    return " or ".join(dict.fromkeys(_types(schema)))


def _types(schema: dict[str, Any]) -> Iterator[str]:
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        yield f"[{name}](#{name.lower()})"
    elif "const" in schema or "enum" in schema:
        yield from (f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    elif parts := _parts(schema):
        for part in parts:
            yield from _types(part)
    elif schema.get("type") == "array":
        yield f"list of {_type(schema.get('items', {}))}"
    elif schema.get("type") == "object":
        yield _mapping(schema)
    elif schema.get("type") in _SCALARS:
        yield _SCALARS[schema["type"]]
    else:
        yield _WORDS.get(schema.get("pattern", ""), "text")


def _parts(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the choices of a value that may be of several types."""
    types = schema.get("type")
    if isinstance(types, list):
        return [{"type": each} for each in types]
    parts: list[dict[str, Any]] = schema.get("anyOf", schema.get("oneOf", []))
    return parts


def _mapping(schema: dict[str, Any]) -> str:
    """Describe a mapping that is no model: its keys, or the value of each of them."""
    if "properties" in schema:
        return "{" + ", ".join(f"`{key}`" for key in schema["properties"]) + "}"
    inner = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
    (value,) = [part for part in inner if isinstance(part, dict)] or [{}]
    return f"mapping to {_type(value)}"


def _default(schema: dict[str, Any]) -> str:
    """Give the default as a manifest would have it; nothing where the key is merely absent."""
    default = schema.get("default")
    if "$ref" in schema or default in (None, "", [], {}):
        return ""
    if isinstance(default, dict):
        if default.keys() == {"ms"}:
            return f"`{Duration(default['ms'])}`"
        if None in default.values():  # of a mapping with keys of its own
            return ""
        return "`{" + ", ".join(f"{key}: {value}" for key, value in default.items()) + "}`"
    if isinstance(default, list):
        return f"`[{', '.join(map(str, default))}]`"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _cell(text: str) -> str:
    """Put a text into one cell."""
    joined = re.sub(r"\s*\n\s*", " ", text.strip())
    # Outside of code, brackets and braces of Prometheus' templates are text.
    return joined.replace("|", "\\|").replace("<", "&lt;").replace("[", "\\[")


if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201  (that is what it is for)
