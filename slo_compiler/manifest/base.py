"""The field types that all manifests share, each with the message for a wrong value."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from slo_compiler.duration import Duration
from slo_compiler.naming import RESERVED_LABELS


class Strict(BaseModel):
    """A mapping of a manifest: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    ONE_OF: ClassVar[tuple[str, ...]] = ()  # keys of which exactly one must be given

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [key for key in self.ONE_OF if getattr(self, key) is not None]
        if self.ONE_OF and len(given) != 1:
            found = " and ".join(given) if given else "none"
            raise invalid("one-of", f"give exactly one of {', '.join(self.ONE_OF)}; found {found}")
        return self


def invalid(id_: str, message: str, help_: str = "", key: str = "") -> PydanticCustomError:
    """Build the error of a field, or of a `key` of it: `id_` becomes the diagnostic's ID."""
    context = {"message": message, "help": help_, "key": key}
    return PydanticCustomError(id_, "{message}", context)


_DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
# Controls, what reorders the text around it, and what ends a line without being seen.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_LONGEST = Duration.of(days=365)


def _name(value: object) -> str:
    name = _string(value)
    if not _DNS_LABEL.fullmatch(name):
        raise invalid(
            "name",
            f"{shown(value)} is not a DNS label",
            "use lowercase letters, digits and inner hyphens, at most 63",
        )
    return name


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise invalid("type", f"expected text, found {shown(value)}", how_to_quote(value))
    return value


def how_to_quote(value: object) -> str:
    """Say how a value that YAML does not read as text becomes text."""
    if isinstance(value, dict):
        return "YAML reads text that begins with { as a mapping: put it into quotes"
    if isinstance(value, list):
        return ""
    return "put it into quotes"


def _text(value: object) -> str:
    value = _string(value)
    if "{{" in value:
        raise invalid(
            "template-in-text",
            '"{{" is not allowed here',
            "Prometheus and Alertmanager would run it as a template, untenanted",
        )
    if found := _CONTROL.search(value):
        raise invalid(
            "control-character",
            f"the text holds the control character U+{ord(found[0]):04X}",
            "remove it",
        )
    return value


def _duration(value: object) -> Duration:
    if isinstance(value, Duration):
        return value
    try:
        span = Duration.parse(value if isinstance(value, str) else "")
    except ValueError:
        raise invalid(
            "duration", f"expected a span of time such as 5m, 1h30m or 30d, found {shown(value)}"
        ) from None
    if span > _LONGEST:
        raise invalid("duration", f"{shown(value)} is longer than {_LONGEST}", "shorten it")
    return span


def _period(value: object) -> Duration:
    period, day = _duration(value), Duration.of(days=1)
    if period.ms % day.ms:
        raise invalid("period", f"{shown(value)} is not a whole number of days", "such as 30d")
    return period


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    text = str(value).removesuffix("%").strip()
    return Decimal(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,12})?", text) else None


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _objective(value: object) -> Decimal:
    percent = _decimal(value)
    if percent is None:
        raise invalid("objective", f"expected a percentage such as 99.9, found {shown(value)}")
    if percent >= 100:  # noqa: PLR2004
        raise invalid(
            "objective",
            f"an objective of {_plain(percent)} leaves no error budget",
            "use a percentage below 100, such as 99.9",
        )
    if percent < 1:
        meant = percent * 100
        raise invalid(
            "objective",
            f"the objective {_plain(percent)} is below 1 percent",
            f"objectives are percentages: did you mean {_plain(meant)}?" if meant else "",
        )
    return Decimal(_plain(percent))


def _fraction_of_100(value: object) -> Decimal:
    percent = _decimal(value)
    if percent is None or not 0 < percent <= 100:  # noqa: PLR2004
        raise invalid("percentage", f"expected a percentage such as 2%, found {shown(value)}")
    return Decimal(_plain(percent))


def _label_name(value: object) -> str:
    name = _string(value)
    if not _LABEL_NAME.fullmatch(name) or name.startswith("__"):
        raise invalid(
            "label-name",
            f"{shown(value)} is not a label name",
            "use letters, digits and underscores, the first no digit, and not two underscores",
        )
    if name in RESERVED_LABELS:
        raise invalid(
            "reserved-label", f'the label "{name}" is set by the compiler', "choose another name"
        )
    return name


def _version(value: object) -> str:
    text = str(value)
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,3}\.[0-9]{1,3}(\.[0-9]{1,3})?", text):
        raise invalid("version", f'expected a version such as "3.5", found {shown(value)}')
    return text


def _secret_file(value: object) -> str:
    path = _text(value)
    if not path.startswith("/"):
        raise invalid(
            "secret-path",
            f"{shown(path)} is not an absolute path",
            "name the file as Alertmanager will see it",
        )
    parts = path.split("/")[1:]
    if any(part in ("", ".", "..") for part in parts):
        raise invalid(
            "secret-path", f"{shown(path)} is not a plain path", "write it without //, . or .."
        )
    return path


def _url(value: object) -> str:
    url = _text(value)
    if not re.fullmatch(r"https?://[^\s/@?#]+([/?#][^\s]*)?", url):
        if re.match(r"https?://[^/\s]*@", url):
            raise invalid(
                "inline-secret",
                "the URL holds credentials",
                "leave them out, or store the URL in a file and name it: url_file",
            )
        raise invalid("url", f"{shown(url)} is not a URL", "begin with http:// or https://")
    return url


def shown(value: object) -> str:
    """Show what a manifest holds in a message: short, and scalars as they would be written."""
    if isinstance(value, str):
        return f'"{value[:80]}"' + ("..." if len(value) > 80 else "")  # noqa: PLR2004
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return str(value)[:80]
    return {dict: "a mapping", list: "a list", bool: str(value).lower()}.get(type(value), "nothing")


def _typed(validator: Callable[[object], Any], schema: dict[str, Any]) -> list[Any]:
    return [BeforeValidator(validator), WithJsonSchema(schema)]


Name = Annotated[str, *_typed(_name, {"type": "string", "pattern": f"^{_DNS_LABEL.pattern}$"})]
Text = Annotated[str, *_typed(_text, {"type": "string", "not": {"pattern": r"\{\{"}})]
Span = Annotated[
    Duration, *_typed(_duration, {"type": "string", "examples": ["5m", "1h30m", "30d"]})
]
Period = Annotated[Duration, *_typed(_period, {"type": "string", "pattern": "^[0-9]+[dw]$"})]
Objective = Annotated[
    Decimal,
    *_typed(_objective, {"type": "number", "minimum": 1, "exclusiveMaximum": 100}),
]
Percentage = Annotated[
    Decimal,
    *_typed(
        _fraction_of_100,
        {"anyOf": [{"type": "string", "pattern": "^[0-9.]+%$"}, {"type": "number"}]},
    ),
]
Version = Annotated[str, *_typed(_version, {"type": "string", "examples": ["3.5"]})]
SecretFile = Annotated[str, *_typed(_secret_file, {"type": "string", "pattern": "^/"})]
Url = Annotated[str, *_typed(_url, {"type": "string", "format": "uri"})]
LabelName = Annotated[str, *_typed(_label_name, {"type": "string", "pattern": _LABEL_NAME.pattern})]
Labels = dict[LabelName, Text]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
