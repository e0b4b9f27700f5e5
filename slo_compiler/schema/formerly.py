"""What an SLO was called before: `old-name`, `old-service/old-name`, or that and the day."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema, model_validator

from slo_compiler.schema.base import Strict, invalid, shown
from slo_compiler.schema.moment import Moment
from slo_compiler.schema.texts import SLO_NAME

_NAME = re.compile(rf"(?:(?P<service>{SLO_NAME.pattern})/)?(?P<slo>{SLO_NAME.pattern})")


def _name(value: object) -> object:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise invalid(
            "formerly",
            f'expected "old-name" or "old-service/old-name", found {shown(value)}',
            "without a service it is the SLO's own",
        )
    return value


class FormerName(Strict):
    """The SLO of the same tenant whose history this one continues, and since when."""

    slo: Annotated[str, BeforeValidator(_name)]
    renamed: Moment | None = None

    @model_validator(mode="after")
    def _is_a_day(self) -> FormerName:
        if isinstance(self.renamed, datetime):
            raise invalid("formerly", "the day is enough", f'"{self.renamed:%Y-%m-%d}"', "renamed")
        return self

    def identity(self, service: str) -> tuple[str, str]:
        """Give the old service and name, in place of an SLO of this service."""
        old, _, name = self.slo.rpartition("/")
        return old or service, name


def _read(value: object) -> object:
    return {"slo": value} if not isinstance(value, dict | FormerName) else value


Formerly = Annotated[
    FormerName,
    BeforeValidator(_read),
    WithJsonSchema(
        {
            "anyOf": [
                {
                    "type": "string",
                    "pattern": "^([a-zA-Z0-9_.-]+/)?[a-zA-Z0-9_.-]+$",
                    "examples": ["old-name", "old-service/old-name"],
                },
                {
                    "type": "object",
                    "properties": {"slo": {"type": "string"}, "renamed": {"type": "string"}},
                    "required": ["slo"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
