"""Each lint's own examples: the first is found, at this place and in these words, the second not.

tests/unit/lints/<ID>.txt has the example in a whole manifest, and what is reported of it;
`pytest --snapshot-update` writes it anew: read the diff.
"""

from __future__ import annotations

import os
import re
import textwrap
from pathlib import Path

import click
import pytest
from cases import ROOT
from click.testing import CliRunner
from linting import findings, told, wrapped

from slo_compiler import report as reporting
from slo_compiler.cli import main
from slo_compiler.diagnostics import Severity
from slo_compiler.lint import MODULES, RULES, document
from slo_compiler.lint.base import Lint

each_lint = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


def example(rule: Lint, word: str) -> str:
    """Take an example out of a lint's docstring."""
    found = re.search(rf"(?m)^{word}:\n\n((?: {{4}}.*\n|\n(?= {{4}}))+)", rule.doc + "\n")
    assert found, f"{rule.id} has no {word}"
    return textwrap.dedent(found[1])


def test_the_manifest_around_the_examples_is_clean() -> None:
    assert told("") == []


@each_lint
def test_what_fails_is_found_with_these_words(rule: Lint, request: pytest.FixtureRequest) -> None:
    files = wrapped(example(rule, "Fails"))
    found = findings(files)
    assert {d.id for d in found} == {rule.id}
    assert {d.severity for d in found} == {rule.severity}
    text = "".join(f"-- {name} --\n{content}" for name, content in files.items())
    text += f"-- told --\n{click.unstyle(reporting.text(found))}"
    snapshot = ROOT / "tests/unit/lints" / f"{rule.id}.txt"
    if request.config.getoption("update_snapshots"):
        snapshot.write_text(text, encoding="utf-8")
    assert text == snapshot.read_text(encoding="utf-8")


@each_lint
def test_what_passes_is_clean(rule: Lint) -> None:
    assert told(example(rule, "Passes")) == []


@each_lint
def test_each_finding_has_a_next_step(rule: Lint) -> None:
    for found in findings(wrapped(example(rule, "Fails"))):
        assert found.help
        assert not found.help.endswith(".")


def test_each_lint_is_a_module_of_its_name_and_registered_once() -> None:
    folder = ROOT / "slo_compiler" / "lint"
    others = {"__init__", "base", "queries", "switches", "slo", "document", "errors", "dimension"}
    names = {path.stem for path in folder.glob("*.py")} - others
    assert sorted(m.__name__.rsplit(".", 1)[-1] for m in MODULES) == sorted(names)
    assert [rule.id.replace("-", "_") for rule in RULES] == [
        m.__name__.rsplit(".", 1)[-1] for m in MODULES
    ]
    assert {f"{rule.id}.txt" for rule in RULES} == {
        path.name for path in (ROOT / "tests/unit/lints").iterdir()
    }


def test_the_page_is_up_to_date() -> None:
    """To write it: python -m slo_compiler.lint.document > docs/lints.md."""
    assert (ROOT / "docs" / "lints.md").read_text(encoding="utf-8") == document.markdown()


def test_the_command_lists_and_explains() -> None:
    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["lints", *arguments], catch_exceptions=False)
        return done.exit_code, done.output

    code, listed = run()
    assert code == 0
    assert re.search(r"(?m)^page-muted +warning +Pages are muted at some hours", listed)
    assert len(listed.splitlines()) == len(RULES)
    code, one = run("page-muted")
    assert (code, one.splitlines()[0]) == (0, "page-muted (warning)")
    assert "Fails:\n\n    escalation:\n" in one
    code, wrong = run("page-mute")
    assert code == 2
    assert 'no lint "page-mute": did you mean "page-muted"?' in wrong


