"""Quotas and limits: a tenant that is too large is an error with the figure, not a slow machine."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from large_tenants import MANY, PAGE, TICKET, budgets, levels, manifest

from slo_compiler import pipeline, workers
from slo_compiler import unit as unit_module
from slo_compiler.bounded import LimitExceeded, bounded
from slo_compiler.cli import main
from slo_compiler.diagnostics import CompileError, Diagnostic, Report
from slo_compiler.schema.quotas import Quotas
from slo_compiler.source import SourceFile
from slo_compiler.unit import Unit


def compiled(text: str, project: str = "") -> Unit:
    """Compile a tenant as far as its files, without the tools that check them."""
    report = Report()
    head = "apiVersion: slo-compiler/v1\nkind: Project\n"
    file = SourceFile(
        "slo-compiler.yaml", "slo-compiler.yaml", f"{head}spec: {{{project}}}".encode()
    )
    settings = pipeline.parse_project(file, Path.cwd(), report)
    shared = pipeline.read_shared(settings, report)
    report.raise_if_failed()
    (unit,) = pipeline.compile_units(shared, [SourceFile("acme.yaml", "acme.yaml", text.encode())])
    return unit


def errors(unit: Unit) -> list[Diagnostic]:
    return [found for found in unit.diagnostics if found.severity.name == "ERROR"]


PARTS = "(3 SLOs, 12 alerts on burn rates, 0 alerts on budgets)"


@pytest.mark.processes
@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        (partial(manifest, 500, counter="x_total"), 4_000_000, 10_000_000),
        (partial(manifest, 50, [PAGE, TICKET, *budgets(200)]), 2_000_000, 10_000_000),
        (
            partial(manifest, 5, [PAGE, TICKET, *levels(60, [f"c{n}" for n in range(500)])], MANY),
            1_000_000,
            10_000_000,
        ),
    ],
    ids=["one counter, 500 SLOs", "200 budgets, 50 SLOs", "60 steps, 500 channels"],
)
def test_a_large_tenant_within_the_limits_has_files_of_megabytes(
    text: Callable[[], str], least: int, most: int
) -> None:
    unit = compiled(text())
    assert errors(unit) == []
    (tenant,) = unit.tenants
    size = sum(len(a.text) for emission in tenant.emissions for a in emission.artefacts)
    assert most > size > least / 4  # routes come with the other tenants'


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        (
            partial(manifest, 300, [PAGE, TICKET, *levels(500)]),
            ("has at least 301,200 rules, and may have 30,000", "301,200 alerts on burn rates"),
        ),
        (
            partial(manifest, 250, [PAGE, TICKET, *budgets(900)]),
            ("have about 56,500,000 bytes, and may have 50,000,000", "226,000 expected routes"),
        ),
    ],
    ids=["500 levels, 300 SLOs", "900 budgets, 250 SLOs"],
)
@pytest.mark.timeout(60)
def test_steps_times_slos_beyond_the_limits_are_an_error_with_the_figure(
    text: Callable[[], str], figures: tuple[str, ...]
) -> None:
    (found,) = errors(compiled(text()))
    assert found.id == "tenant-limit"
    assert all(figure in found.message for figure in figures)
    assert (found.position.line, found.position.column) == (4, 9)  # the tenant's name


@pytest.mark.parametrize(
    ("project", "message", "figure"),
    [
        ("limits: {slos: 2}", "the tenant has 3 SLOs, and may have 2", 3),
        (
            "limits: {rules: 20}",
            f"the tenant has 53 rules, and may have 20 {PARTS}",
            53,
        ),
        ("quotas: {slos: 2}", "the tenant has 3 SLOs, and may have 2; from here on too many", 3),
        ("quotas: {rules: 52}", "the tenant has 53 rules, and may have 52", 53),
        ("quotas: {series: 74}", "the tenant's rules record 75 series, and may record 74", 75),
        (
            "quotas: {samples_per_second: 100}",
            "evaluation of the tenant's rules reads about 462 samples per second, and may read 100",
            462,
        ),
    ],
)
def test_more_than_a_limit_or_quota_is_an_error_with_a_way_out(
    project: str, message: str, figure: int
) -> None:
    unit = compiled(manifest(3), project)
    (found,) = errors(unit)
    assert found.message == message
    kind, key = project.replace(": {", ":").split(":")[:2]
    if kind == "limits":
        assert found.help.endswith(f"raise limits: {{{key}: {figure}}} in the project")
    else:
        assert found.help == (
            "slo-compiler cost --tenant acme shows what each SLO takes; the platform can allow "
            f"more, in the project: quotas: {{tenants: {{acme: {{{key}: {figure}}}}}}}"
        )
    assert found.id == ("tenant-limit" if project.startswith("limits") else "tenant-quota")
    line = manifest(3).splitlines()[found.position.line - 1].strip()
    assert line == ("- name: s2" if "slos" in project else "name: acme")
    assert unit.tenants == ()


@pytest.mark.parametrize(
    "project",
    [
        "limits: {slos: 3, rules: 53}",
        "quotas: {slos: 3, rules: 53, series: 75, samples_per_second: 500}",
        "quotas: {slos: 1, tenants: {acme: {slos: 3}}}",
        "quotas: {tenants: {other: {slos: 1}}}",
    ],
)
def test_what_is_allowed_or_raised_for_the_tenant_compiles(project: str) -> None:
    unit = compiled(manifest(3), project)
    assert errors(unit) == []
    assert len(unit.tenants) == 1


def test_quotas_of_a_tenant_replace_those_of_all_key_by_key() -> None:
    quotas = Quotas.model_validate({"slos": 5, "rules": 50, "tenants": {"acme": {"slos": 9}}})
    own, other = quotas.of("acme"), quotas.of("other")
    assert (own.slos, own.rules, own.series) == (9, 50, None)
    assert (other.slos, other.rules, other.series) == (5, 50, None)


def test_proofs_are_measured_before_they_are_written() -> None:
    text = manifest(3)
    unit = compiled(text)
    (tenant,) = unit.tenants
    tests = sum(
        len(artefact.text)
        for emission in tenant.emissions
        for artefact in emission.artefacts
        if "/tests/" in artefact.path
    )
    (found,) = errors(compiled(text, "limits: {proof_bytes: 10000}"))
    figure = int(found.message.split(" about ")[1].split(" ")[0].replace(",", ""))
    assert figure == pytest.approx(tests + 12 * 250, rel=0.3)
    assert "12 expected routes and unit tests of" in found.message


def test_a_file_of_50_megabytes_is_refused_and_not_read(tmp_path: Path) -> None:
    path = tmp_path / "acme.yaml"
    path.write_bytes(manifest(1).encode() + b"# padding\n" * 5_000_000)
    done = CliRunner().invoke(main, ["check", "--no-cache", str(path)])
    assert done.exit_code == 1
    assert "error[file-too-large] the file is larger than 1,048,576 bytes" in done.stderr


def test_a_file_beyond_the_projects_limit_is_refused_with_its_size() -> None:
    text = manifest(3)
    (found,) = errors(compiled(text, "limits: {manifest_bytes: 200}"))
    assert found.id == "file-too-large"
    assert found.message == f"the file has {len(text)} bytes, and may have 200"


def test_quotas_of_a_tenant_that_is_not_there_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants" / "acme.yaml").write_text(manifest(1), encoding="utf-8")
    (tmp_path / "slo-compiler.yaml").write_text(
        "apiVersion: slo-compiler/v1\nkind: Project\n"
        "spec: {quotas: {tenants: {acmee: {slos: 3}}}}\n",
        encoding="utf-8",
    )
    project = str(tmp_path / "slo-compiler.yaml")
    done = CliRunner().invoke(main, ["check", "--no-cache", "--project", project])
    assert done.exit_code == 1
    assert 'slo-compiler.yaml:3:27: error[unknown-tenant] no tenant "acmee"' in done.stderr
    assert 'did you mean "acme"?' in done.stderr


@pytest.mark.parametrize(
    "project", ["limits: {slos: 0}", "limits: {slos: 1001}", "quotas: {rules: -1}"]
)
def test_a_limit_that_is_no_limit_is_refused(project: str) -> None:
    with pytest.raises(CompileError):
        compiled(manifest(1), project)


def endless(_context: object, _report: Report) -> None:
    while True:
        pass


def greedy(_context: object, _report: Report) -> None:
    taken = []
    while True:
        taken.append(bytes(1 << 20))
        sum(range(1000))  # CPU time, by which the timer goes


def stubborn(_context: object, _report: Report) -> None:
    for _ in range(3):  # as a finalizer, in which the interpreter drops what is raised
        with suppress(LimitExceeded):
            endless(_context, _report)
    endless(_context, _report)


@pytest.mark.processes
@pytest.mark.parametrize(
    ("lint", "limit", "message"),
    [
        (endless, "cpu_seconds: 1", "the file takes more than 1 s of CPU time to compile"),
        (stubborn, "cpu_seconds: 1", "the file takes more than 1 s of CPU time to compile"),
        (greedy, "memory_megabytes: 50", "the file takes more than 50 MB of memory to compile"),
    ],
)
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_file_that_takes_too_much_is_ended_and_the_others_are_compiled(
    lint: Callable[[object, Report], None],
    limit: str,
    message: str,
    jobs: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "WORTHWHILE_BYTES", 1)
    run = unit_module.lint.run

    def hostile(context: Any, report: Report) -> Any:  # noqa: ANN401  (as lint.run)
        return lint(context, report) if context.tenants[0].name == "acme" else run(context, report)

    monkeypatch.setattr(unit_module.lint, "run", hostile)
    report = Report()
    project = f"apiVersion: slo-compiler/v1\nkind: Project\nspec: {{limits: {{{limit}}}}}\n"
    file = SourceFile("slo-compiler.yaml", "slo-compiler.yaml", project.encode())
    settings = pipeline.parse_project(file, Path(), report)
    texts = {name: manifest(1).replace("acme", name) for name in ("first", "acme", "last")}
    sources = [SourceFile(f"{n}.yaml", f"{n}.yaml", text.encode()) for n, text in texts.items()]
    units = pipeline.compile_units(pipeline.read_shared(settings, report), sources, jobs=jobs)
    assert [len(unit.tenants) for unit in units] == [1, 0, 1]
    (found,) = errors(units[1])
    assert (str(found.position), found.id, found.message) == (
        "acme.yaml:1:1",
        "tenant-limit",
        message,
    )
    key, figure = limit.split(": ")
    assert found.help.endswith(f"raise limits: {{{key}: {2 * int(figure)}}} in the project")
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGPROF) == signal.SIG_DFL


def test_work_in_another_thread_is_not_bounded() -> None:
    done = []

    def work() -> None:
        with bounded(1, 1):
            done.append(bytes(4 << 20))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(done) == 1
