"""diff: one line for one change, the most dangerous first."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cases import ROOT
from click.testing import CliRunner

from slo_compiler.cli import main
from slo_compiler.view.word_diff import word_diff

TENANT = "tenants/customer-b.yaml"
SLO = "customer-b/checkout/availability"
LOST, LESS, OTHER, MORE, NEW, WORDS = (
    "No longer alerted or notified",
    "Alerts later, or for more errors",
    "Other events, windows or settings",
    "Alerts sooner, or to more receivers",
    "New",
    "Names, texts and links",
)


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=test", "-c", "user.email=test@test.example"]
    subprocess.run(["git", "-C", folder, *identity, *words], check=True, capture_output=True)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a git repo with the examples, in a folder below its top."""
    folder = tmp_path / "repo" / "slo"
    ignored = shutil.ignore_patterns("generated", "demo", "severities", "vocabulary", ".slo*")
    shutil.copytree(ROOT / "examples", folder, ignore=ignored)
    git(tmp_path / "repo", "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first")
    monkeypatch.chdir(folder)
    return folder


def edit(folder: Path, old: str, new: str, file: str = TENANT) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def run(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(main, ["diff", *words])
    assert done.exit_code == code, done.output
    return done.stdout if code == 0 or "--exit-code" in words else done.output


@pytest.mark.processes
@pytest.mark.parametrize(
    ("old", "new", "heading", "line"),
    [
        (
            "objective: 99.9\n",
            "objective: 99.5\n",
            LESS,
            (
                "objective 99.5%, was 99.9%: fires page-fast above 7.2%, was 1.44%; page-slow "
                "above 3%, was 0.6%; ticket-fast above 1.5%, was 0.3%; ticket-slow above 0.5%, "
                "was 0.1%; an outage is found in 4m19s, was 52s"
            ),
        ),
        ("objective: 99.9\n", "objective: 99.95\n", MORE, "objective 99.95%, was 99.9%: fires "),
        ("min_errors: 5", "min_errors: 9", LESS, "wants at least 9 errors, was 5 errors"),
        ("min_errors: 5", "min_errors: 2", MORE, "wants at least 2 errors, was 5 errors"),
        ("min_errors: 5, ", "", MORE, "wants at least nothing, was 5 errors"),
        (
            "notify: [incident, oncall, sre,",
            "notify: [incident, sre,",
            LOST,
            "oncall (pagerduty) no longer gets ",
        ),
        (
            "firing_for: 15m",
            "firing_for: 20m",
            LESS,
            "lead (pagerduty) gets page-fast, page-slow after 20m, was 15m",
        ),
        (
            "notify: [sre], hours: business",
            "notify: [sre, board], hours: business",
            MORE,
            "board (webhook) (monday:friday 09:00-17:00 Europe/Berlin) now gets ticket-fast",
        ),
        ('code=~"5.."', 'code=~"5..|429"', OTHER, 'slo:errors:rate: ... 5..{+|429+}",job ...'),
        (
            "      service: checkout",
            "      service: checkout\n      stage: shadow",
            LOST,
            "is shadow, was live",
        ),
        (
            "a server error",
            "an error",
            WORDS,
            "description Requests answered without [-a server-]{+an+} error",
        ),
        (
            "runbooks.example/checkout",
            "runbooks.example/pay",
            WORDS,
            "runbook https://runbooks.example/pay, was https://runbooks.example/checkout",
        ),
        (
            "alerting: {",
            "alerting: {name: CheckoutBurns, ",
            WORDS,
            (
                "page-fast, page-slow, ticket-fast, ticket-slow are called CheckoutBurns, "
                "was SLOErrorBudgetBurn"
            ),
        ),
        (
            "objective: 99.9\n",
            "objective: 99.9\n      labels: {color: red}\n",
            WORDS,
            'label color "red", was not set',
        ),
        ("objective: 99.9\n", "objective: 99.9\n      period: 28d\n", OTHER, "period 28d, was 30d"),
        (
            "errors: http_requests_total",
            "by: [region]\n          errors: http_requests_total",
            OTHER,
            "by region, was nothing: recorded history does not carry over",
        ),
    ],
)
def test_one_edit_is_a_line_under_its_heading(
    repo: Path, old: str, new: str, heading: str, line: str
) -> None:
    edit(repo, old, new)
    shown = run("HEAD")
    sections = dict(re.findall(r"(?m)^(\S.*):\n((?:  .*\n)+)", shown))
    assert f"  {SLO}  {line}" in sections[heading], shown


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("a " * 3000 + "b c", "a " * 3000 + "d c", "... a a a [-b-]{+d+} ..."),
        ("a " * 3000, "a " * 3001, "... {+a+} a a a ..."),
        (
            "a " + "b " * 1999 + "c",
            "a " + "d " * 1999 + "e",
            "... [-2,000 words-]{+2,000 words+} ...",
        ),
        ("a " * 3000, "b " * 2500, "... [-3,000 words-]{+2,500 words+} ..."),
    ],
)
def test_word_diff_of_long_texts_looks_only_where_they_differ(
    old: str, new: str, expected: str
) -> None:
    assert word_diff(old, new) == expected


