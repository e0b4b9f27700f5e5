"""The field types that all manifests share, each with the message for a wrong value."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError

from slo_compiler.characters import REORDERING, UNSEEN
from slo_compiler.decimals import plain
from slo_compiler.diagnostics import nearest
from slo_compiler.duration import Duration
from slo_compiler.naming import RESERVED_LABELS
from slo_compiler.period import CALENDARS
from slo_compiler.period import Period as PeriodValue


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


DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# The name of an SLO or a service is the value of a label, and neither a file's nor a receiver's.
SLO_NAME = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?")
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
# Controls, what is not seen or reorders the text around it, and what ends a line unseen.
_CONTROL = re.compile(
    rf"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff{REORDERING}{UNSEEN}]"
)
_LONGEST = Duration.of(days=365)
_SHORTEST_SCRAPE, _LONGEST_SCRAPE = Duration.of(seconds=5), Duration.of(minutes=15)
_SHORTEST_PACE = Duration.of(minutes=5)


def _name(value: object) -> str:
    name = string(value)
    if not DNS_LABEL.fullmatch(name):
        raise invalid(
            "name",
            f"{shown(value)} is not a DNS label",
            "use lowercase letters, digits and inner hyphens, at most 63",
        )
    return name


def _slo_name(value: object) -> str:
    name = string(value)
    if not SLO_NAME.fullmatch(name):
        raise invalid(
            "name",
            f"{shown(value)} is no name of an SLO or a service",
            "use letters, digits and inner hyphens, underscores and dots, at most 63",
        )
    return name


def string(value: object) -> str:
    """Take text and nothing else."""
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


def plain_text(value: object) -> str:
    """Take text that nothing runs as a template."""
    value = string(value)
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


def line(value: object) -> str:
    """Take plain text without a line break: it ends up in a header, a title or a table."""
    text = plain_text(value)
    if "\n" in text:
        raise invalid("line-break", "one line is expected here, found several", "join the lines")
    return text


def _path(value: object) -> str:
    """Take the path of a file or a folder that the system can hold."""
    text = line(value)
    longest = max((len(part.encode()) for part in text.split("/")), default=0)
    for what, size, most in (
        ("a name in the path", longest, _MAX_NAME),
        ("the path", len(text.encode()), _MAX_PATH),
    ):
        if size > most:
            raise invalid(
                "path-too-long",
                f"{what} has {size:,} bytes; systems allow {most:,}",
                "name a file or folder that can exist",
            )
    return text


_MAX_NAME, _MAX_PATH = 255, 4_000  # bytes; of Linux and macOS, with room for the project's folder


def _duration(value: object) -> Duration:
    if isinstance(value, Duration):
        return value
    try:
        span = Duration.parse(value if isinstance(value, str) else "")
    except ValueError:
        raise invalid(
            "duration",
            f"expected a span of time such as 5m, 1h30m or 30d, found {shown(value)}",
            with_unit(value),
        ) from None
    if span > _LONGEST:
        raise invalid("duration", f"{shown(value)} is longer than {_LONGEST}", "shorten it")
    return span


def with_unit(value: object) -> str:
    """Say what a number without a unit may mean."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value <= 0:
        return ""
    if value == int(value):
        return f"write its unit: {value}s, {value}m or {value}d"
    ms = value * 1000
    return f"write its unit: did you mean {Duration(int(ms))}?" if ms == int(ms) else ""


def _period(value: object) -> PeriodValue:
    if isinstance(value, PeriodValue):
        return value
    if isinstance(value, dict):
        return _calendar_period(value)
    if isinstance(value, str) and value in CALENDARS:
        message = f"expected a span of time such as 30d, found {shown(value)}"
        raise invalid("period", message, f"for a calendar's: {{calendar: {value}}}")
    if isinstance(value, int) and not isinstance(value, bool):
        message = f"expected a span of time such as 30d, found {value}"
        raise invalid("period", message, f'did you mean "{value}d"?' if value > 0 else "")
    period, day = _duration(value), Duration.of(days=1)
    if period.ms % day.ms:
        raise invalid("period", f"{shown(value)} is not a whole number of days", "such as 30d")
    return PeriodValue(period)


