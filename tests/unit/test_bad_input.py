"""What is refused, and with which words: tests/unit/bad_input/<case>.txt has inputs and stderr.

A case is a script: what it shows, the command, the files it finds, and the stderr that it must
print, with the exit code. `pytest --snapshot-update` writes the stderr anew; read the diff.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import promql_parser as pp
import pytest
import yaml
from cases import ROOT
from click.testing import CliRunner, Result

from slo_compiler import pipeline
from slo_compiler.cache import FOLDER
from slo_compiler.cli import main
from slo_compiler.diagnostics import CompileError, Report
from slo_compiler.documents import read_documents
from slo_compiler.frontend.validate import validate
from slo_compiler.promql import walk
from slo_compiler.schema import Project, Tenant
from slo_compiler.schema.base import Strict
from slo_compiler.source import MAX_BYTES, SourceFile

SCRIPTS = sorted((ROOT / "tests/unit/bad_input").glob("*.txt"))
MANIFEST = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {name: customer-b, owner: sre}
spec:
  channels:
    - {name: chat, webhook: {url: "http://chat.internal/customer-b"}}
  escalation:
    - {severity: page, notify: [chat]}
    - {severity: ticket, notify: [chat]}
  slos:
    - name: availability
      service: checkout
      objective: 99.9
      sli:
        ratio:
          errors: http_requests_total{code=~"5.."}
          total: http_requests_total
"""
PROJECT = """\
apiVersion: slo-compiler/v1
kind: Project
spec:
  alertmanager: {heartbeat: {webhook: {url: "http://deadman.internal/slo"}}}
"""
Check = Callable[[bytes | str], str]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SLO_COMPILER_TOOLS", os.environ.get("SLO_COMPILER_TOOLS", f"{ROOT}/.tools"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def check(repo: Path) -> Check:
    """Check one manifest, which must be refused; gives stderr."""

    def run(manifest: bytes | str) -> str:
        content = manifest.encode() if isinstance(manifest, str) else manifest
        (repo / "slo-compiler.yaml").write_text(PROJECT, encoding="utf-8")
        (repo / "customer-b.yaml").write_bytes(content)
        return refused(repo, ["check", "customer-b.yaml"])

    return run


def refused(repo: Path, arguments: list[str], exit_code: int = 1) -> str:
    """Run a command that must fail, print on stderr only, and write nothing."""
    before = tree(repo)
    done: Result = CliRunner().invoke(
        main, arguments, prog_name="slo-compiler", catch_exceptions=False
    )
    assert (done.exit_code, done.stdout) == (exit_code, "")
    assert tree(repo) == before
    return done.stderr


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in folder.rglob("*")
        if FOLDER not in path.parts
    }


def query(text: str) -> str:
    """Put a query into a manifest, quoted as YAML wants it."""
    quoted = text.replace("'", "''")
    return MANIFEST.replace("total: http_requests_total\n", f"total: '{quoted}'\n")


@pytest.mark.processes
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_bad_input_is_refused_with_these_words(
    script: Path, repo: Path, request: pytest.FixtureRequest
) -> None:
    text = script.read_text(encoding="utf-8")
    head, *parts = re.split(r"^-- (.+) --\n", text, flags=re.MULTILINE)
    *files, (end, expected) = zip(parts[::2], parts[1::2], strict=True)
    exit_code = int(end.removeprefix("stderr, exit "))
    comment, command = head.splitlines()
    assert comment.startswith("# ")
    for name, content in files:
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_text(content, encoding="utf-8")

    stderr = refused(repo, command.removeprefix("$ slo-compiler ").split(), exit_code)

    if request.config.getoption("update_snapshots"):
        script.write_text(text.removesuffix(expected) + stderr, encoding="utf-8")
    else:
        assert stderr == expected