@pytest.mark.processes
def test_one_changed_objective_is_one_line(repo: Path) -> None:
    edit(repo, "objective: 99.9\n", "objective: 99.5\n")
    heading, line = run("HEAD").splitlines()
    assert heading == f"{LESS}:"
    assert line.startswith(f"  {SLO}  objective 99.5%, was 99.9%")


@pytest.mark.processes
def test_no_change_is_said_and_exits_with_0(repo: Path) -> None:
    edit(repo, "      description:", "      # a comment\n      description:")
    assert run("HEAD", "--exit-code") == (
        "no SLO changes what it counts, when it alerts or whom it notifies\n"
    )


@pytest.mark.processes
def test_a_change_exits_with_1_if_that_is_wanted(repo: Path) -> None:
    edit(repo, "objective: 99.9\n", "objective: 99.5\n")
    assert LESS in run("HEAD", "--exit-code", code=1)


@pytest.mark.processes
def test_the_same_change_of_many_slos_is_one_line(repo: Path) -> None:
    edit(repo, "period: 30d", "period: 28d", "slo-compiler.yaml")
    heading, line, *_ = run("HEAD").splitlines()
    assert heading == f"{OTHER}:"
    assert line.endswith(" more  period 28d, was 30d")


@pytest.mark.processes
def test_a_removed_slo_comes_first_and_a_rename_names_formerly(repo: Path) -> None:
    edit(repo, "- name: availability", "- name: uptime")
    shown = run("HEAD")
    assert shown.startswith(
        f"{LOST}:\n  {SLO}  is gone, with its alerts; if it is customer-b/checkout/uptime now, "
        "formerly: availability keeps its history\n"
    )
    assert f"{NEW}:\n  customer-b/checkout/uptime  is new: 99.9% over 30d\n" in shown
    edit(repo, "- name: uptime", "- name: uptime\n      formerly: availability")
    shown = run("HEAD")
    assert LOST not in shown
    assert f"  customer-b/checkout/uptime  was {SLO}, whose history it keeps\n" in shown


@pytest.mark.processes
def test_folders_and_revisions_are_compared_alike(repo: Path, tmp_path: Path) -> None:
    before = tmp_path / "before"
    shutil.copytree(repo, before)
    edit(repo, "objective: 99.9\n", "objective: 99.5\n")
    shown = run("HEAD")
    git(repo, "commit", "--quiet", "--all", "--message", "second")
    assert run("HEAD~1", "HEAD") == run(str(before)) == run(str(before), ".") == shown
    assert LESS not in run("HEAD")


@pytest.mark.processes
def test_a_revision_leaves_the_repo_as_it_is(repo: Path) -> None:
    edit(repo, "objective: 99.9\n", "objective: 99.5\n")
    (repo / "new.txt").write_text("staged", encoding="utf-8")
    git(repo, "add", "new.txt")

    def state() -> bytes:
        return subprocess.run(
            ["git", "status", "--porcelain=v2"], cwd=repo, check=True, capture_output=True
        ).stdout

    before = state()
    run("HEAD")
    assert state() == before


@pytest.mark.processes
def test_a_state_with_errors_is_not_compared(repo: Path) -> None:
    edit(repo, "objective: 99.9\n", "objective: 101\n")
    git(repo, "commit", "--quiet", "--all", "--message", "broken")
    edit(repo, "objective: 101\n", "objective: 99.9\n")
    shown = run("HEAD", code=1)
    assert shown.startswith(f"{TENANT}:24:18: error[objective]")
    assert shown.endswith("HEAD does not compile\n")


@pytest.mark.processes
@pytest.mark.parametrize("word", ["nowhere", "--upload-pack=x", "", "HEAD:tenants"])
def test_what_is_no_revision_is_a_usage_error(repo: Path, word: str) -> None:
    assert repo.is_dir()
    done = CliRunner().invoke(main, ["diff", "--", word])
    assert done.exit_code == 2
    assert "Traceback" not in done.output


@pytest.mark.processes
def test_json_and_markdown_hold_the_same_changes(repo: Path) -> None:
    edit(repo, "objective: 99.9\n", "objective: 99.5\n")
    (change,) = json.loads(run("HEAD", "--format", "json"))["changes"]
    assert (change["danger"], change["about"], change["at"]) == ("less", [SLO], f"{TENANT}:21")
    assert f"- `{SLO}`: objective 99.5%, was 99.9%" in run("HEAD", "--format", "markdown")


@pytest.mark.processes
def test_markdown_takes_no_markup_from_a_manifest(repo: Path) -> None:
    edit(repo, "a server error", "an ![x](http://x.example) <b>@all</b>")
    shown = run("HEAD", "--format", "markdown")
    assert not re.search(r"!\[|<b>|@all", shown)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("a b c", "a b c", "a b c"),
        ("a b c d e", "a b c d f", "... b c d [-e-]{+f+}"),
        ("", "new words", "{+new words+}"),
        ("rate(x[5m])", "rate(y[5m])", "rate([-x-]{+y+}[5m] ..."),
    ],
)
def test_word_diff_shows_what_changed_and_the_words_around(
    old: str, new: str, expected: str
) -> None:
    assert word_diff(old, new) == expected
