"""Read the files of an output folder; one that is damaged is a finding, not a traceback."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from slo_compiler import routing
from slo_compiler.diagnostics import Position, Report
from slo_compiler.routing.matchers import ConfigError

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_DEPTH = 64
_HELP = "run slo-compiler compile, which writes it anew"


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", strict=True)


class ExpressionTest(_File):
    """A query at a time; what it must give is for promtool to read."""

    expr: str
    eval_time: str


class UnitTests(_File):
    """One promtool test."""

    name: str
    promql_expr_test: list[ExpressionTest]


class UnitTestsFile(_File):
    """A file of unit tests."""

    rule_files: list[str]
    tests: list[UnitTests]


class RouteProof(_File):
    """An alert, its receivers, and who inhibits it."""

    labels: dict[str, str]
    receivers: list[str]
    hours: list[str] = []
    inhibited_by: list[str] = []
    manifest: str = ""


class HoursProof(_File):
    """Times at which a time interval is active, or is not."""

    name: str
    active_at: list[str]
    silent_at: list[str]
    holidays: str = ""


class RoutesFile(_File):
    """All expected routes."""

    external_labels: list[str] = []
    routes: list[RouteProof]
    hours: list[HoursProof] = []


FileT = TypeVar("FileT", bound=_File)


def read_yaml(path: Path, model: type[FileT], report: Report) -> FileT | None:
    """Read one of our YAML files; None and a finding if it is damaged."""
    text = _text(path, report)
    if text is None:
        return None
    try:
        _refuse_depth(text)
        return model.model_validate(yaml.load(text, _LOADER))  # noqa: S506  (it is a safe one)
    except yaml.YAMLError as error:
        _damaged(path, f"it is not valid YAML: {_first_line(error)}", report, _line(error))
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        place = ".".join(map(str, found["loc"])) or "the document"
        _damaged(path, f"{place}: {found['msg'].lower()}", report)
    except (ValueError, RecursionError) as error:  # a date that is none, nesting without an end
        _damaged(path, _first_line(error), report)
    return None


def read_routing(path: Path, report: Report) -> routing.Config | None:
    """Read the Alertmanager configuration; None and a finding if it is damaged."""
    text = _text(path, report)
    if text is None:
        return None
    try:
        _refuse_depth(text)
        return routing.Config.load(text)
    except yaml.YAMLError as error:
        _damaged(path, f"it is not valid YAML: {_first_line(error)}", report, _line(error))
    except ConfigError as error:
        _damaged(path, str(error), report)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        # The model reads what the compiler wrote; of anything else it need not know the shape.
        _damaged(path, "it is no configuration of Alertmanager", report)
    return None


def missing_rules(path: Path, file: UnitTestsFile, report: Report) -> None:
    """Report rules that a file of tests names and that are not there."""
    for name in file.rule_files:
        if not (path.parent / name).is_file():
            _damaged(path, f"the rules that it tests are missing: {name}", report)


def contents(path: Path, names: Sequence[str]) -> list[bytes]:
    """Read the files that another names, relative to it."""
    return [(path.parent / name).read_bytes() for name in names]


def _text(path: Path, report: Report) -> str | None:
    try:
        return path.read_bytes().decode()
    except OSError as error:
        _damaged(path, f"cannot read it: {error.strerror or error}", report)
    except UnicodeDecodeError as error:
        _damaged(path, f"byte 0x{error.object[error.start]:02x} is not UTF-8", report)
    return None


def _refuse_depth(text: str) -> None:
    """Refuse YAML that is nested so deeply that the parser in C would crash.

    Raises:
        ValueError: it is.
    """
    depth = 0
    for event in yaml.parse(text, _LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _MAX_DEPTH:
                raise ValueError(f"nested deeper than {_MAX_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _damaged(path: Path, message: str, report: Report, line: int = 1) -> None:
    report.error(Position(str(path), line), "damaged-output", message, _HELP)


def _line(error: yaml.YAMLError) -> int:
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark else 1


def _first_line(error: Exception) -> str:
    return str(getattr(error, "problem", None) or error).partition("\n")[0]