def _calendar_period(value: dict[Any, Any]) -> PeriodValue:
    for key in value:
        if key not in ("calendar", "utc_offset"):
            raise invalid(
                "unknown-key",
                f"no key {shown(key)} here",
                nearest(str(key), ("calendar", "utc_offset")),
                str(key),
            )
    if "calendar" not in value:
        raise invalid("missing-key", 'the key "calendar" is missing', "add calendar: month")
    calendar, offset = value.get("calendar"), value.get("utc_offset", "+00:00")
    if calendar not in CALENDARS:
        near = nearest(str(calendar), CALENDARS)
        raise invalid(
            "calendar",
            f"expected a week, month or quarter of the calendar, found {shown(calendar)}",
            near if near.startswith("did you mean") else "",
            value_of="calendar",
        )
    pattern = r"(?P<sign>[+-])(?P<hours>0[0-9]|1[0-4]):(?P<minutes>00|15|30|45)"
    match = re.fullmatch(pattern, offset) if isinstance(offset, str) else None
    sign = -1 if match and match["sign"] == "-" else 1
    minutes = sign * (int(match["hours"]) * 60 + int(match["minutes"])) if match else None
    if minutes is None or not -12 * 60 <= minutes <= 14 * 60:
        raise invalid(
            "utc-offset",
            f"expected an offset from UTC in quarters of an hour, found {shown(offset)}",
            'from "-12:00" to "+14:00", such as "+01:00"; in quotes',
            value_of="utc_offset",
        )
    return PeriodValue.of_calendar(calendar, minutes)


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    text = str(value).removesuffix("%").strip()
    return Decimal(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,12})?", text) else None


def _number(value: object) -> Decimal:
    number = Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(number, Decimal) or not number.is_finite() or abs(number.adjusted()) > 15:  # noqa: PLR2004
        hint = "remove the quotes" if isinstance(value, str) and _decimal(value) is not None else ""
        hint = hint or _in_seconds(value)
        raise invalid("number", f"expected a number such as 300 or 0.5, found {shown(value)}", hint)
    return number


def _in_seconds(value: object) -> str:
    """Say how a span of time is written as a number."""
    try:
        span = Duration.parse(value if isinstance(value, str) else "")
    except ValueError:
        return ""
    seconds = plain(Decimal(span.ms) / 1000)
    return f"write the number in the unit of the query: {value} is {seconds} seconds"


def _positive(value: object) -> Decimal:
    number = _number(value)
    if number <= 0:
        raise invalid("number", f"expected a number above 0, found {shown(value)}")
    return number


def _objective(value: object) -> Decimal:
    percent = _decimal(value)
    if percent is None:
        raise invalid("objective", f"expected a percentage such as 99.9, found {shown(value)}")
    if percent >= 100:  # noqa: PLR2004
        raise invalid(
            "objective",
            f"an objective of {plain(percent)} leaves no error budget",
            "use a percentage below 100, such as 99.9",
        )
    if percent < 1:
        meant = percent * 100
        raise invalid(
            "objective",
            f"the objective {plain(percent)} is below 1 percent",
            f"objectives are percentages: did you mean {plain(meant)}?" if meant else "",
        )
    return Decimal(plain(percent))


def _fraction_of_100(value: object) -> Decimal:
    percent = _decimal(value)
    if percent is None:
        raise invalid("percentage", f"expected a percentage such as 2%, found {shown(value)}")
    if not 0 < percent <= 100:  # noqa: PLR2004
        bound = "at most 100%" if percent else "more than 0%"
        raise invalid("percentage", f"expected {bound}, found {shown(value)}")
    if percent < 1 and not str(value).endswith("%"):
        part, meant = plain(percent), plain(percent * 100)
        raise invalid(
            "percentage",
            f"{part} may be a percentage or a part of 1",
            f"write {meant}% or {part}%",
        )
    return Decimal(plain(percent))


def _slo_reference(value: object) -> str:
    text = string(value)
    parts = text.split("/")
    names = parts[-2:]
    tenant = parts[:-2]
    good = len(parts) in (2, 3) and all(map(SLO_NAME.fullmatch, names))
    if not good or not all(map(DNS_LABEL.fullmatch, tenant)):
        raise invalid(
            "slo-reference",
            f"{shown(value)} does not name an SLO",
            "write tenant/service/slo, or service/slo for one of this tenant",
        )
    return text


def _budget_left(value: object) -> Decimal:
    return Decimal(0) if _decimal(value) == 0 else _fraction_of_100(value)


def _pace(value: object) -> Duration:
    span = _duration(value)
    if span < _SHORTEST_PACE:
        raise invalid(
            "duration",
            f"{shown(value)} is shorter than {_SHORTEST_PACE}, in which nobody can do anything",
            "lengthen it",
        )
    return span


def _scrape(value: object) -> Duration:
    span = _duration(value)
    if not _SHORTEST_SCRAPE <= span <= _LONGEST_SCRAPE:
        raise invalid(
            "duration",
            f"expected a scrape interval from {_SHORTEST_SCRAPE} to {_LONGEST_SCRAPE}, found "
            f"{shown(value)}",
            "record what is measured more often, or more seldom, with a rule of your own",
        )
    return span


def _look_back(value: object) -> Duration | Literal["none"]:
    return "none" if value == "none" else _duration(value)


def _label_name(value: object) -> str:
    name = _source_label(value)
    _refuse_reserved(name, "choose another name")
    return name


def _refuse_reserved(name: str, advice: str) -> None:
    if name in RESERVED_LABELS:
        raise invalid("reserved-label", f'the label "{name}" is set by the compiler', advice)