@pytest.mark.processes
def test_a_real_process_exits_with_1_and_prints_the_same(repo: Path) -> None:
    (repo / "b.yaml").write_text(MANIFEST.replace("99.9", "0.999"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", "from slo_compiler.cli import main; main()", "check", "b.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.partition("b.yaml:13:18")[2] == (
        ": error[objective] the objective 0.999 is below 1 percent\n"
        "   13 |       objective: 0.999\n"
        "                         ^^^^^\n"
        "      = objectives are percentages: did you mean 99.9?\n"
        "1 error and 1 warning\n"
    )
    assert [path.name for path in repo.iterdir()] == ["b.yaml"]


# --- what no script can hold: too long, not text, or made by the file system


def test_thirty_thousand_parentheses_in_a_query(check: Check) -> None:
    stderr = check(query("(" * 30_000 + "http_requests_total" + ")" * 30_000))
    line = " " * 10 + "total: '" + "(" * 142
    assert stderr == (
        "customer-b.yaml:17:19: error[query-too-long] "
        "the query has 60,019 characters; at most 4,096 are allowed\n"
        f"   17 | {line}\n"
        f"{' ' * 26}{'^' * 142}\n"
        "      = record parts of it with a rule of your own\n"
        "1 error\n"
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("(" * 65 + "x" + ")" * 65, "nested deeper than 64 levels"),
        ("sum(" * 65 + "x" + ")" * 65, "nested deeper than 64 levels"),
        ("x" + " + x" * 600, "built of more than 100 operators"),
        ("-" * 600 + "x", "built of more than 100 operators"),
        ("x" + " or x" * 600, "built of more than 100 operators"),
    ],
    ids=["parentheses", "calls", "operators", "unary", "words"],
)
def test_a_query_that_would_exhaust_the_parser(check: Check, text: str, what: str) -> None:
    first = check(query(text)).splitlines()[0]
    assert re.sub(r":\d+: ", ": ", first, count=1) == (
        f"customer-b.yaml:17: error[query-too-complex] the query is {what}"
    )


def compiled(repo: Path, manifest: str) -> tuple[Result, float]:
    """Compile a manifest without tools; gives what was printed, and the seconds of CPU."""
    (repo / "slo-compiler.yaml").write_text(PROJECT, encoding="utf-8")
    (repo / "customer-b.yaml").write_text(manifest, encoding="utf-8")
    arguments = ["compile", "customer-b.yaml", "-o", "out"]
    start = time.process_time()
    environment = {"SLO_COMPILER_TOOLS": str(repo / "none"), "PATH": ""}
    done = CliRunner().invoke(
        main, arguments, prog_name="slo-compiler", env=environment, catch_exceptions=False
    )
    return done, time.process_time() - start


def test_compile_with_a_pattern_that_backtracks_costs_no_more_than_with_another(repo: Path) -> None:
    """Python's `re` takes twice as long for each x more: here, some hours."""
    hostile = 'errors: http_requests_total{code=~"(x+x+)+y|x{40}z",code!="xxy"}'
    manifest = MANIFEST.replace('errors: http_requests_total{code=~"5.."}', hostile)
    compiled(repo, MANIFEST)  # what is imported and read once
    _, plain = compiled(repo, MANIFEST.replace("5..", "4.."))
    done, seconds = compiled(repo, manifest)
    assert done.exit_code == 0, done.stderr
    assert seconds < 10 * plain


def alternations(terms: int) -> str:
    """A manifest of a hundred SLOs, each with a pattern of this many alternatives of its own."""
    head, _, slo = MANIFEST.partition("    - name: availability\n")
    pattern = "|".join(f"{{0}}value{n}.*" for n in range(terms))
    return head + "".join(
        f"    - name: slo-{n}\n{slo}".replace("http_requests_total", f"requests_{n}_total").replace(
            "5..", pattern.format(n)
        )
        for n in range(100)
    )


@pytest.mark.processes
def test_compile_of_long_alternations_grows_no_faster_than_their_length(repo: Path) -> None:
    compiled(repo, MANIFEST)  # what is imported and read once
    done, short = compiled(repo, alternations(25))
    assert done.exit_code == 0, done.stderr
    done, long = compiled(repo, alternations(200))
    assert done.exit_code == 0, done.stderr
    assert long < 8 * short  # about 3 times: the rest of a compile is the same


@pytest.mark.parametrize("char", ["\\u2028", "\\f", "\\x85", "\\v"])
def test_compile_with_another_line_end_in_a_matcher_emits_the_same_value(
    repo: Path, char: str
) -> None:
    manifest = MANIFEST.replace('{code=~"5.."}', f"{{code='a {char} b'}}")
    done, _ = compiled(repo, manifest)
    assert done.exit_code == 0, done.stderr
    rules = yaml.safe_load((repo / "out/prometheus/rules/customer-b.yml").read_text("utf-8"))
    (errors,) = (
        rule["expr"]
        for group in rules["groups"]
        for rule in group["rules"]
        if rule.get("record") == "slo:errors:rate"
    )
    values = {
        matcher.value
        for node in walk(pp.parse(errors))
        if isinstance(node, pp.VectorSelector)
        for matcher in node.matchers.matchers
    }
    assert f"a {char.encode().decode('unicode_escape')} b" in values


@pytest.mark.parametrize("zone", ["localtime", "posixrules", "Factory", "posix/UTC", "right/UTC"])
def test_check_with_a_zone_of_the_machine_is_refused(check: Check, zone: str) -> None:
    hours = f"  hours:\n    night:\n      - {{location: {zone}}}\n  slos:\n"
    manifest = MANIFEST.replace("  slos:\n", hours)
    assert f'"{zone}" is no IANA time zone' in check(manifest)


def test_invalid_utf_8(check: Check) -> None:
    assert check(MANIFEST.encode().replace(b"sre", "süß".encode("latin-1"))) == (
        "customer-b.yaml:3:38: error[not-utf8] byte 0xfc is not UTF-8\n"
        "      = save the file as UTF-8\n"
        "1 error\n"
    )


@pytest.mark.parametrize("start", ["[", "- ", "{a: ", "? "], ids=["flow", "block", "map", "key"])
def test_deep_yaml(check: Check, start: str) -> None:
    stderr = check(start * 100_000)
    assert stderr.startswith(
        f"customer-b.yaml:1:{64 * len(start) + 1}: error[yaml-syntax] "
        "not valid YAML: nested deeper than 64 levels\n"
    )
    assert stderr.endswith("^\n1 error\n")


def test_yaml_that_is_deep_by_aliases_only(check: Check) -> None:
    first = "a0: &a0 " + "[" * 30 + "]" * 30 + "\n"
    more = [f"a{n}: &a{n} {'[' * 30}*a{n - 1}{']' * 30}\n" for n in range(1, 200)]
    assert check(first + "".join(more)).splitlines()[0] == (
        "customer-b.yaml:3:33: error[yaml-bomb] aliases nest this deeper than 64 levels"
    )


def test_a_file_beyond_the_limit(check: Check) -> None:
    assert check("# " + "x" * MAX_BYTES) == (
        "customer-b.yaml:1:1: error[file-too-large] the file is larger than 1,048,576 bytes\n"
        "      = split it into one file per tenant\n"
        "1 error\n"
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sources", "[{}]"),
        ("policies", "[{}]"),
        ("templates", "[{}]"),
        ("output", "{}"),
        ("alertmanager", "{{base: {}}}"),
    ],
)
@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("x" * 300, "a name in the path has 300 bytes; systems allow 255"),
        ("é" * 200, "a name in the path has 400 bytes; systems allow 255"),
        ("/y" * 2_500, "the path has 5,000 bytes; systems allow 4,000"),
    ],
    ids=["name", "bytes", "path"],
)
def test_a_path_that_no_system_can_have(
    repo: Path, key: str, value: str, path: str, what: str
) -> None:
    (repo / "slo-compiler.yaml").write_text(
        f"apiVersion: slo-compiler/v1\nkind: Project\nspec:\n  {key}: {value.format(path)}\n",
        encoding="utf-8",
    )
    done = CliRunner().invoke(main, ["check"], catch_exceptions=False)
    assert done.exit_code == 1
    assert f"error[path-too-long] {what}\n" in done.stderr


