"""What must hold of hostile texts: properties for hypothesis, one function each."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from click.testing import CliRunner
from confinement import (
    ALERTMANAGER,
    check_query,
    check_routing,
    check_rules,
    check_shared,
    parts_of,
)
from escapes import HOSTILE, OTHER
from fuzzing import FILES, PROJECT_FILE, TENANT, Project, documents, manifests, projects, queries
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from slo_compiler import pipeline, promql
from slo_compiler.cache import Cache
from slo_compiler.cli import main
from slo_compiler.diagnostics import CompileError, Report
from slo_compiler.duration import Duration
from slo_compiler.emit.emitter import ProjectContext
from slo_compiler.link import check_units, emit
from slo_compiler.promql import QueryError
from slo_compiler.promql.syntax import PANIC
from slo_compiler.reading import read_sources

Files = Mapping[str, str]
MATCHERS, WINDOW = {"tenant": HOSTILE}, Duration.of(minutes=5)
CALLS_PER_BYTE = (
    40  # by which a text of eight times the length may take more calls than eight times
)


@contextmanager
def folder_of(files: Files) -> Iterator[Path]:
    """Write files into a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        for path, text in files.items():
            target = Path(name, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode("utf-8", "surrogatepass"))
        yield Path(name)


def outcome(folder: Path, cache: Cache | None = None, source: str = "tenants") -> Any:  # noqa: ANN401
    """Compile without tools; gives the files by their paths, or a list of findings."""
    report = Report()
    try:
        project = pipeline.read_project(folder / PROJECT_FILE, report)
        sources = read_sources([str(folder / source)], project.root, report)
        shared = pipeline.read_shared(project, report)
        units = pipeline.compile_units(shared, sources, cache=cache, jobs=1)
        check_units(units, report, whole=source == "tenants")
        report.raise_if_failed()
        context = ProjectContext(project.spec, project.at("spec"), shared.base)
        emitted = emit(units, project.spec.targets, context, report)
        report.raise_if_failed()
    except CompileError:
        return [(d.id, str(d.severity), d.message, d.position.line) for d in report.diagnostics]
    return {file.path: file.text for file in emitted.artefacts}


@cache
def alone() -> Files:
    """Compile the other tenant's manifest by itself."""
    with folder_of(FILES) as folder:
        files: Files = outcome(folder, source=f"tenants/{OTHER}.yaml")
        return files


@cache
def beside() -> Files:
    """Compile the other tenant's manifest beside one of good will."""
    with folder_of(FILES) as folder:
        files: Files = outcome(folder)
        return files


def check_confined(files: Files) -> None:
    """Check that what was written for each tenant is its own, and the other's what it always is."""
    names = {
        p.split("/")[-1].removesuffix(".yml") for p in files if p.startswith("prometheus/rules/")
    }
    for name in names:
        check_rules(files, name)
    for path, text in alone().items():
        if path.startswith((f"prometheus/rules/{OTHER}", f"prometheus/tests/{OTHER}_")):
            assert files[path] == text
    if names == {HOSTILE, OTHER} and ALERTMANAGER in files:
        check_shared(files, HOSTILE, OTHER)
        check_routing(files, HOSTILE, OTHER)
        assert parts_of(files, OTHER) == parts_of(beside(), OTHER)


class Property(Protocol):
    """What must hold of drawn arguments."""

    __name__: str
    inputs: tuple[st.SearchStrategy[Any], ...]

    def __call__(self, *arguments: Any) -> bool:  # noqa: ANN401  (each has its own)
        """Raise if it does not hold; whether the text was accepted, not refused."""


def holds_for(*inputs: st.SearchStrategy[Any]) -> Callable[[Any], Property]:
    """Give a property the strategies that draw its arguments."""

    def named(function: Any) -> Property:  # noqa: ANN401  (it becomes one)
        function.inputs = inputs
        found: Property = function
        return found

    return named


def draw(holds: Property, examples: int, counts: Counter[str], number: int | None = None) -> None:
    """Draw examples of a property, by a seed or always the same; count them, and the accepted."""

    @settings(
        max_examples=max(1, int(examples * SHARE.get(holds.__name__, 1.0))),
        deadline=None,
        derandomize=number is None,
        database=None,
        phases=[Phase.generate],  # to make an example smaller takes minutes
        suppress_health_check=TOO_SLOW,
    )
    @given(st.tuples(*holds.inputs))
    def run(arguments: tuple[Any, ...]) -> None:
        counts["executions"] += 1
        counts["accepted"] += holds(*arguments)

    (run if number is None else seed(number)(run))()


# --- the properties