def _by_label(value: object) -> str:
    name = _source_label(value)
    advice = "leave it out: buckets are no series of their own"
    if name != "le":
        advice = f"record it by another name, such as by: {{query_{name}: {name}}}"
    _refuse_reserved(name, advice)
    return name


def _source_label(value: object) -> str:
    name = string(value)
    if not LABEL_NAME.fullmatch(name) or name.startswith("__"):
        raise invalid(
            "label-name",
            f"{shown(value)} is not a label name",
            "use letters, digits and underscores, the first no digit, and not two underscores",
        )
    return name


def _version(value: object) -> str:
    text = str(value)
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,3}\.[0-9]{1,3}(\.[0-9]{1,3})?", text):
        raise invalid("version", f'expected a version such as "3.5", found {shown(value)}')
    return text


def _secret_file(value: object) -> str:
    path = line(value)
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


def shown(value: object) -> str:
    """Show what a manifest holds in a message: short, and scalars as they would be written."""
    if isinstance(value, str):
        return f'"{value[:80]}"' + ("..." if len(value) > 80 else "")  # noqa: PLR2004
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return str(value)[:80]
    return {dict: "a mapping", list: "a list", bool: str(value).lower()}.get(type(value), "nothing")


def _typed(validator: Callable[[object], Any], schema: dict[str, Any]) -> list[Any]:
    return [BeforeValidator(validator), WithJsonSchema(schema)]


_SPAN = {"type": "string", "pattern": "^([0-9]+(ms|[smhdwy]))+$"}
SLOName = Annotated[str, *_typed(_slo_name, {"type": "string", "pattern": f"^{SLO_NAME.pattern}$"})]
Name = Annotated[str, *_typed(_name, {"type": "string", "pattern": f"^{DNS_LABEL.pattern}$"})]
Text = Annotated[str, *_typed(plain_text, {"type": "string", "not": {"pattern": r"\{\{"}})]
Line = Annotated[str, *_typed(line, {"type": "string", "not": {"pattern": r"\{\{|\n"}})]
FilePath = Annotated[str, *_typed(_path, {"type": "string", "not": {"pattern": r"\{\{|\n"}})]
Span = Annotated[Duration, *_typed(_duration, {**_SPAN, "examples": ["5m", "1h30m", "30d"]})]
Period = Annotated[
    PeriodValue,
    *_typed(
        _period,
        {
            "anyOf": [
                {"type": "string", "pattern": "^[0-9]+[dw]$"},
                {
                    "type": "object",
                    "properties": {
                        "calendar": {"enum": [*CALENDARS]},
                        "utc_offset": {"type": "string", "pattern": "^[+-][0-9]{2}:[0-9]{2}$"},
                    },
                    "required": ["calendar"],
                    "additionalProperties": False,
                },
            ]
        },
    ),
]
Objective = Annotated[
    Decimal,
    *_typed(_objective, {"type": "number", "minimum": 1, "exclusiveMaximum": 100}),
]
_PERCENT = [
    {"type": "string", "pattern": "^[0-9.]+%$"},
    {"type": "number", "minimum": 1, "maximum": 100},
]
Percentage = Annotated[Decimal, *_typed(_fraction_of_100, {"anyOf": _PERCENT})]
BudgetLeft = Annotated[Decimal, *_typed(_budget_left, {"anyOf": [*_PERCENT, {"const": 0}]})]
ScrapeInterval = Annotated[Duration, *_typed(_scrape, {"type": "string"})]
Pace = Annotated[Duration, *_typed(_pace, {**_SPAN, "examples": ["4h", "3d"]})]
LookBack = Annotated[
    Duration | Literal["none"],
    *_typed(_look_back, {"anyOf": [_SPAN, {"const": "none"}], "examples": ["1d", "none"]}),
]
SLOReference = Annotated[
    str,
    *_typed(
        _slo_reference,
        {"type": "string", "pattern": "^([a-z0-9-]+/)?[a-zA-Z0-9_.-]+/[a-zA-Z0-9_.-]+$"},
    ),
]
Number = Annotated[Decimal, *_typed(_number, {"type": "number"})]
Positive = Annotated[Decimal, *_typed(_positive, {"type": "number", "exclusiveMinimum": 0})]
Version = Annotated[str, *_typed(_version, {"type": "string", "examples": ["3.5"]})]
SecretFile = Annotated[str, *_typed(_secret_file, {"type": "string", "pattern": "^/"})]
_LABEL_SCHEMA = {
    "type": "string",
    "pattern": f"^{LABEL_NAME.pattern}$",
    "not": {"enum": sorted(RESERVED_LABELS)},
}
LabelName = Annotated[str, *_typed(_label_name, _LABEL_SCHEMA)]
ByLabel = Annotated[str, *_typed(_by_label, _LABEL_SCHEMA)]  # a label that queries have
SourceLabel = Annotated[  # a label that queries have, and series get by another name
    str, *_typed(_source_label, {"type": "string", "pattern": f"^{LABEL_NAME.pattern}$"})
]
Labels = dict[LabelName, Line]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