def test_a_control_character_never_reaches_the_terminal(check: Check) -> None:
    assert check(MANIFEST.replace("owner: sre", "owner: s\x1b[31mre")) == (
        "customer-b.yaml:3:38: error[control-character] "
        "the file holds the control character U+001B\n"
        "    3 | metadata: {name: customer-b, owner: s\\u001b\n"
        "                                             ^^^^^^\n"
        "      = remove it\n"
        "1 error\n"
    )


@pytest.mark.parametrize(
    ("escape", "code"), [("\\e", "001B"), ("\\u202e", "202E"), ("\\r", "000D")]
)
def test_nor_does_an_escaped_one_reach_an_alert(check: Check, escape: str, code: str) -> None:
    stderr = check(MANIFEST.replace("owner: sre", f'owner: "s{escape}re"'))
    assert stderr.splitlines()[0] == (
        "customer-b.yaml:3:37: error[control-character] "
        f"the text holds the control character U+{code}"
    )


def test_of_a_very_long_line_only_the_place_is_shown(check: Check) -> None:
    stderr = check(MANIFEST.replace("sre}", "x" * 50_000 + ", lables: {}}"))
    lines = stderr.splitlines()
    at = next(n for n, line in enumerate(lines) if ":3:50039: error[unknown-key]" in line)
    marked, caret = lines[at + 1 : at + 3]
    assert len(marked) <= 168
    assert marked[caret.index("^") : caret.rindex("^") + 1] == "lables"