@holds_for(queries)
def query_is_refused_or_confined(query: str) -> bool:
    accepted = False
    for prepare in (promql.prepare, promql.prepare_value):
        with _refused():
            check_query(prepared := prepare(query, MATCHERS, WINDOW), HOSTILE)
            assert prepare(query, MATCHERS, WINDOW) == prepared
            # What was isolated once is not refused, and not changed, when it is read again.
            check_query(promql.prepare_value(prepared, MATCHERS, WINDOW), HOSTILE)
            accepted = True
    with _refused():
        check_query(promql.samples(query, MATCHERS), HOSTILE)
    with _refused():
        check_query(promql.selector(query, MATCHERS, "_bucket", 'le="1"'), HOSTILE)
    return accepted


@holds_for(projects())
def project_is_refused_or_confined(project: Project) -> bool:
    with folder_of(project.files) as folder:
        files = outcome(folder)
        assert outcome(folder) == files
    if isinstance(files, dict) and project.changed != PROJECT_FILE:
        check_confined(files)
    return isinstance(files, dict)


@holds_for(projects(), projects())
def cache_gives_what_a_clean_compile_gives(one: Project, two: Project) -> bool:
    with folder_of(one.files) as folder:
        kept = Cache(folder / "cache")
        for files in (one.files, two.files, one.files):
            for path, text in files.items():
                (folder / path).write_bytes(text.encode("utf-8", "surrogatepass"))
            clean = outcome(folder)
            assert outcome(folder, kept) == clean
    return isinstance(clean, dict)


@holds_for(projects())
def command_prints_findings_and_writes_the_output_only(project: Project) -> bool:
    with folder_of({f"repo/{path}": text for path, text in project.files.items()}) as folder:
        arguments = ["compile", "--project", str(folder / "repo" / PROJECT_FILE), "-o"]
        before = tree(folder)
        done = CliRunner().invoke(
            main,
            [*arguments, str(folder / "out")],
            env={"SLO_COMPILER_TOOLS": str(folder / "none"), "PATH": ""},
            catch_exceptions=False,
        )
        after = {path: text for path, text in tree(folder).items() if not path.startswith("out/")}
        left = {path: text for path, text in after.items() if "/.slo-compiler-cache/" not in path}
    assert done.exit_code in (0, 1), done.output
    assert "Traceback" not in done.output
    assert all(line.isprintable() for line in done.output.split("\n")), done.output
    assert left == before
    return done.exit_code == 0


def tree(folder: Path) -> dict[str, bytes]:
    """Give the files of a folder, by their paths in it."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@holds_for(
    st.one_of(queries, documents(st.sampled_from(manifests()))), st.sampled_from(("query", "file"))
)
def text_of_eight_times_the_length_takes_eight_times_the_calls(text: str, where: str) -> bool:
    """Count calls, not seconds: a part of the text is repeated, in a query or in the file."""
    part = text[: 1 + len(text) // 3][-60:]

    def calls(times: int) -> int:
        if where == "query":
            query = part * times
            return counted(lambda: _ignoring(lambda: promql.prepare(query, MATCHERS, WINDOW)))
        with folder_of(FILES | {TENANT: FILES[TENANT] + part * times}) as folder:
            return counted(lambda: outcome(folder))

    once = calls(4)
    assert calls(32) <= 8 * once + CALLS_PER_BYTE * 32 * len(part) + 20_000
    return False  # a part that is repeated is hardly ever a text that is accepted


@contextmanager
def _refused() -> Iterator[None]:
    """Let a query be refused, but not by a crash of the parser, which prints its trace."""
    try:
        yield
    except QueryError as error:
        panicked = error.message == PANIC
        assert not panicked, "the parser panicked"


def _ignoring(function: Callable[[], object]) -> None:
    with suppress(QueryError):
        function()


def counted(function: Callable[[], object]) -> int:
    """Count the calls of Python's functions that a function makes."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(before)
    return calls


@holds_for(projects())
def proofs_of_what_compiles_pass(project: Project) -> bool:
    """Compile with promtool and amtool, and run the proofs."""
    with folder_of(project.files) as folder:
        if project.changed == PROJECT_FILE or not isinstance(outcome(folder), dict):
            return False
        out, run = str(folder / "out"), CliRunner()
        done = run.invoke(main, ["compile", "--project", str(folder / PROJECT_FILE), "-o", out])
        assert done.exit_code == 0, done.output
        done = run.invoke(main, ["test", out])
        assert done.exit_code == 0, done.output
    return True


SHORT: tuple[Property, ...] = (
    query_is_refused_or_confined,
    project_is_refused_or_confined,
    cache_gives_what_a_clean_compile_gives,
    command_prints_findings_and_writes_the_output_only,
    text_of_eight_times_the_length_takes_eight_times_the_calls,
)
LONG = (*SHORT, proofs_of_what_compiles_pass)
SHARE = {  # of the examples: the dear ones get fewer
    "query_is_refused_or_confined": 5.0,
    "cache_gives_what_a_clean_compile_gives": 0.3,
    "proofs_of_what_compiles_pass": 0.1,
}
TOO_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
