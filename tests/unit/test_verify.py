"""What promtool and amtool refuse is reported at the manifest's line, as is a tool that fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cases import ROOT
from click.testing import CliRunner, Result

from slo_compiler import process, toolcheck, tools
from slo_compiler.cache import FOLDER, Cache
from slo_compiler.cli import main
from slo_compiler.diagnostics import Position, Report
from slo_compiler.emit.artefact import Artefact
from slo_compiler.toolcheck import verify
from slo_compiler.tools import find_in

MANIFEST = (ROOT / "tests/support/manifests/ratio-errors.yaml").read_text(encoding="utf-8")
PROJECT = """\
apiVersion: slo-compiler/v1
kind: Project
spec:
  prometheus: {version: "2.42"}
  alertmanager: {version: "0.25", heartbeat: {webhook: {url: "http://deadman.internal/slo"}}}
"""
SUITES = ("bookworm", "trixie", "forky")
REAL = {suite: find_in(suite, "promtool") for suite in SUITES}  # found before any test moves


GOOD = "groups: [{name: g, rules: [{record: a, expr: x}]}]\n"
TWICE = "groups: [{name: h, rules: [{record: b, expr: x}, {record: b, expr: y}]}]\n"


def rules(path: str, text: str) -> Artefact:
    return Artefact(path, text, "promtool")


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("SLO_COMPILER_TOOLS", raising=False)
    (tmp_path / "slo-compiler.yaml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "acme.yaml").write_text(MANIFEST, encoding="utf-8")
    return tmp_path


def use(monkeypatch: pytest.MonkeyPatch, suite: str) -> None:
    promtool = REAL[suite]
    assert promtool is not None, f"promtool of {suite} is missing: run make tools-all"
    monkeypatch.setenv("SLO_COMPILER_TOOLS", str(promtool.parent))


def fake(repo: Path, name: str, script: str) -> None:
    path = repo / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", "acme.yaml", *arguments], catch_exceptions=False)


def query(repo: Path, total: str) -> None:
    """Replace the manifest's total, so that the line is known."""
    lines = MANIFEST.splitlines(keepends=True)
    (number,) = [n for n, line in enumerate(lines) if line.lstrip().startswith("total:")]
    indent = " " * (len(lines[number]) - len(lines[number].lstrip()))
    lines[number] = f"{indent}total: {total}\n"
    (repo / "acme.yaml").write_text("".join(lines), encoding="utf-8")


@pytest.mark.parametrize(
    ("suite", "message"),
    [
        ("bookworm", 'unknown function with name "mad_over_time"\n'),
        ("trixie", 'function "mad_over_time" is not enabled\n'),
        ("forky", 'function "mad_over_time" is not enabled\n'),
    ],
)
def test_a_function_that_promtool_does_not_know_is_marked_in_the_manifest(
    repo: Path, monkeypatch: pytest.MonkeyPatch, suite: str, message: str
) -> None:
    use(monkeypatch, suite)
    query(repo, "sum(mad_over_time(http_requests_total[$window]))")
    done = check()
    assert done.exit_code == 1
    where, source, caret, hint, *_ = done.stderr.splitlines()
    column = source.index("mad_over_time") - 7
    assert where.startswith("acme.yaml:")
    assert f":{column}: error[promtool] promtool refuses slo:events:rate: " in where
    assert message in f"{where}\n"
    assert source[caret.index("^") : caret.rindex("^") + 1] == "mad_over_time"
    assert hint.startswith("      = checked by promtool ")


@pytest.mark.parametrize("suite", SUITES)
def test_what_the_base_configuration_lacks_only_amtool_sees(
    repo: Path, monkeypatch: pytest.MonkeyPatch, suite: str
) -> None:
    use(monkeypatch, suite)
    (repo / "slo-compiler.yaml").write_text(
        PROJECT.replace('{version: "0.25",', '{version: "0.25", base: base.yml,'), encoding="utf-8"
    )
    (repo / "base.yml").write_text(
        "route: {receiver: nobody}\nreceivers: [{name: x}]\n", encoding="utf-8"
    )
    done = check()
    assert done.exit_code == 1
    refused = 'amtool refuses it: undefined receiver "nobody" used in route\n'
    assert f"base.yml:1:19: error[amtool] {refused}" in done.stderr