def ratio(total: str, errors: str = "e_total", by: str = "", key: str = "errors") -> str:
    """Write a ratio's fragment; errors and total are on lines 17 and 18, total in column 19."""
    lines = [f"{name}: '{text}'" for name, text in ((key, errors), ("total", total))]
    return "ratio:\n" + "".join(f"  {line}\n" for line in [*lines, *([f"by: [{by}]"] * bool(by))])


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        # counters
        (ratio("x_total", "x_errors_total"), []),
        (ratio("sum(rate(x_total[$window])) / count(y_total)"), []),
        (
            ratio("sum(rate(x_total[$window])) / sum(x_count)"),
            ['18:53 counter-without-rate "x_count"'],
        ),
        (ratio("sum(rate(max(x_total)[$window:15s]))"), ['18:28 rate-of-sum "max"']),
        (ratio("sum(deriv(x[$window]))"), []),
        (ratio("sum(deriv(x_total[$window]))"), ['18:23 sum-of-irate "deriv"']),
        (ratio("sum(idelta(x[$window]))"), ['18:23 sum-of-irate "idelta"']),
        # windows and time
        (
            ratio("sum(rate(x_total[$window])) or sum(rate(y_total[5m] offset 1h))"),
            ['18:67 hard-coded-window "5m"', '18:71 fragile-selection "offset"'],
        ),
        (ratio("sum(max_over_time(rate(x_total[5m])[$window:1m]))"), []),
        (ratio("sum(rate(x_total[$window] @ end()))"), ['18:45 fragile-selection "@"']),
        # words in places where they mean something else
        (ratio('sum(rate(x_total{topk="@ offset"}[$window]))'), []),
        (ratio("sum(rate(rate_total[$window])) / sum(rate)"), []),
        # matchers
        (
            ratio('x_total{code=~"abc", job!~"", a=~"^$", b!~".*", c=~"a.c"}'),
            [
                '18:34 regex-no-effect "abc"',
                '18:43 regex-no-effect "!~"',
                '18:53 regex-no-effect "^$"',
                '18:62 regex-no-effect ".*"',
            ],
        ),
        (
            ratio('x_total{job=~"^abc$", b=~"ab$|c", c!~"^.*$", d=~"a\\\\$"}'),
            ['18:33 regex-anchored-twice "^abc$"', '18:57 regex-no-effect "^.*$"'],
        ),
        (ratio("x_total{code=~`5..`, code=~`^5`}"), ['18:47 regex-anchored-twice "^5"']),
        (
            'ratio:\n  errors: e_total\n  total: "x_total{a=~\\"b\\"}"\n',
            ['18:32 regex-no-effect "b"'],
        ),
        (
            (
                "ratio:\n  errors: e_total\n"
                "  total: |\n    sum(\n      rate(x_total[$window])\n    )\n"
                '    or sum(rate(x_total{a=~"b"}[$window]))\n'
            ),
            ['22:37 regex-no-effect "b"'],
        ),
        (
            "latency: {histogram: \"x_seconds{a=~'b'}\", threshold: 300ms}\n",
            ['16:45 regex-no-effect "b"'],
        ),
        # buckets
        (ratio("x_count", 'x_bucket{le="1.0"}', key="good"), []),
        (ratio("x_count", 'x_bucket{le=~"1|1.0"}', key="good"), []),
        (ratio("x_count", 'x_bucket{le="1"}', key="good"), ['17:31 impossible-le "1"']),
        (ratio("x_count", 'x_bucket{le="300ms"}', key="good"), ['17:31 impossible-le "300ms"']),
        (ratio("x_count", 'x_bucket{le="-1"}', key="good"), ['17:31 impossible-le "-1"']),
        (ratio('x_bucket{le="+Inf"}'), []),
        (ratio("x_count", 'x_bucket{le="+Inf"}', key="good"), ['17:31 impossible-le "+Inf"']),
        (
            'prometheus: {version: "2.42", retention: 45d}\n'
            + ratio("x_count", 'x_bucket{le="1.0"}', key="good"),
            ['17:31 impossible-le "1.0"'],
        ),
        # labels
        (
            ratio("sum without (job) (rate(x_total[$window]))", by="job"),
            ['18:19 aggregated-away "sum"'],
        ),
        (ratio("sum without (a) (rate(x_total[$window]))", by="job"), []),
        (ratio('label_replace(sum(rate(x_total[$window])), "job", "x", "", "")', by="job"), []),
        (ratio("sum by (job) (rate(x_total[$window])) * on () group_left () sum(y)", by="job"), []),
        (
            ratio("sum by (job) (sum by (a) (rate(x_total[$window])))", by="job"),
            ['18:33 aggregated-away "sum"'],
        ),
        (
            ratio(
                "sum by (a, b) (rate(x_total[$window]))", "sum by (b,a) (rate(e_total[$window]))"
            ),
            ['17:20 sides-aggregate-differently "sum"'],
        ),
        (
            ratio("sum(rate(x_total[$window])) by (a)", "sum(rate(e_total[$window]))"),
            ['17:20 sides-aggregate-differently "sum"'],
        ),
        (
            (
                "escalation:\n  - {severity: page, hours: day, notify: [chat]}\n"
                "  - {severity: page, hours: rest, notify: [chat]}\n"
                "  - {severity: ticket, notify: [chat]}\n"
                'hours:\n  day: [{times: ["08:00-20:00"]}]\n'
                '  rest: [{times: ["00:00-08:00", "20:00-24:00"]}, {weekdays: [saturday, sunday], '
                'times: ["00:00-24:00"]}]\n'
            ),
            [],
        ),
        (
            (
                "escalation:\n  - {severity: page, hours: day, notify: [chat]}\n"
                "  - {severity: page, hours: rest, notify: [chat]}\n"
                "  - {severity: ticket, notify: [chat]}\n"
                'hours:\n  day: [{times: ["08:00-20:00"]}]\n'
                '  rest: [{times: ["00:00-07:59", "20:00-24:00"]}, {weekdays: [saturday, sunday], '
                'times: ["00:00-24:00"]}]\n  night: [{times: ["00:00-07:59"]}]\n'
            ),
            ['8:18 page-muted "page"', '14:5 definition-unused "night"'],
        ),
        # what is refused is reported once, as an error
        (ratio("sum(rate(x_total[5m]))"), ['18:35 window-missing "[5m]"']),
        (ratio("sum(RATE(x_total[$window]))"), ['18:23 promql-syntax "RATE"']),
        # errors that are none, or not among all events
        (ratio("x_total", 'x_total{code="5.."}'), ['17:34 regex-as-literal "5.."']),
        (ratio('x_total{a!="GET|PUT"}'), ['18:31 regex-as-literal "GET|PUT"']),
        (ratio('x_total{a="v1.2", b="../x", c="[::1]:9090", d="+Inf", e="/a/{id}"}'), []),
        (
            ratio('x_total{job="pricing"}', 'x_total{job="prcing"}'),
            ['17:33 errors-outside-total "prcing"'],
        ),
        (ratio('x_total{code=~"5.."}', "x_total"), ['17:20 errors-outside-total "x_total"']),
        (
            ratio('x_total{path!="/health"}', 'x_total{code=~"5.."}'),
            ['17:20 errors-outside-total "x_total"'],
        ),
        (
            ratio('x_total{code!="404"}', 'sum(rate(x_total{code="404"}[$window]))'),
            ['17:43 errors-outside-total "404"'],
        ),
        (ratio('x_total{code!="404"}', 'x_total{code=~"5.."}'), []),
        (ratio('x_total{code=~"[2-5].."}', 'x_total{code="500"}'), []),
        (ratio('x_total{a="1"}', 'y_total{a="2"}'), []),
        (ratio("x_total", 'x_total{code!~"5.."}'), ['17:35 negated-errors "5.."']),
        (ratio("x_total", 'x_total{grpc_code!="OK"}'), []),
        (ratio("x_total", 'shed_total{code!~"5.."}'), []),
        (ratio('x_total{a="b"}', 'x_total{a="b"}'), ['17:20 errors-outside-total "x_total"']),
        (ratio("x_total", 'x_total{code=~"4..", code!="429"}'), []),
        (ratio("x_total", 'x_total{code!~"5.."}', key="good"), []),
        (ratio("x_total", 'x_total{code!~"2..", code!="404"}'), []),
        (ratio("x_total[5m]", "x_total"), ['18:19 range-result "x_total[5m]"']),
        (
            "tenants: {customer-b: {matchers: {namespace: b}}}\n"
            + ratio('x_total{namespace="b"}', 'x_total{code=~"5.."}'),
            ['6:26 isolation-dropped "matchers"'],
        ),
        # numbers that are no events per second
        (
            ratio("x_total", "histogram_quantile(0.9, sum by (le) (rate(x_bucket[$window]))) > 1"),
            ['17:20 quantile-as-events "histogram_quantile"'],
        ),
        (
            ratio("x_total", "sum(rate(a[$window])) / sum(rate(b[$window])) > 0.01"),
            ['17:20 quantile-as-events "sum(rate(a[$window])) / sum(rate(b[$window])) > 0.01"'],
        ),
        (ratio("x_total", "sum(rate(a[$window]) > 0)"), []),
        (ratio("sum(rate(job:x:rate5m[$window]))"), ['18:28 rate-of-rate "job:x:rate5m"']),
        (ratio("sum(rate(x_rate_total[$window]))"), []),
        (ratio("job:x:rate5m{a='b'}".replace("'", '"')), ['18:19 rate-of-rate "job:x:rate5m"']),
        (
            ratio("sum(rate(rate(x_total[1m])[$window:15s]))"),
            ['18:28 rate-of-rate "rate"'],
        ),
        (
            ratio(
                "count_over_time(up[$window])", "count_over_time(up[$window]) - changes(a[$window])"
            ),
            [
                '17:20 increase-not-rate "count_over_time"',
                '17:20 missing-side "count_over_time(up[$window]) - changes(a[$window])"',
                '17:51 increase-not-rate "changes"',
                '18:19 increase-not-rate "count_over_time"',
            ],
        ),
        (
            ratio("x_total", "sum_over_time(failed[$window]) / 60"),
            ['17:20 increase-not-rate "sum_over_time"'],
        ),
        (
            ratio("x_total", "sum(rate(x_total[$window])) * (changes(a[$window]) > bool 0)"),
            [],
        ),
        (
            ratio(
                "x_total",
                "sum(rate(x_total[$window])) and histogram_quantile(0.9, "
                "sum by (le) (rate(x_bucket[$window]))) > 1",
            ),
            [],
        ),
        (
            (
                "threshold: {query: 'histogram_quantile(0.9, sum without (le, pod) "
                "(rate(x_bucket[5m])))', op: <, value: 1, by: [region]}\n"
            ),
            ['16:53 quantile-without-le "sum"'],
        ),
        (
            "threshold: {query: 'histogram_quantile(0.9, sum(rate(x_s[5m])))', op: <, value: 1}\n",
            [],
        ),
        # events that never were
        (
            ratio("(sum(rate(x_total[$window])) > 0) or vector(1)"),
            ['18:56 invented-events "vector"'],
        ),
        (
            ratio("clamp_min(sum(rate(x_total[$window])), 0.001)"),
            ['18:19 invented-events "clamp_min"'],
        ),
        (
            ratio("sum(rate(x_total[$window])) + 1"),
            ['18:19 invented-events "sum(rate(x_total[$window])) + 1"'],
        ),
        (
            ratio("sum(rate(x_total[$window])) or absent(x_total)"),
            ['18:50 invented-events "absent"'],
        ),
        # no data that no alert would report
        (
            ratio("sum(rate(x_total[$window])) or vector(0)"),
            ['18:50 no-data-hidden "vector"'],
        ),
        (
            ratio("sum(rate(x_total[$window]) or on () (0 * vector(1)))"),
            ['18:60 no-data-hidden "vector"'],
        ),
        (ratio("sum(rate(x_total[$window])) + (sum(rate(y_total[$window])) or vector(0))"), []),
        (
            "threshold: {query: 'queue or vector(0)', op: <, value: 5}\n",
            ['16:38 no-data-hidden "vector"'],
        ),
        ("threshold: {query: 'queue or vector(9)', op: <, value: 5}\n", []),
        ("threshold: {query: 'up or vector(0)', op: '>=', value: 1}\n", []),
        ("threshold: {query: 'absent(up) or vector(0)', op: <, value: 1}\n", []),
        (
            "raw: {error_ratio: 'job:ratio or vector(0)'}\n",
            [
                "16:28 raw-unweighted \"'job:ratio or vector(0)'\"",
                '16:42 no-data-hidden "vector"',
            ],
        ),
        (
            "raw: {error_ratio: 'job:ratio or vector(1)'}\n",
            ["16:28 raw-unweighted \"'job:ratio or vector(1)'\""],
        ),
        # people and traffic
        ("metadata: {name: customer-b, owner: n/a}\n", ['3:37 missing-owner "n/a"']),
        (
            (
                "traffic: {events_per_day: 100}\n"
                'alerting: {min_events: 4, runbook: "https://r.example/"}\n'
            ),
            ['20:33 one-error-breaks-objective "100"'] * 3,
        ),
        (
            (
                "traffic: {events_per_day: 300}\n"
                'alerting: {min_events: 200, runbook: "https://r.example/"}\n'
            ),
            [
                '19:30 guard-out-of-reach "200"',
                '20:33 one-error-breaks-objective "300"',
            ],
        ),
        (
            (
                "traffic: {events_per_day: 37}\n"
                "alerting: {min_errors: 5, tiers: {page-fast: {min_errors: 50}}, "
                'runbook: "https://r.example/"}\n'
            ),
            [
                '19:65 guard-out-of-reach "50"',
                '20:33 one-error-breaks-objective "37"',
            ],
        ),
        (
            (
                "budgeting: {timeslices: {slice: 5m, target: 99, idle: exclude}}\n"
                'alerting: {min_errors: 13, runbook: "https://r.example/"}\n'
            ),
            ['19:30 guard-out-of-reach "13"'],
        ),
    ],
)
def test_findings_stand_at_their_token(fragment: str, expected: list[str]) -> None:
    assert told(fragment) == expected