def test_long_words_are_cut_in_messages(check: Check) -> None:
    stderr = check(MANIFEST.replace("name: availability", "name: " + "A" * 50_000))
    assert stderr.splitlines()[0] == (
        f'customer-b.yaml:11:13: error[name] "{"A" * 80}"... is no name of an SLO or a service'
    )


@pytest.mark.processes
def test_thousands_of_mistakes_report_the_first_hundred(check: Check) -> None:
    keys = ", ".join(f"k{n}: 1" for n in range(40_000))
    stderr = check(MANIFEST.replace("sre}", f"sre, {keys}}}"))
    assert "error[too-many] 40,000 findings; the first 100 are reported\n" in stderr
    assert stderr.endswith("101 errors\n")


def test_a_file_that_cannot_be_read(repo: Path) -> None:
    (repo / "tenants").mkdir()
    (repo / "tenants" / "a.yaml").symlink_to("gone.yaml")
    (repo / "tenants" / "b.yaml").symlink_to("b.yaml")
    assert refused(repo, ["check", "tenants"]) == (
        "tenants/a.yaml:1:1: error[unreadable] cannot read it: No such file or directory\n"
        "tenants/b.yaml:1:1: error[unreadable] cannot read it: Too many levels of symbolic links\n"
        "2 errors\n"
    )


def test_a_link_out_of_the_folder_is_not_followed(repo: Path) -> None:
    (repo / "tenants").mkdir()
    (repo / "secret").write_text("password: hunter2\n", encoding="utf-8")
    (repo / "tenants" / "a.yaml").symlink_to("../secret")
    assert refused(repo, ["check", "tenants"]) == (
        "tenants/a.yaml:1:1: error[symlink-outside] "
        "this link leads out of the folder of manifests\n"
        "      = put the manifest itself here, or name its file as a source\n"
        "1 error\n"
    )


def test_a_file_name_that_would_end_a_comment_of_the_output(repo: Path) -> None:
    (repo / "tenants").mkdir()
    (repo / "tenants" / "a\ngroups: [].yaml").write_text(MANIFEST, encoding="utf-8")
    assert refused(repo, ["check", "tenants"]) == (
        "tenants/a\\u000agroups: [].yaml:1:1: error[file-name] "
        "the file's name holds a control character\n"
        "      = rename it\n"
        "1 error\n"
    )


def test_two_files_of_one_name_are_both_read(repo: Path) -> None:
    for folder in ("a", "b"):
        (repo / folder).mkdir()
        (repo / folder / "slo.yaml").write_text(MANIFEST, encoding="utf-8")
    (repo / "empty").mkdir()
    os.chdir(repo / "empty")
    stderr = refused(repo, ["check", "../a/slo.yaml", "../b/slo.yaml"])
    assert "../b/slo.yaml:3:18: error[duplicate-tenant]" in stderr


