"""The document of an SLO with parameters, which many tenants use."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from slo_compiler.schema.base import Strict, invalid, shown
from slo_compiler.schema.policy import PolicyMetadata
from slo_compiler.schema.slo import Argument


def _parameter(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", value):
        raise invalid(
            "name",
            f"{shown(value)} is not a parameter's name",
            "use lowercase letters, digits and underscores, the first a letter",
        )
    return value


class Parameter(Strict):
    """What a use of the template gives, or may give if there is a default."""

    name: Annotated[str, BeforeValidator(_parameter)]
    default: Argument | None = None


class TemplateSpec(Strict):
    """An SLO with `${parameter}` in it."""

    parameters: list[Parameter] = Field(default=[], max_length=32)
    slo: dict[str, Any]


class SLOTemplate(Strict):
    """An SLO that many tenants have, written once."""

    api_version: Literal["slo-compiler/v1"] = Field(alias="apiVersion")
    kind: Literal["SLOTemplate"]
    metadata: PolicyMetadata
    spec: TemplateSpec
