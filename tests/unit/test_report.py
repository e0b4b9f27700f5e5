"""How findings are printed: for people, for machines, and never to the terminal's harm."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import unicodedata
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import click
import pytest
from cases import ROOT
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from slo_compiler import report
from slo_compiler.cli import main
from slo_compiler.diagnostics import Diagnostic, Position, Severity

LINE = "      objective: 0.999"
FOUND = Diagnostic(
    Position("tenants/b.yaml", 13, 18, 5, LINE),
    Severity.ERROR,
    "objective",
    "the objective 0.999 is below 1 percent",
    "did you mean 99.9?",
)
WARNING = Diagnostic(Position("tenants/b.yaml", 3, 1), Severity.WARNING, "page-muted", "muted")
EVIL = Diagnostic(
    Position("a,b: c%\n::error::\x1b[2J.yaml", 1, 2, 3, "x\x1b[31my\t\u202ez"),
    Severity.ERROR,
    "evil",
    "m\r\n::error file=x::\x1b]0;title\x07 \x9b100%\ud800",
    "h\x00\u2028",
)
texts = st.text(max_size=12)
diagnostics = st.builds(
    Diagnostic,
    st.builds(Position, texts, st.integers(1, 9), st.integers(1, 30), st.integers(1, 30), texts),
    st.sampled_from(Severity),
    st.sampled_from(["a", "b"]),
    texts,
    texts,
)
quick = settings(max_examples=80)


def plain(*found: Diagnostic) -> str:
    return click.unstyle(report.text(found))


def caret(line: str, column: int, width: int) -> tuple[str, str]:
    """Give the shown source line and the line below it."""
    at = Position("x", 1, column, width, line)
    _, shown, marks = plain(Diagnostic(at, Severity.ERROR, "i", "m")).splitlines()
    return shown, marks


# --- text


def test_text_is_path_place_severity_rule_message_line_caret_and_next_step() -> None:
    assert plain(FOUND, WARNING) == (
        "tenants/b.yaml:13:18: error[objective] the objective 0.999 is below 1 percent\n"
        "   13 |       objective: 0.999\n"
        "                         ^^^^^\n"
        "      = did you mean 99.9?\n"
        "tenants/b.yaml:3:1: warning[page-muted] muted\n"
    )
    assert report.text([]) == ""


def test_the_caret_is_under_what_it_marks_whatever_is_before_it() -> None:
    for before in ("", "\t", "\x1b", "é", "漢字", "💥", "e\u0301", "\u202e"):
        shown, marks = caret(f"{before}mark rest", len(before) + 1, 4)
        assert marks.strip() == "^^^^"
        columns = sum(_columns(c) for c in shown[: shown.index("mark")])
        assert marks.index("^") == columns, before


def test_what_is_marked_may_be_wide_or_escaped() -> None:
    assert caret("漢字 x", 1, 2)[1].strip() == "^^^^"
    assert caret("\x1bx", 1, 1)[1].strip() == "^^^^^^"


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


@pytest.mark.parametrize("column", [1, 80, 500, 990])
def test_a_long_line_is_cut_around_the_caret(column: int) -> None:
    line = "".join(chr(ord("a") + n % 26) for n in range(1000))
    shown, marks = caret(line, column, 4)
    assert len(shown) <= 8 + report.MAX_LINE
    assert shown[marks.index("^") : marks.rindex("^") + 1] == line[column - 1 : column + 3]


def test_a_caret_never_leaves_its_line() -> None:
    assert caret("ab", 2, 99)[1].strip() == "^"
    assert caret("ab", 3, 1) == ("    1 | ab", "          ^")


@quick
@given(st.lists(diagnostics, max_size=4))
def test_nothing_of_a_manifest_reaches_the_terminal_raw(found: list[Diagnostic]) -> None:
    for text in (plain(*found), report.github(found)):
        assert all(char.isprintable() or char == "\n" for char in text)
    lines = plain(*found).splitlines()
    assert len(lines) <= 4 * len(found)


def test_escape_sequences_are_shown_not_obeyed() -> None:
    assert plain(EVIL) == (
        "a,b: c%\\u000a::error::\\u001b[2J.yaml:1:2: error[evil] "
        "m\\u000d\\u000a::error file=x::\\u001b]0;title\\u0007 \\u009b100%\\ud800\n"
        "    1 | x\\u001b[31my \\u202ez\n"
        "         ^^^^^^^^\n"
        "      = h\\u0000\\u2028\n"
    )


# --- colours


def check_on_a_terminal(folder: Path, **environment: str) -> str:
    """Run on a terminal; gives what it showed."""
    (folder / "b.yaml").write_text("kind: Tenant\n", encoding="utf-8")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from slo_compiler.cli import main; main()", "check", "b.yaml"]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "xterm", **environment}
    process = subprocess.Popen(command, cwd=folder, env=env, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:  # Linux does so when the other end is closed
        pass
    os.close(ours)
    assert process.wait() == 1
    return shown.decode()


@pytest.mark.processes
def test_a_terminal_gets_colours_unless_it_wants_none(tmp_path: Path) -> None:
    assert "\x1b[31m" in check_on_a_terminal(tmp_path)
    assert "\x1b[31m" not in check_on_a_terminal(tmp_path, NO_COLOR="1")
    assert "\x1b[31m" in check_on_a_terminal(tmp_path, NO_COLOR="")


def test_a_file_gets_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.yaml").write_text("kind: Tenant\n", encoding="utf-8")
    done = CliRunner().invoke(main, ["check", "b.yaml"])
    assert "\x1b" not in done.stderr


# --- json


def test_json_is_a_list_of_records() -> None:
    assert json.loads(report.as_json([FOUND])) == [
        {
            "path": "tenants/b.yaml",
            "line": 13,
            "column": 18,
            "end_column": 23,
            "severity": "error",
            "id": "objective",
            "message": "the objective 0.999 is below 1 percent",
            "help": "did you mean 99.9?",
        }
    ]
    assert report.as_json([]) == "[]\n"


@quick
@given(st.lists(diagnostics, max_size=3))
def test_json_and_sarif_read_back_and_are_ascii(found: list[Diagnostic]) -> None:
    records = json.loads(report.as_json(found))
    assert [record["message"] for record in records] == [d.message for d in found]
    log = json.loads(report.sarif(found))
    assert len(log["runs"][0]["results"]) == len(found)
    assert (report.as_json(found) + report.sarif(found)).isascii()


# --- sarif


def test_sarif_has_what_code_scanning_wants() -> None:
    log = json.loads(report.sarif([FOUND, WARNING, FOUND]))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "slo-compiler"
    assert re.fullmatch(r"\d+\.\d+\.\d+", driver["version"])
    assert [rule["id"] for rule in driver["rules"]] == ["objective", "page-muted"]
    assert run["columnKind"] == "unicodeCodePoints"
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note", "none"}
        assert result["message"]["text"]
        (location,) = result["locations"]
        region = location["physicalLocation"]["region"]
        assert region["startLine"] >= 1
        assert 1 <= region["startColumn"] < region["endColumn"]
    first = run["results"][0]["locations"][0]["physicalLocation"]
    assert first == {
        "artifactLocation": {"uri": "tenants/b.yaml"},
        "region": {"startLine": 13, "startColumn": 18, "endColumn": 23},
    }
    assert json.loads(report.sarif([]))["runs"][0]["results"] == []


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("tenants/a b.yaml", "tenants/a%20b.yaml"),
        ("ä#?.yaml", "%C3%A4%23%3F.yaml"),
        ("/repo/a.yaml", "file:///repo/a.yaml"),
        ("<stdin>", "%3Cstdin%3E"),
        ("a:b.yaml", "a%3Ab.yaml"),
        ("\udcff.yaml", "%FF.yaml"),
    ],
)
def test_a_sarif_path_is_a_uri(path: str, uri: str) -> None:
    found = Diagnostic(Position(path), Severity.ERROR, "i", "m")
    location = json.loads(report.sarif([found]))["runs"][0]["results"][0]["locations"][0]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == uri


# --- github


def test_github_gets_one_command_for_each_finding() -> None:
    assert report.github([FOUND, WARNING]) == (
        "::error file=tenants/b.yaml,line=13,col=18,endColumn=23,title=objective::"
        "the objective 0.999 is below 1 percent%0Adid you mean 99.9?\n"
        "::warning file=tenants/b.yaml,line=3,col=1,endColumn=2,title=page-muted::muted\n"
    )
    assert report.github([]) == ""


def test_github_commands_cannot_be_forged() -> None:
    text = report.github([EVIL])
    assert text.count("\n") == 1
    assert text.startswith(
        "::error file=a%2Cb%3A c%25\\u000a%3A%3Aerror%3A%3A\\u001b[2J.yaml,line=1,"
    )
    assert "100%25" in text


@quick
@given(st.lists(diagnostics, max_size=4))
def test_github_reads_back(found: list[Diagnostic]) -> None:
    lines = report.github(found).splitlines()
    assert len(lines) == len(found)
    for line, finding in zip(lines, found, strict=True):
        head, _, message = line.removeprefix("::").partition("::")
        severity = "notice" if finding.severity is Severity.INFO else finding.severity
        assert head.startswith(f"{severity} file=")
        assert unquote(message).count("\n") == bool(finding.help)


# --- on the command line


@pytest.mark.parametrize("format_", ["text", "json", "sarif", "github"])
def test_format_for_machines_has_stdout_to_itself_and_text_stderr(
    format_: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.yaml").write_text(
        "apiVersion: slo-compiler/v1\nkind: Tennant\n", encoding="utf-8"
    )
    done = CliRunner().invoke(main, ["check", "b.yaml", "--format", format_])
    assert done.exit_code == 1
    findings, rest = done.stdout, done.stderr
    if format_ == "text":
        findings, rest = rest, findings
    assert "Tennant" in findings
    assert rest == ""
    if format_ in {"json", "sarif"}:
        json.loads(findings)


@pytest.mark.processes
@pytest.mark.parametrize("format_", ["json", "sarif", "github"])
def test_format_for_machines_keeps_a_diff_off_stdout(
    format_: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    manifest = (ROOT / "tests/support/manifests/ratio-errors.yaml").read_text(encoding="utf-8")
    (tmp_path / "acme.yaml").write_text(manifest, encoding="utf-8")
    command = ["compile", "acme.yaml", "-o", "out", "--format", format_]
    clean = CliRunner().invoke(main, command)
    assert clean.exit_code == 0
    if format_ == "json":
        found = json.loads(clean.stdout)
        assert {record["severity"] for record in found} <= {"warning"}
    (tmp_path / "out/prometheus/rules/acme.yml").unlink()
    done = CliRunner().invoke(main, [*command, "--check"])
    assert done.exit_code == 1
    assert "+++ b/prometheus/rules/acme.yml" in done.stderr
    assert "+++" not in done.stdout
    assert "out-of-date" in done.stdout


def test_sarif_explains_each_rule_that_is_found() -> None:
    from slo_compiler.lint import document  # noqa: PLC0415

    found = replace(FOUND, id="unknown-key")
    rules = json.loads(report.sarif([found, WARNING], document.rule_texts()))
    muted, unknown = rules["runs"][0]["tool"]["driver"]["rules"]
    assert unknown["shortDescription"] == {"text": "A mapping has a key that is not known."}
    assert unknown["help"]["text"].endswith("Correct its name, or remove it.")
    assert muted["help"]["text"].startswith(muted["shortDescription"]["text"].removesuffix("."))
