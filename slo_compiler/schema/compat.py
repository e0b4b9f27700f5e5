"""Which other tool's readers an SLO is recorded for, too: its dashboards, its links, its alerts."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from slo_compiler.schema.base import OneOf, invalid, shown

_NONE = "none"


class CompatTool(StrEnum):
    """A tool whose series are recorded."""

    SLOTH = "sloth"
    PYRRA = "pyrra"


CompatMode = Literal["alongside", "instead"]


class Compat(OneOf):
    """The tool, and whether its own rules are still loaded (`alongside`) or gone (`instead`)."""

    ONE_OF: ClassVar[tuple[str, ...]] = ("sloth", "pyrra")

    sloth: CompatMode | None = Field(
        default=None, description="Records Sloth's series: alongside its rules, or instead of them."
    )
    pyrra: CompatMode | None = Field(
        default=None, description="Records Pyrra's series: alongside its rules, or instead of them."
    )

    @property
    def tool(self) -> CompatTool:
        """The tool."""
        return CompatTool.SLOTH if self.sloth else CompatTool.PYRRA

    @property
    def alongside(self) -> bool:
        """Whether the tool's own rules are still loaded."""
        return "alongside" in (self.sloth, self.pyrra)


class NoCompat(Compat):
    """`compat: none`: the SLO has its own series alone."""

    ONE_OF: ClassVar[tuple[str, ...]] = ()


def _read(value: object) -> object:
    if value == _NONE:
        return NoCompat()
    if not isinstance(value, dict | Compat):
        raise invalid(
            "type",
            f"expected a tool, or none, found {shown(value)}",
            "such as compat: {sloth: alongside}",
        )
    return value


class _OrNone:
    """Adds `none` to the field's JSON schema."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [handler(core_schema), {"const": _NONE}]}


CompatOrNone = Annotated[Compat, BeforeValidator(_read), _OrNone]
