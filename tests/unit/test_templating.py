"""What the filters write, both Python's YAML and Go's read back unchanged."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import jinja2
import pytest
import yaml
from cases import ROOT, tool
from hypothesis import given, settings
from hypothesis import strategies as st

from slo_compiler.templating import (
    block,
    environment,
    indented,
    promql_string,
    quoted,
    render,
    render_expression,
)

quick = settings(max_examples=150)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)

# What naive quoting gets wrong: breaks that only YAML knows, controls, indicators, escapes.
NASTY = (
    "",
    " ",
    " x ",
    "a\nb",
    "a\n\n  b\n",
    "\n",
    "a\r\nb",
    "tab\there",
    "\ttab",
    "\x85next line",
    "\u2028line\u2029paragraph",
    "\ufeffmark",
    "\x7f\x80\x9f",
    "\x00\x01\x1b[31m",
    "\ufffe\uffff",
    "\\",
    "\\n",
    '"',
    "'",
    '\\"',
    "# no comment",
    "a # b",
    "a: b",
    "- a",
    "{{ $labels.x }}",
    "<< x >>",
    "<% x %>",
    "%",
    "@",
    "`",
    "!tag",
    "&anchor",
    "*alias",
    "|",
    ">",
    "---",
    "...",
    "~",
    "null",
    "no",
    "1e3",
    "0x1f",
    "12:30",
    "2024-01-01",
    "<<",
    "=",
    "é ü ß",
    "💥🏴\U000e0067",
    "\u202eright to left",
    "x" * 5_000,
)


@pytest.mark.parametrize("value", NASTY, ids=ascii)
def test_nasty_text_survives_quoting(value: str) -> None:
    for written in (quoted(value), block(value, 6)):
        assert yaml.safe_load(f"a:\n  - b: {written}\n    c: 1\n") == {"a": [{"b": value, "c": 1}]}
    assert json.loads(quoted(value)) == value


@quick
@given(text)
def test_any_text_survives_quoting(value: str) -> None:
    assert yaml.safe_load(f"a: {quoted(value)}\n") == {"a": value}
    assert yaml.safe_load(f"[{quoted(value)}, {quoted(value)}]\n") == [value, value]
    assert json.loads(quoted(value)) == value
    assert "\n" not in quoted(value)


@quick
@given(text, st.integers(min_value=1, max_value=12))
def test_any_text_survives_a_block(value: str, indent: int) -> None:
    written = block(value, indent)
    assert yaml.safe_load(f"a: {written}\nb: 1\n") == {"a": value, "b": 1}


def test_an_expression_is_as_people_write_it() -> None:
    assert block("a\n/\nb", 10) == "|-\n          a\n          /\n          b"


@pytest.mark.parametrize("char", ["\u2028", "\x0c", "\x85", "\x1c", "\x0b", "\r"], ids=ascii)
def test_expression_with_another_line_end_keeps_it(char: str) -> None:
    query = f'x{{a="b {char} c"}}'
    assert indented(f"{query}\n+ 1", 2) == f"{query}\n  + 1"
    text = environment().from_string("(\n  << query | indent(2) >>\n)").render(query=query)
    assert text == f"(\n  {query}\n)"
    values = {"events_series": "e", "by": [], "sources": [], "renames": [], "id": "", "base": "1m"}
    rendered = render_expression("sli/events", query=query, **values)
    assert query in rendered


@pytest.mark.processes
@pytest.mark.parametrize("suite", ["bookworm", "trixie", "forky"])
def test_gos_yaml_reads_the_same_rules(suite: str, tmp_path: Path) -> None:
    """A label value is matched against the text that promtool read, so that equality is shown."""
    values = [v for v in NASTY if "{{" not in v and "\x00" not in v and v]
    rules, tests = [], []
    for number, value in enumerate(values):
        rules.append(
            f"      - record: r{number}\n"
            f"        expr: {block('vector(1)', 10)}\n"
            f"        labels:\n"
            f"          quoted: {quoted(value)}\n"
            f"          block: {block(value, 12)}\n"
        )
        matchers = f"quoted={promql_string(value)},block={promql_string(value)}"
        tests.append(
            f"{{expr: {quoted(f'r{number}{{{matchers}}}')}, eval_time: 1m, "
            f"exp_samples: [{{labels: {quoted(f'r{number}{{{matchers}}}')}, value: 1}}]}}"
        )
    (tmp_path / "rules.yml").write_text(
        "groups:\n  - name: g\n    rules:\n" + "".join(rules), encoding="utf-8"
    )
    (tmp_path / "test.yml").write_text(
        "rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n"
        "  - interval: 1m\n    input_series: []\n    promql_expr_test:\n"
        + "".join(f"      - {test}\n" for test in tests),
        encoding="utf-8",
    )
    promtool = tool(suite, "promtool")
    for command in (["check", "rules", "--lint=none", "rules.yml"], ["test", "rules", "test.yml"]):
        done = subprocess.run(
            [promtool, *command], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.processes
@pytest.mark.parametrize("suite", ["bookworm", "trixie", "forky"])
def test_gos_yaml_reads_the_same_alertmanager_configuration(suite: str, tmp_path: Path) -> None:
    """A route leads to the receiver of a nasty name if both were read as the same text."""
    names = [v for v in NASTY if v and not {"\x00", ","} & {*v} and v.isprintable()]
    names = [v for v in names if v.strip() == v and len(v) < 100]
    routes = "".join(
        f"    - {{matchers: ['n=\"{number}\"'], receiver: {quoted(name)}}}\n"
        for number, name in enumerate(names)
    )
    receivers = "".join(f"  - name: {quoted(name)}\n" for name in ("root", *names))
    (tmp_path / "am.yml").write_text(
        f"route:\n  receiver: root\n  routes:\n{routes}receivers:\n{receivers}", encoding="utf-8"
    )
    amtool = tool(suite, "amtool")
    for number, name in enumerate(names):
        done = subprocess.run(
            [
                amtool,
                "config",
                "routes",
                "test",
                "--config.file=am.yml",
                f"--verify.receivers={name}",
                f"n={number}",
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, name + done.stdout + done.stderr


def test_an_undefined_name_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match=r"'tenant' is undefined|'window' is undefined"):
        render("promql/window/burn_rate.promql.j2")


def test_every_template_compiles() -> None:
    names = environment().list_templates(extensions=["j2"])  # not what a report takes as it is
    assert {
        path.relative_to(ROOT / "templates").as_posix()
        for path in (ROOT / "templates").rglob("*.j2")
    } == {*names}
    for name in names:
        environment().get_template(name)