@pytest.mark.parametrize("suite", SUITES)
def test_a_receivers_finding_is_reported_at_its_channel(
    monkeypatch: pytest.MonkeyPatch, suite: str
) -> None:
    use(monkeypatch, suite)
    text = (
        'route: {receiver: x}\nreceivers: [{name: x}, {name: "slo/a/page"}, {name: "slo/a/page"}]\n'
    )
    channel, report = Position("acme.yaml", 7, 3), Report()
    artefact = Artefact("am.yml", text, "amtool", {"slo/a/page": channel})
    verify([artefact], report)
    (finding,) = report.diagnostics
    assert finding.position == channel
    assert (
        finding.message == 'amtool refuses it: notification config name "slo/a/page" is not unique'
    )


@pytest.mark.parametrize("suite", SUITES)
def test_findings_about_a_file_as_a_whole_name_the_file(
    monkeypatch: pytest.MonkeyPatch, suite: str
) -> None:
    use(monkeypatch, suite)
    report = Report()
    verify([rules("good.yml", GOOD), rules("twice.yml", TWICE)], report)
    (finding,) = report.diagnostics
    assert finding.position.path == "twice.yml"
    assert "1 duplicate rule(s) found.; Metric: b" in finding.message


@pytest.mark.parametrize("missing", [{"promtool"}, {"amtool"}, {"promtool", "amtool"}])
def test_missing_tools_are_reported_and_are_no_error(
    repo: Path, monkeypatch: pytest.MonkeyPatch, missing: set[str]
) -> None:
    for name in {"promtool", "amtool"} - missing:
        fake(repo, name, "echo SUCCESS")
    monkeypatch.setenv("PATH", str(repo / "bin"))
    for command in (["check"], ["compile", "-o", "out"]):
        done = CliRunner().invoke(main, [*command, "acme.yaml"], catch_exceptions=False)
        names = ", ".join(name for name in ("promtool", "amtool") if name in missing)
        assert done.exit_code == 0, done.stderr
        hint = f"  {tools.how_to_get()}\n"
        assert f"; SKIPPED, because not found: {names}\n{hint}" in done.stderr
        for name in ("promtool", "amtool"):
            assert (f", {name} agrees;" in done.stderr) is (name not in missing)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exit 1", "promtool failed: it prints nothing"),
        ("echo no such flag >&2; exit 2", "promtool failed: no such flag"),
        ("kill -9 $$", "promtool failed: it prints nothing"),
        ("printf 'a\\nb\\n\\nc\\nd\\ne\\nf\\n'; exit 1", "promtool failed: a; b; c; d; e"),
        ("printf '\\303\\033[31m'; exit 1", "promtool failed: \ufffd\\u001b[31m"),
    ],
)
def test_a_tool_that_fails_otherwise_is_an_error_with_its_output(
    repo: Path, monkeypatch: pytest.MonkeyPatch, script: str, message: str
) -> None:
    fake(repo, "promtool", script)
    fake(repo, "amtool", "exit 1")
    monkeypatch.setenv("SLO_COMPILER_TOOLS", str(repo / "bin"))
    done = check()
    assert done.exit_code == 1
    assert f"prometheus/rules/acme.yml:1:1: error[promtool] {message}\n" in done.stderr
    assert "error[amtool] amtool refuses it: it prints nothing\n" in done.stderr


