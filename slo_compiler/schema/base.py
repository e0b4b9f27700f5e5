"""The mapping that all parts of manifests are, and the errors of their values."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError


class Strict(BaseModel):
    """A mapping of a manifest: unknown keys are errors, values never change."""

    # Validators are built when the first value is read: most runs read a few kinds of mapping.
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, defer_build=True
    )


class OneOf(Strict):
    """A mapping that has exactly one of some keys, among its other keys."""

    ONE_OF: ClassVar[tuple[str, ...]] = ()  # the keys

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [key for key in self.ONE_OF if getattr(self, key) is not None]
        if self.ONE_OF and len(given) != 1:
            found = " and ".join(given) if given else "none"
            raise invalid("one-of", f"give exactly one of {', '.join(self.ONE_OF)}; found {found}")
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        schema = handler(core_schema)
        if cls.ONE_OF:
            one = [{"required": [key]} for key in cls.ONE_OF]
            handler.resolve_ref_schema(schema)["oneOf"] = one
        return schema


def invalid(
    id_: str, message: str, help_: str = "", key: str = "", value_of: str = ""
) -> PydanticCustomError:
    """Build the error of a field, of a `key` of it, or of a key's value; `id_` is the finding's."""
    context = {"message": message, "help": help_, "key": key, "value_of": value_of}
    return PydanticCustomError(id_, "{message}", context)


def string(value: object) -> str:
    """Take text and nothing else."""
    if not isinstance(value, str):
        raise invalid("type", f"expected text, found {shown(value)}", how_to_quote(value))
    return value


def how_to_quote(value: object) -> str:
    """Return how to write a value as text that YAML does not read as text."""
    if isinstance(value, dict):
        return "YAML reads text that begins with { as a mapping: put it into quotes"
    if isinstance(value, list):
        return ""
    return "put it into quotes"


def shown(value: object) -> str:
    """Show a manifest's value in a message: short, and scalars as they would be written."""
    if isinstance(value, str):
        return f'"{value[:80]}"' + ("..." if len(value) > 80 else "")  # noqa: PLR2004
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return str(value)[:80]
    return {dict: "a mapping", list: "a list", bool: str(value).lower()}.get(type(value), "nothing")


def typed(validator: Callable[[object], Any], schema: dict[str, Any]) -> list[Any]:
    """Annotate a type with what reads its values, and with the JSON schema of what is read."""
    return [BeforeValidator(validator), WithJsonSchema(schema)]