def test_without_source_and_project_the_usage_is_printed(repo: Path) -> None:
    usage, _hint, empty, error = refused(repo, ["check"], exit_code=2).splitlines()
    assert (usage, empty, error) == (
        "Usage: slo-compiler check [OPTIONS] [SOURCE]...",
        "",
        "Error: no SOURCE, and no slo-compiler.yaml here or above that names one",
    )


def test_a_secret_is_not_repeated_in_the_report(check: Check) -> None:
    secret = "hunter2"  # noqa: S105  (the point of the test)
    for channel in (
        f'slack: {{channel: x, api_url: "https://hooks.example/{secret}"}}',
        f"pagerduty: {{routing_key: {secret}}}",
        f'webhook: {{url: "https://user:{secret}@hooks.example/"}}',
    ):
        stderr = check(
            MANIFEST.replace('webhook: {url: "http://chat.internal/customer-b"}', channel)
        )
        assert "error[inline-secret]" in stderr
        assert "***" in stderr
        assert secret not in stderr


# --- whatever is at whatever place, the message is ours

WRONG = (None, [], {}, "", "x", "X y!", 0, -1, 10**30, Decimal("1.5"), True, [None], {"x": "y"})
THEIRS = re.compile(r"[Ii]nput|valid (string|integer|dict)|should|validation|required|Field|Value")


def places(data: object, loc: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Give the place of every value of a manifest."""
    steps = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    for step, value in steps:
        yield (*loc, step)
        yield from places(value, (*loc, step))


def replaced(data: Any, loc: tuple[str | int, ...], value: object) -> Any:  # noqa: ANN401
    copy = deepcopy(data)
    inner = copy
    for step in loc[:-1]:
        inner = inner[step]
    inner[loc[-1]] = value
    return copy


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Project, "slo-compiler.yaml"),
        (Tenant, "tenants/customer-b.yaml"),
        (Tenant, "tenants/customer-c.yaml"),
        (Tenant, "tenants/customer-f.yaml"),
        (Tenant, "tenants/internal-api.yaml"),
        (Tenant, "vocabulary/tenants/exclusions.yaml"),
        (Tenant, "vocabulary/tenants/renames.yaml"),
        (Tenant, "vocabulary/tenants/budget-policies.yaml"),
        (Tenant, "vocabulary/tenants/holidays.yaml"),
    ],
)
def test_no_finding_is_in_anothers_words(kind: type[Strict], name: str) -> None:
    (document,) = read_documents(name, (ROOT / "examples" / name).read_bytes(), Report())
    assert validate(kind, document, Report()) is not None
    for loc in places(document.data):
        for value in WRONG:
            report = Report()
            model = validate(
                kind, replace(document, data=replaced(document.data, loc, value)), report
            )
            assert (model is None) is report.failed
            for finding in report.diagnostics:
                assert not THEIRS.search(finding.message), (loc, value, finding)
                assert finding.message.isprintable()
                assert "[" not in finding.message.replace("[$window]", ""), (loc, value, finding)
            keys = [(d.position, d.id, d.message) for d in report.diagnostics]
            assert len(keys) == len({*keys})


@pytest.mark.parametrize(
    "name", ["tenants/customer-b.yaml", "tenants/customer-f.yaml", "slo-compiler.yaml"]
)
def test_check_any_value_wrong_goes_on_without_a_traceback(name: str) -> None:
    (document,) = read_documents(name, (ROOT / "examples" / name).read_bytes(), Report())
    for number, loc in enumerate(places(document.data)):
        data = replaced(document.data, loc, WRONG[number % len(WRONG)])
        text = json.dumps(data, default=float).encode()
        report = Report()
        with suppress(CompileError):
            settings = pipeline.read_project(None, report)
            sources = []
            if name == "slo-compiler.yaml":
                file = SourceFile(name, name, text)
                settings = pipeline.parse_project(file, ROOT / "examples", report, lenient=True)
            else:
                sources.append(SourceFile(name, name, text))
            pipeline.plan_project(settings, sources, report)