@pytest.mark.parametrize(
    ("fragment", "help_"),
    [
        (
            ratio('sum(rate(x_total[$window])) or sum(y_total{a="b", c="d"})'),
            'write rate(y_total{a="b",c="d"}[$window])',
        ),
        (
            "ratio:\n  errors: e_total\n  total: [t_total, 'sum(rate(u_total[$window])) + 1']\n",
            "write total: 'sum(rate(u_total[$window]))' for it",
        ),
        (
            'prometheus: {version: "3.5"}\nperiod: 90d\n',
            (
                "write prometheus: {retention: 90d} in the project file, or what "
                "--storage.tsdb.retention.time sets"
            ),
        ),
    ],
)
def test_hint_contains_what_the_manifest_has(fragment: str, help_: str) -> None:
    (found,) = findings(wrapped(fragment))
    assert found.help == help_


def test_retention_hint_is_the_longest_period_of_all_tenants() -> None:
    files = wrapped('prometheus: {version: "3.5"}\nperiod: 7d\n')
    assert findings(files) == []
    longer = files["customer-b.yaml"].replace("customer-b", "customer-c").replace("7d", "30d")
    files["customer-c.yaml"] = longer
    assert [d.id for d in findings(files)] == ["retention-undeclared"]


SPARE = '  - {name: spare, webhook: {url: "http://spare.internal/"}}'
CHANNELS = 'channels:\n  - {name: chat, webhook: {url: "http://chat.internal/"}}\n'
BY_PATH = """\
slos:
  - name: availability%s
    service: checkout
    description: Requests answered without a server error
    objective: 99.9
    alerting: {runbook: "https://runbooks.example/checkout"}
    sli:
      ratio:
        errors: e_total
        total: t_total
        by: [path]
"""
UNUSED = "channel-unused"


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        # where it applies
        (f"{CHANNELS}{SPARE}  # slo-compiler: disable={UNUSED} -- soon\n", []),
        (f"{CHANNELS}  # slo-compiler: disable={UNUSED} -- soon\n  # and so on\n\n{SPARE}\n", []),
        (
            f"{CHANNELS}{SPARE}\n  # slo-compiler: disable={UNUSED} -- too late\n",
            [f'7:14 {UNUSED} "spare"', f'8:29 unused-disable "{UNUSED}"'],
        ),
        (
            f"{CHANNELS}{SPARE}\n"
            + SPARE.replace("spare", "two", 1)
            + f"  # slo-compiler: disable={UNUSED} -- only this line\n",
            [f'7:14 {UNUSED} "spare"'],
        ),
        (BY_PATH % "  # slo-compiler: disable=high-cardinality-by -- twelve paths", []),
        (
            "# slo-compiler: disable=high-cardinality-by -- not at the name\n" + BY_PATH % "",
            ['10:27 unused-disable "high-cardinality-by"', '21:16 high-cardinality-by "path"'],
        ),
        (
            (BY_PATH % "").replace(
                "  - name", "  # slo-compiler: disable=high-cardinality-by -- few\n  - name"
            ),
            [],
        ),
        (
            (
                "ratio:\n  errors: e_total\n"
                "  total: |  # slo-compiler: disable=regex-no-effect, fragile-selection -- test\n"
                '    sum(\n      topk(1, rate(x_total{a=~"b"}[$window]))\n    )\n'
            ),
            [],
        ),
        (
            (
                "ratio:\n  errors: e_total\n  total: |\n    sum(\n"
                "      # slo-compiler: disable=regex-no-effect -- for this selector\n"
                '      rate(x_total{a=~"b"}[$window]) / rate(y_total[$window])\n'
                '      / rate(z_total{a=~"b"}[$window])\n    )\n'
            ),
            ['22:34 regex-no-effect "b"'],
        ),
        # texts that are no comment
        (f'description: "# slo-compiler: disable={UNUSED} -- no"\n', []),
        (f"description: see x#slo-compiler:disable={UNUSED} -- no\n", []),
        (f"description: >-\n  see\n  # slo-compiler: disable={UNUSED} -- no\n", []),
        # what is wrong with it
        (
            (
                f"metadata: {{name: customer-b, owner: todo}}  "
                f"# slo-compiler: disable=missing, missing-owner,{UNUSED} -- for now\n"
            ),
            ['3:68 bad-disable "missing"', f'3:91 unused-disable "{UNUSED}"'],
        ),
        (
            f"{CHANNELS}{SPARE}  # slo-compiler: disable={UNUSED}\n",
            [f'7:14 {UNUSED} "spare"', f'7:88 bad-disable "{UNUSED}"'],
        ),
        (
            f"{CHANNELS}{SPARE}  # slo-compiler: disable={UNUSED} --\n",
            [f'7:14 {UNUSED} "spare"', f'7:88 bad-disable "{UNUSED}"'],
        ),
        (
            f"{CHANNELS}  # slo-compiler: disable={UNUSED}, chanel-unused -- why\n{SPARE}\n",
            ['7:45 bad-disable "chanel-unused"'],
        ),
        (
            f"{CHANNELS}  # slo-compiler: off={UNUSED} -- why\n",
            ['7:5 bad-disable "# slo-compiler: off=channel-unused -- why"'],
        ),
        (
            "# slo-compiler: disable=bad-disable -- no switch for the switches\n" + CHANNELS,
            ['5:27 bad-disable "bad-disable"'],
        ),
        # an error is never switched off, and hides whether a switch was of use
        (
            "alerting: {policy: gone}  # slo-compiler: disable=undefined-policy -- please\n",
            ['19:26 undefined-policy "gone"', '19:57 bad-disable "undefined-policy"'],
        ),
        (
            f"# slo-compiler: disable={UNUSED} -- x\n" + ratio("sum(x_total[5m"),
            ['19:19 promql-syntax "sum(x_total[5m"'],
        ),
        # the project's
        (
            f"lint: {{disable: [{{id: {UNUSED}, reason: shared file}}]}}\n{CHANNELS}{SPARE}\n",
            [],
        ),
        (
            (
                f"lint: {{disable: [{{id: {UNUSED}, reason: shared, tenants: [customer-a]}}]}}\n"
                f"{CHANNELS}{SPARE}\n"
            ),
            [f'7:14 {UNUSED} "spare"', f'6:25 unused-disable "{UNUSED}"'],
        ),
        (
            "lint: {disable: [{id: chanel-unused, reason: x}], locked: [nothing]}\n",
            ['6:25 bad-disable "chanel-unused"', '6:62 bad-disable "nothing"'],
        ),
        (
            (
                f"lint: {{locked: [{UNUSED}]}}\n"
                f"{CHANNELS}{SPARE}  # slo-compiler: disable={UNUSED} -- I want to\n"
            ),
            [f'7:14 {UNUSED} "spare"', f'7:88 bad-disable "{UNUSED}"'],
        ),
        (
            "alertmanager: {version: '0.33'}  # slo-compiler: disable=heartbeat-unrouted -- dev\n",
            [],
        ),
    ],
)
def test_a_switch_is_for_its_place_and_has_a_reason(fragment: str, expected: list[str]) -> None:
    assert told(fragment) == expected