def test_a_tool_that_cannot_be_started_is_an_error(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("promtool", "amtool"):
        fake(repo, name, "")
        (repo / "bin" / name).write_text("#!/nonexistent/interpreter\n", encoding="utf-8")
    monkeypatch.setenv("SLO_COMPILER_TOOLS", str(repo / "bin"))
    done = check()
    assert done.exit_code == 1
    assert "bin/promtool could not be started: No such file or directory" in done.stderr


@pytest.mark.parametrize("suite", SUITES)
def test_every_suite_agrees_with_what_is_compiled(
    repo: Path, monkeypatch: pytest.MonkeyPatch, suite: str
) -> None:
    use(monkeypatch, suite)
    done = check()
    summary, *infos = done.stderr.splitlines()
    assert (done.exit_code, summary) == (
        0,
        "1 SLO of 1 tenant: no errors, promtool and amtool agree",
    )
    assert [line for line in infos if ": warning[" in line or ": error[" in line] == []
    assert sorted(path.name for path in repo.iterdir()) == [
        FOLDER,
        "acme.yaml",
        "slo-compiler.yaml",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("exit 0", 'exits with 0, but does not report "SUCCESS": it prints nothing'),
        ("echo ok", 'exits with 0, but does not report "SUCCESS": ok'),
        ("printf '\\377\\033[31m\\000'", 'exits with 0, but does not report "SUCCESS": '),
        ("kill -SEGV $$", "it prints nothing"),
        ("exit 77", "it prints nothing"),
        ("echo '  SUCCESS: 1 rules found'; exit 1", "SUCCESS: 1 rules found"),
        ("echo unknown flag >&2; exit 2", "unknown flag"),
    ],
    ids=["silent", "other", "garbage", "crash", "odd", "both", "old"],
)
@pytest.mark.parametrize("name", ["promtool", "amtool"])
def test_verify_with_a_tool_that_does_not_agree_is_an_error(
    repo: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, message: str
) -> None:
    folder = repo / "fake"
    folder.mkdir()
    (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    (folder / name).chmod(0o755)
    monkeypatch.setenv("SLO_COMPILER_TOOLS", str(folder))
    done = CliRunner().invoke(main, ["check", "acme.yaml"], catch_exceptions=False)
    assert done.exit_code == 1
    (line,) = (line for line in done.stderr.split("\n") if f"error[{name}]" in line)
    assert message in line
    assert line.isprintable()


def test_verify_with_a_tool_of_another_machine_names_it(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = repo / "fake"
    folder.mkdir()
    (folder / "promtool").write_bytes(
        b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xf3\x00" + bytes(44)
    )
    (folder / "promtool").chmod(0o755)
    monkeypatch.setenv("SLO_COMPILER_TOOLS", str(folder))
    done = CliRunner().invoke(main, ["check", "acme.yaml"], catch_exceptions=False)
    assert done.exit_code == 1
    assert "promtool could not be started: Exec format error" in done.stderr


def test_verify_with_a_tool_that_hangs_ends_at_the_limit(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = repo / "fake"
    folder.mkdir()
    (folder / "promtool").write_text("#!/bin/sh\nwhile :; do sleep 60; done\n", encoding="utf-8")
    (folder / "promtool").chmod(0o755)
    monkeypatch.setenv("SLO_COMPILER_TOOLS", str(folder))
    monkeypatch.setattr(process.run, "__kwdefaults__", process.run.__kwdefaults__ | {"limit": 0.5})
    monkeypatch.setattr(tools, "_IDENTITY_SECONDS", 0.5)
    done = CliRunner().invoke(main, ["check", "acme.yaml"], catch_exceptions=False)
    assert done.exit_code == 1
    assert "error[promtool] promtool gave no answer within 0.5 s" in done.stderr


def count_calls(repo: Path, monkeypatch: pytest.MonkeyPatch, suite: str = "forky") -> Path:
    """Put a promtool in place that is the real one, and logs the files that it is to check."""
    real = REAL[suite]
    assert real is not None, f"promtool of {suite} is missing: run make tools-all"
    log = repo / "calls"
    log.write_text("", encoding="utf-8")
    fake(repo, "promtool", f'[ "$1" = check ] && echo "$@" >> {log}; exec {real} "$@"')
    monkeypatch.setenv("SLO_COMPILER_TOOLS", str(repo / "bin"))
    return log


def calls(log: Path) -> list[list[str]]:
    """Return the files of each call since the last time."""
    lines = log.read_text(encoding="utf-8").splitlines()
    log.write_text("", encoding="utf-8")
    return [[word for word in line.split() if word.endswith(".yml")] for line in lines]


def test_verify_again_checks_only_what_changed_until_promtool_changes(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, cache = count_calls(repo, monkeypatch), Cache(repo / FOLDER)
    files = [rules(f"{name}.yml", GOOD.replace(": x", f": {name}")) for name in ("p", "q")]

    def checked(*artefacts: Artefact, kept: Cache | None = cache) -> list[list[str]]:
        report = Report()
        found = verify(artefacts, report, cache=kept)
        assert (report.diagnostics, [*found.ran]) == ([], ["promtool"])
        return calls(log)

    assert checked(*files) == [["p.yml", "q.yml"]]
    assert checked(*files) == []
    assert checked(files[1]) == []
    assert checked(files[0], rules("q.yml", GOOD.replace(": x", ": r"))) == [["q.yml"]]
    assert checked(*files) == []  # what it agreed with before that is still known
    assert checked(*files, kept=None) == [["p.yml", "q.yml"]]
    os.utime(repo / "bin/promtool", ns=(1, 1))
    assert checked(*files) == [["p.yml", "q.yml"]]


def test_verify_again_refuses_again_what_was_refused(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, cache = count_calls(repo, monkeypatch), Cache(repo / FOLDER)
    for _ in range(2):
        report = Report()
        verify([rules("good.yml", GOOD), rules("twice.yml", TWICE)], report, cache=cache)
        assert [each.position.path for each in report.diagnostics] == ["twice.yml"]
        assert calls(log) == [["good.yml", "twice.yml"]]


def test_verify_reads_what_a_checker_reads_instead_of_the_text(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, cache = count_calls(repo, monkeypatch), Cache(repo / FOLDER)
    for checked, number in ((GOOD, 1), (GOOD, 0), (GOOD.replace(": x", ": z"), 1)):
        artefact = Artefact("a.yml", "kind: PrometheusRule", "promtool", checked=checked)
        verify([artefact], Report(), cache=cache)
        assert len(calls(log)) == number


def test_verify_of_a_promtool_without_a_version_keeps_nothing(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(repo, "promtool", f"echo called >> {repo}/calls; echo SUCCESS")
    monkeypatch.setenv("SLO_COMPILER_TOOLS", str(repo / "bin"))
    for _ in range(2):
        verify([rules("good.yml", GOOD)], report := Report(), cache=Cache(repo / FOLDER))
        assert report.diagnostics == []
    called = (repo / "calls").read_text(encoding="utf-8").splitlines()
    assert len(called) == 4  # for its version, and for the file, each time


def test_check_again_does_not_run_promtool_and_with_no_cache_does(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = count_calls(repo, monkeypatch)
    for arguments, number in (([], 1), ([], 0), (["--no-cache"], 1)):
        done = check(*arguments)
        assert done.exit_code == 0, done.stderr
        assert "promtool agrees" in done.stderr
        assert len(calls(log)) == number


def test_verify_of_many_files_reports_what_is_wrong_in_each_batch(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = count_calls(repo, monkeypatch)
    monkeypatch.setattr(toolcheck, "_BATCH_BYTES", len(GOOD) + len(TWICE))
    broken = "groups: [{name: g, rules: [{record: a, expr: x}, {record: b, expr: 'sum('}]}]\n"
    at = Position("acme.yaml", 7, 3)
    files = [
        rules("1.yml", GOOD),
        rules("2.yml", TWICE),
        Artefact("3.yml", broken, "promtool", {"g/2": at}),
        rules("4.yml", TWICE),
        rules("5.yml", TWICE),
        rules("6.yml", GOOD),
    ]
    report = Report()
    verify(files, report, cache=Cache(repo / FOLDER))
    assert sorted(calls(log)) == [["1.yml", "2.yml"], ["3.yml", "4.yml"], ["5.yml", "6.yml"]]
    found = {each.position.path: each.message for each in report.diagnostics}
    assert len(found) == len(report.diagnostics) == 4
    for path in ("2.yml", "4.yml", "5.yml"):
        assert "1 duplicate rule(s) found.; Metric: b" in found[path]
    assert found["acme.yaml"].startswith("promtool refuses b: ")


@pytest.mark.parametrize("script", ["exit 1", "echo ok", "kill -9 $$"])
def test_verify_of_many_files_with_a_tool_that_fails_is_one_error(
    repo: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr(toolcheck, "_BATCH_BYTES", 1)
    fake(repo, "promtool", script)
    monkeypatch.setenv("SLO_COMPILER_TOOLS", str(repo / "bin"))
    report = Report()
    verify([rules(f"{number}.yml", GOOD) for number in range(5)], report)
    assert [each.position.path for each in report.diagnostics] == ["0.yml"]


def test_verify_of_many_files_with_a_tool_that_hangs_waits_for_it_once(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toolcheck, "_BATCH_BYTES", 1)
    fake(repo, "promtool", f"echo called >> {repo}/calls; /bin/sleep 60")
    (repo / "calls").write_text("", encoding="utf-8")  # a busy machine may begin none in time
    monkeypatch.setenv("SLO_COMPILER_TOOLS", str(repo / "bin"))
    monkeypatch.setattr(process.run, "__kwdefaults__", process.run.__kwdefaults__ | {"limit": 0.5})
    report = Report()
    verify([rules(f"{number}.yml", GOOD) for number in range(50)], report)
    (finding,) = report.diagnostics
    assert finding.message == "promtool gave no answer within 0.5 s"
    called = (repo / "calls").read_text(encoding="utf-8").splitlines()
    assert len(called) <= 2 * (os.cpu_count() or 1)


def test_verify_again_asks_amtool_again_as_it_reads_more_than_the_file(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(repo, "amtool", f"echo called >> {repo}/calls; echo version 0.33.1; echo SUCCESS")
    monkeypatch.setenv("SLO_COMPILER_TOOLS", str(repo / "bin"))
    for number in (1, 2):
        report = Report()
        verify([Artefact("am.yml", "route: {}", "amtool")], report, cache=Cache(repo / FOLDER))
        assert report.diagnostics == []
        assert (repo / "calls").read_text(encoding="utf-8").count("called") == number
