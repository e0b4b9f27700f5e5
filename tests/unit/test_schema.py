"""The JSON Schemas accept what the compiler accepts: the examples, and the uses of templates."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from typing import Any

import click
import pytest
from cases import ROOT
from jsonschema import Draft202012Validator

from slo_compiler.cli import main
from slo_compiler.diagnostics import Report
from slo_compiler.documents import read_documents
from slo_compiler.frontend.validate import validate
from slo_compiler.schema.descriptions import DESCRIPTIONS
from slo_compiler.schema.json_schema import KINDS, json_schema

EXAMPLES = sorted(
    path for path in (ROOT / "examples").rglob("*.yaml") if "generated" not in path.parts
)


def plain(data: Any) -> Any:  # noqa: ANN401
    """Turn decimals into numbers that JSON has."""
    if isinstance(data, dict):
        return {key: plain(value) for key, value in data.items()}
    if isinstance(data, list):
        return [plain(value) for value in data]
    return float(data) if isinstance(data, Decimal) else data


@cache
def validator(kind: str) -> Draft202012Validator:
    """Give the validator of a kind; that its schema is none is an error."""
    schema = json_schema(kind)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def problems(kind: str, data: object) -> list[str]:
    found = validator(kind).iter_errors(plain(data))
    return [f"{error.json_path}: {error.message[:200]}" for error in found]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_example_is_valid(path: Any) -> None:  # noqa: ANN401
    for document in read_documents(str(path), path.read_bytes(), Report()):
        if isinstance(document.data, dict) and document.data.get("kind") in KINDS:
            assert problems(document.data["kind"], document.data) == []


def test_command_line_offers_every_kind() -> None:
    (argument,) = main.commands["schema"].params
    assert isinstance(argument.type, click.Choice)
    assert {*argument.type.choices} == {*KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_schema_every_property_has_a_description(kind: str) -> None:
    schema = json_schema(kind)
    parts = [(kind, schema), *schema["$defs"].items()]
    missing = [
        f"{name}.{key}"
        for name, part in parts
        for key, inner in part.get("properties", {}).items()
        if not inner.get("description")
    ]
    assert missing == []
    assert schema["$id"] == f"urn:slo-compiler:v1:{kind}"


def test_descriptions_all_are_of_keys_that_exist() -> None:
    known = set()
    for kind in KINDS:
        schema = json_schema(kind)
        for name, part in [(kind, schema), *schema["$defs"].items()]:
            for key in part.get("properties", {}):
                known |= {f"{name}.{key}", f"*.{key}"}
    assert {*DESCRIPTIONS} - known == set()


@pytest.mark.parametrize("kind", KINDS)
def test_schema_example_is_valid_and_read_by_the_compiler(kind: str) -> None:
    (example,) = json_schema(kind)["examples"]
    assert problems(kind, example) == []
    (document,) = read_documents("x", json.dumps(example).encode(), Report())
    report = Report()
    validate(KINDS[kind], document, report)
    assert report.diagnostics == []


def tenant(slo: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "slo-compiler/v1",
        "kind": "Tenant",
        "metadata": {"name": "acme", "owner": "sre"},
        "spec": {"slos": [slo]},
    }


def test_an_slo_is_written_out_or_made_of_a_template() -> None:
    assert problems("Tenant", tenant({"template": "http", "with": {"job": "web", "n": 1}})) == []
    assert problems("Tenant", tenant({"name": "availability", "service": "web"})) != []
    assert problems("Tenant", tenant({"template": "http", "with": {"job": ["web"]}})) != []
    assert problems("Tenant", tenant({"template": "http", "objectiv": 99})) != []


@pytest.mark.parametrize(
    "wrong",
    [
        {"sli": {}},
        {"sli": {"ratio": None}},
        {"sli": {"raw": {"error_ratio": "r"}, "ratio": {"errors": "e", "total": "t"}}},
        {"sli": {"ratio": {"errors": "e", "good": "g", "total": "t"}}},
        {"sli": {"raw": {"error_ratio": "r", "by": ["tenant"]}}},
        {"sli": {"threshold": {"query": "q", "op": "==", "value": 1}}},
        {"sli": {"latency": {"histogram": "h", "threshold": "300 ms"}}},
        {"sli": {"composite": {"slos": [{"slo": "web/a"}]}}},
        {"objective": 0.999},
        {"period": "36h"},
        {"period": {"calendar": "year"}},
        {"stage": "Shadow"},
        {"formerly": "Old Name"},
        {"depends_on": ["web"]},
        {"labels": {"tenant": "other"}},
        {"budgeting": {"timeslices": {"slice": "1m", "target": 0.95, "idle": "good"}}},
        {"alerting": {"min_errors": 0}},
    ],
    ids=str,
)
def test_what_the_compiler_refuses_an_editor_marks(wrong: dict[str, Any]) -> None:
    right = {"name": "a", "service": "web", "sli": {"ratio": {"errors": "e", "total": "t"}}}
    assert problems("Tenant", tenant(right)) == []
    assert problems("Tenant", tenant(right | wrong)) != []


@pytest.mark.parametrize(
    "wrong",
    [
        {"channels": [{"name": "chat"}]},
        {"escalation": [{"notify": ["chat"]}]},
        {"escalation": [{"severity": "page", "budget_below": "10%", "notify": ["chat"]}]},
        {"exclusions": [{"name": "once", "from": "2026-12-01 22:00"}]},
        {"exclusions": [{"name": "once", "from": "tomorrow", "to": "2026-12-01 22:00"}]},
        {"hours": {"office": [{"weekdays": ["mon"]}]}},
        {"hours": {"office": [{"times": ["9-17"]}]}},
        {"holidays": {"bavaria": ["12/25"]}},
    ],
    ids=str,
)
def test_and_so_around_the_slos(wrong: dict[str, Any]) -> None:
    manifest = tenant({"name": "a", "service": "web", "sli": {"raw": {"error_ratio": "r"}}})
    assert problems("Tenant", manifest) == []
    manifest["spec"] |= wrong
    assert problems("Tenant", manifest) != []


def test_a_template_has_references_where_an_slo_has_values() -> None:
    def template(**slo: object) -> dict[str, Any]:
        return {
            "apiVersion": "slo-compiler/v1",
            "kind": "SLOTemplate",
            "metadata": {"name": "http"},
            "spec": {"parameters": [{"name": "job"}], "slo": slo},
        }

    assert problems("SLOTemplate", template(objective="${objective}", name="a-${job}")) == []
    assert problems("SLOTemplate", template(alerting={"min_errors": "${least}"})) == []
    assert problems("SLOTemplate", template(objective="many")) != []
    assert problems("SLOTemplate", template(objectiv=99)) != []
    assert problems("SLOTemplate", template(alerting={"min_error": 1})) != []