def test_a_switch_of_the_project_is_judged_where_all_manifests_are_read() -> None:
    files = wrapped("lint: {disable: [{id: channel-unused, reason: shared file}]}\n")
    assert [d.id for d in findings(files, whole=True)] == ["unused-disable"]
    assert findings(files, whole=False) == []
    files = wrapped("lint: {disable: [{id: channel-unused, reason: x, tenants: [customer-b]}]}\n")
    assert [d.id for d in findings(files, whole=False)] == ["unused-disable"]


def test_of_thousands_of_switches_a_thousand_are_read() -> None:
    files = wrapped("")
    many = "  # slo-compiler: disable=page-muted\n" * 20_000 + "  channels:\n"
    files["customer-b.yaml"] = files["customer-b.yaml"].replace("  channels:\n", many)
    found = findings(files)
    assert len(found) == 1_001
    assert {d.id for d in found} == {"bad-disable"}
    assert found[-1].message == ("a document holds more than 1,000 switches: the rest is not read")


@pytest.mark.processes
def test_infos_are_reported_by_check_only_and_never_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLO_COMPILER_TOOLS", os.environ.get("SLO_COMPILER_TOOLS", f"{ROOT}/.tools"))
    monkeypatch.chdir(tmp_path)
    for name, content in wrapped("description: ''\n").items():
        Path(name).write_text(content, encoding="utf-8")

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, [*arguments, "customer-b.yaml"], catch_exceptions=False)
        return done.exit_code, done.stderr + done.stdout

    code, stderr = run("check", "--strict")
    assert code == 0
    assert stderr.splitlines()[1:] == [
        "customer-b.yaml:13:20: info[missing-description] this SLO has no description",
        "   13 |       description: ''",
        "                           ^^",
        "      = describe in one line which events are good",
        "1 info",
    ]
    code, stderr = run("check", "--format", "github")
    assert "::notice file=customer-b.yaml,line=13,col=20," in stderr
    code, stderr = run("compile", "--strict", "-o", "out")
    assert code == 0
    assert "missing-description" not in stderr
    Path("customer-b.yaml").write_text(
        Path("customer-b.yaml").read_text(encoding="utf-8").replace("99.9", "0.999"),
        encoding="utf-8",
    )
    code, stderr = run("check")
    assert code == 1
    assert "missing-description" not in stderr


@pytest.mark.parametrize("project", ["examples", "examples/vocabulary"])
def test_the_examples_need_no_warning(project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = ROOT / project
    monkeypatch.chdir(root)
    files = {path.name: path.read_text(encoding="utf-8") for path in root.glob("tenants/*.yaml")}
    files["slo-compiler.yaml"] = (root / "slo-compiler.yaml").read_text(encoding="utf-8")
    reported = [d for d in findings(files) if d.severity is not Severity.INFO]
    assert [d for d in reported if d.id != "not-owner"] == []  # files are here without their folder


@pytest.mark.parametrize("path", sorted((ROOT / "tests/support/manifests").glob("*.yaml")), ids=str)
def test_other_manifests_lack_a_heartbeat_at_most(path: Path) -> None:
    parts = path.read_text(encoding="utf-8").split("\n---\n")
    is_project = ["kind: Project\n" in part for part in parts]
    names = ["slo-compiler.yaml" if is_ else f"{n}.yaml" for n, is_ in enumerate(is_project)]
    files = dict(zip(names, parts, strict=True))
    found = [d for d in findings(files) if d.severity is not Severity.INFO]
    assert {d.id for d in found} <= {"heartbeat-unrouted"}


@pytest.mark.parametrize(
    "query",
    [
        *(
            '{"a.b"}',
            "1",
            '"x"',
            "vector(1)",
            "-x",
            "x[5m]",
            "(x)",
            "x @ 5",
            "x{}",
            "sum(x",
            "up == 0",
        ),
        *(
            "x{a='b' or c='d'}",
            "x{__name__='y'}",
            "x offset -5m",
            "rate(x[$window:])",
            "x[$window]",
        ),
        *('x{"a.b"="c"}', '{"x", a=~"b"}', "sum by () (x_total)", 'count_values("a", x_total)'),
        *(
            "absent(x_total)",
            "x or on () vector(0)",
            "x_total / ignoring (a) group_left () y_count",
        ),
        *("quantile(0.9, rate(x_total[$window]))", "topk(scalar(x_total), rate(y_total[$window]))"),
        *("histogram_quantile(0.9, sum by (le) (rate(x_bucket[$window])))", "sum without () (x)"),
        *("$window", "rate($window)", "x{a=~'('}", "x{a=~'[$window]'}", "sum(sum(sum(x_total)))"),
        *("(" * 60 + "x" + ")" * 60, "x" + " + x" * 99, "rate(x_total[5y] offset 1w)", "x{a=~''}"),
    ],
)
@pytest.mark.parametrize("kind", ["ratio", "latency"])
def test_no_query_is_too_odd(kind: str, query: str) -> None:
    """A lint that fails on one would end the run without a word on the manifest."""
    text = "'" + query.replace("'", "''") + "'"
    if kind == "ratio":
        told(f"ratio:\n  good: {text}\n  total: {text}\n  by: [job, le]\n")
    else:
        told(f"latency:\n  histogram: {text}\n  threshold: 1s\n  by: [job, pod]\n")


def test_a_comment_above_the_first_key_is_not_passed_over() -> None:
    files = wrapped(f"{CHANNELS}{SPARE}\n")
    comment = f"# Ours.\n# slo-compiler: disable={UNUSED} -- up here it is for one line only\n\n"
    files["customer-b.yaml"] = comment + files["customer-b.yaml"]
    found = [(d.position.line, d.id) for d in findings(files)]
    assert found == [(2, "unused-disable"), (10, UNUSED)]


def test_switches_of_one_document_do_not_hold_in_another_of_the_same_file() -> None:
    """A switch is for lines, and lines are of one document: even where both are in one file."""
    one = wrapped(f"{CHANNELS}{SPARE}  # slo-compiler: disable={UNUSED} -- soon\n")
    two = wrapped(f"{CHANNELS}{SPARE}\n")["customer-b.yaml"].replace("customer-b", "customer-c")
    one["customer-b.yaml"] += "---\n" + two
    found = [(d.position.line, d.id) for d in findings(one)]
    assert found == [(28, UNUSED)]
