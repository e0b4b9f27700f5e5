"""The routing model decides as real Alertmanagers do.

Whatever can be asked of a real server is: random configurations, matchers of every syntax, time
intervals around now. All of it is drawn from fixed seeds, so a failure can be repeated.
"""

from __future__ import annotations

import json
import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import MAXYEAR, UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from alertmanagers import Real, alert, every_version, running
from cases import CASES, ROOT, compiled, proofs_of, tool
from demo.servers import wait_until
from hypothesis import given
from hypothesis import strategies as st

from slo_compiler.plan.routing_ir import Pairs
from slo_compiler.proofs.model import ExpectedRoute
from slo_compiler.proofs.run.isolation import crossings
from slo_compiler.routing import (
    AlertMatcher,
    Config,
    ConfigError,
    TimeInterval,
    inhibited_by,
    inhibitors,
    is_active,
    notified,
    parse_matchers,
    routes_for,
)

GOLDEN = ROOT / "golden"
CONFIGS, ALERTS = 150, 14


def config(route: Mapping[str, object], **rest: object) -> Config:
    return Config.load(json.dumps({"route": {"receiver": "root", **route}, **rest}))


def receivers(loaded: Config, **labels: str) -> list[str]:
    return [match.receiver for match in routes_for(loaded, alert(**labels))]


# Matchers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a="b"', [("a", "=", "b")]),
        ("a=b", [("a", "=", "b")]),
        (" a != b ", [("a", "!=", "b")]),
        ('a=~"x|y"', [("a", "=~", "x|y")]),
        ("a!~x|y", [("a", "!~", "x|y")]),
        ("a=", [("a", "=", "")]),
        ('a=""', [("a", "=", "")]),
        ("", []),
        ("{}", []),
        ('{a="1", b=2,}', [("a", "=", "1"), ("b", "=", "2")]),
        ('a="1,2",b="}"', [("a", "=", "1,2"), ("b", "=", "}")]),
        (r'a="q\"\\\n"', [("a", "=", 'q"\\\n')]),
        (r'a="x\ty"', [("a", "=", r"x\ty")]),  # the classic parser knows no \t, and wins
        (r"a=b\n", [("a", "=", "b\n")]),
        ("a=`b`", [("a", "=", "`b`")]),
        ("a={b", [("a", "=", "{b")]),
        ("foo=bar}}", [("foo", "=", "bar}")]),
        ("tricky=~~~", [("tricky", "=~", "~~")]),
        # Only the UTF-8 parser reads these.
        ('"a b"=c', [("a b", "=", "c")]),
        ("ä!=b", [("ä", "!=", "b")]),
        (r'"a"="\u00e9\t\x41\103"', [("a", "=", "é\tAC")]),
        (r'{"a"="\xc3\xa9","b c"=~d,}', [("a", "=", "é"), ("b c", "=~", "d")]),
    ],
)
def test_a_matcher_is_read_as_the_classic_parser_does_or_else_the_newer_one(
    text: str, expected: list[tuple[str, str, str]]
) -> None:
    assert [(m.name, m.operator, m.value) for m in parse_matchers(text)] == expected


UNREADABLE = [
    *("a", "'a'=b", 'a="b', 'a=b"', 'a="b"c"', '"a"=`b`', r'"a"="\q"', r'"a"="\xff"', '{"a"=b'),
    *('"a"=b c', '"a"=b,,c=d', '"a"=b}', '"a"="\n"', r'"a"="\ud800"', r'"a"="\777"', ",,"),
    r'a="x\,",b=c',  # the classic parser takes the quote after \, for an escaped one
]


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_neither_parser_reads_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_matchers(text)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_quoted_value_comes_back_as_it_was(value: str) -> None:
    escaped = value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    assert parse_matchers(f'label="{escaped}"') == (AlertMatcher("label", "=", value),)


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("x|y", ["x", "y"], ["xy", "", "ax"]),
        ("x.*", ["x", "xyz"], ["yx", "x\n"]),
        ("", [""], ["x"]),
        ("(?i)Ab", ["ab", "AB"], ["abc"]),
        (r"\d+", ["12"], ["٣"]),
        ("(a$)\n?", ["a"], ["a\n"]),
        ("[]a]{2}|b{1,}", ["]a", "bbb"], ["]", ""]),
        ("{x}", ["{x}"], ["x"]),
        # Python's `re` reads these otherwise, or not at all.
        (r"\pL", ["é", "a"], ["1"]),
        ("[[:alpha:]]", ["a"], ["é", ":"]),
        (r"\Qa.b\E", ["a.b"], ["axb"]),
        ("(?U)a+(?<n>b)", ["aab"], ["b"]),
        ("a(?i)b", ["ab", "aB"], ["Ab"]),
        ("a{,5}", ["a{,5}"], ["aa"]),
        ("[a&&b]", ["a", "&"], ["ab"]),
        (r"(?m)a$|b\z", ["a", "b"], ["a\n"]),
        ("a)|(b", ["a", "b"], ["ab"]),  # valid between ^(?: and )$, where Alertmanager puts it
    ],
)
def test_a_regular_expression_matches_the_whole_value(
    pattern: str, matching: list[str], other: list[str]
) -> None:
    matcher, without = AlertMatcher("a", "=~", pattern), AlertMatcher("a", "!~", pattern)
    for value in matching:
        assert matcher.matches({"a": value})
        assert not without.matches({"a": value})
    for value in other:
        assert not matcher.matches({"a": value})
        assert without.matches({"a": value})


@pytest.mark.parametrize(
    "pattern",
    [
        *("(?=a)", "a++", r"(a)\1", "(?!a)", "(?P=n)", "(?#a)", "*a", "a**", "(", "[", "x{1001}"),
        *(r"\C", r"\Z"),
    ],
)
def test_alert_matcher_with_what_re2_refuses_is_a_config_error(pattern: str) -> None:
    with pytest.raises(ConfigError):
        AlertMatcher("a", "=~", pattern)


# Routes


def test_the_first_child_that_matches_takes_the_alert_and_continue_lets_siblings_see_it() -> None:
    loaded = config(
        {
            "routes": [
                {"matchers": ["a=1"], "receiver": "first", "continue": True},
                {"match": {"a": 1}, "receiver": "second"},
                {"match_re": {"a": "1|2"}, "receiver": "third"},
            ]
        }
    )
    assert receivers(loaded, a="1") == ["first", "second"]
    assert receivers(loaded, a="2") == ["third"]
    assert receivers(loaded, a="3") == ["root"]


def test_a_parent_takes_the_alert_only_if_no_child_does_and_children_inherit_its_receiver() -> None:
    child = {"matchers": ["b=1"], "routes": [{"matchers": ["c=1"], "receiver": "deep"}]}
    loaded = config({"routes": [{"matchers": ["a=1"], "receiver": "parent", "routes": [child]}]})
    assert receivers(loaded, a="1") == ["parent"]
    assert receivers(loaded, a="1", b="1") == ["parent"]
    assert receivers(loaded, a="1", b="1", c="1") == ["deep"]
    assert routes_for(loaded, alert(a="1", b="1"))[0].path == (0, 0)


def test_continue_within_a_subtree_does_not_leave_it() -> None:
    inner = {"matchers": ["b=1"], "receiver": "inner", "continue": True}
    outer = {"matchers": ["a=1"], "receiver": "outer", "routes": [inner]}
    loaded = config({"routes": [outer, {"receiver": "next"}]})
    assert receivers(loaded, a="1", b="1") == ["inner"]
    assert receivers(loaded, a="2") == ["next"]


def test_many_siblings_are_asked_in_their_order() -> None:
    routes: list[dict[str, object]] = [
        {"matchers": [f"a={number % 5}"], "receiver": f"r{number}", "continue": number < 9}
        for number in range(20)
    ]
    routes.insert(3, {"matchers": ["b=1"], "receiver": "b", "continue": True})
    routes.insert(4, {"matchers": ['a=""'], "receiver": "none", "continue": True})
    loaded = config({"routes": routes})
    assert receivers(loaded, a="3") == ["r3", "r8", "r13"]
    assert receivers(loaded, a="3", b="1") == ["b", "r3", "r8", "r13"]
    assert receivers(loaded, a="9", b="1") == ["b"]
    assert receivers(loaded, a="9") == ["root"]
    assert receivers(loaded) == ["none"]


def test_a_missing_label_is_an_empty_one() -> None:
    loaded = config({"routes": [{"matchers": ['a=""', "b=~.*", "c!=x"], "receiver": "r"}]})
    assert receivers(loaded) == ["r"]
    assert receivers(loaded, a="") == ["r"]
    assert receivers(loaded, a="1") == ["root"]


def test_yaml_is_read_as_text_with_anchors_and_merges() -> None:
    loaded = Config.load(
        "x: &x {receiver: base, group_by: [cluster]}\n"
        "route:\n"
        "  <<: *x\n"
        "  routes:\n"
        "  - {match: {code: 0x10, on: yes}, receiver: octal, continue: on}\n"
        "  - {active_time_intervals: [noon], mute_time_intervals: ~}\n"
        "time_intervals:\n"
        "- {name: noon, time_intervals: [{times: [{start_time: 12:00, end_time: 13:30}]}]}\n"
    )
    assert receivers(loaded, code="0x10", on="yes") == ["octal", "base"]
    assert loaded.route.routes[1].group_by == ("cluster",)
    assert loaded.time_intervals["noon"][0].times == ((720, 810),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "the configuration is not a mapping"),
        ("{", "expected the node content|did not find expected node content"),
        ("route: {}", "no receiver"),
        ("route: {receiver: r, matchers: [a=b]}", "the root route has matchers"),
        ("route: {receiver: r, continue: yes}", "the root route has matchers, continue"),
        ("route: {receiver: r, routes: [{matchers: a=b}]}", "expected a list"),
        ("route: {receiver: r, routes: [{match: {a: [b]}}]}", "expected text"),
        ("route: {receiver: r, route: []}", "unknown field of a route: route"),
        ("{route: {receiver: r}, inhibit_rules: [{sources: []}]}", "inhibit rule: sources"),
        ("route: {receiver: r, routes: [{mute_time_intervals: [x]}]}", 'interval "x" used'),
    ],
)
def test_a_config_that_alertmanager_refuses_or_the_model_does_not_know_is_refused(
    text: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        Config.load(text)


# Inhibition

SOURCE, TARGET = alert(s="1"), alert(t="1")
BOTH, BOTH_TOO = alert(s="1", t="1"), alert(s="1", t="1", n="2")


def inhibiting(**rule: object) -> Config:
    return config(
        {}, inhibit_rules=[{"source_matchers": ["s=1"], "target_matchers": ["t=1"], **rule}]
    )


def test_a_source_inhibits_a_target_and_neither_itself_nor_another_source() -> None:
    loaded = inhibiting()
    assert inhibited_by(loaded, TARGET, [SOURCE, TARGET]) == SOURCE
    assert inhibited_by(loaded, TARGET, [TARGET]) is None
    assert inhibited_by(loaded, SOURCE, [SOURCE, TARGET]) is None


def test_an_alert_on_both_sides_is_not_inhibited_by_itself_nor_by_others_that_are() -> None:
    loaded = inhibiting()
    assert inhibited_by(loaded, BOTH, [BOTH, BOTH_TOO]) is None
    assert inhibited_by(loaded, BOTH, [BOTH, BOTH_TOO, SOURCE]) == SOURCE
    assert inhibitors(loaded, TARGET, [BOTH, TARGET, SOURCE]) == (BOTH, SOURCE)


def test_from_0_30_to_0_34_0_only_the_source_that_arrived_last_counts() -> None:
    hidden, seen = [SOURCE, BOTH], [BOTH, SOURCE]
    assert inhibitors(inhibiting(), BOTH, hidden, one_source=True) == ()
    assert inhibitors(inhibiting(), BOTH, seen, one_source=True) == (SOURCE,)
    assert inhibitors(inhibiting(), BOTH, hidden) == (SOURCE,)
    assert inhibitors(inhibiting(), TARGET, hidden, one_source=True) == (BOTH,)
    assert inhibitors(inhibiting(equal=["n"]), BOTH, [SOURCE, BOTH_TOO], one_source=True) == (
        SOURCE,
    )


@pytest.mark.parametrize(
    ("source", "target", "inhibited"),
    [
        (alert(s="1", e="x"), alert(t="1", e="x"), True),
        (alert(s="1", e="x"), alert(t="1", e="y"), False),
        (alert(s="1"), alert(t="1"), True),
        (alert(s="1"), alert(t="1", e=""), True),
        (alert(s="1"), alert(t="1", e="x"), False),
    ],
)
def test_labels_in_equal_are_equal_also_if_both_miss_them(
    source: Pairs, target: Pairs, *, inhibited: bool
) -> None:
    loaded = inhibiting(equal=["f", "e"])
    assert (inhibited_by(loaded, target, [source]) is not None) == inhibited


def test_the_older_fields_of_inhibit_rules_are_read() -> None:
    rule = {"source_match": {"s": "1"}, "source_match_re": {"s": "1|2"}}
    rule |= {"target_match": {"t": "1"}, "target_match_re": {"t": "."}}
    loaded = config({}, inhibit_rules=[rule])
    assert inhibited_by(loaded, TARGET, [SOURCE]) == SOURCE
    assert inhibited_by(loaded, TARGET, [alert(s="2")]) is None


# Time intervals


def within(at: str, **fields: object) -> bool:
    return TimeInterval.read(fields).contains(datetime.fromisoformat(at))


@pytest.mark.parametrize(
    ("at", "fields", "expected"),
    [
        ("2026-11-23T09:00:00Z", {"times": [{"start_time": "09:00", "end_time": "17:00"}]}, True),
        ("2026-11-23T16:59:59Z", {"times": [{"start_time": "09:00", "end_time": "17:00"}]}, True),
        ("2026-11-23T17:00:00Z", {"times": [{"start_time": "09:00", "end_time": "17:00"}]}, False),
        ("2026-11-23T23:59:59Z", {"times": [{"start_time": "23:00", "end_time": "24:00"}]}, True),
        ("2026-11-23T12:00:00Z", {"weekdays": ["Monday:Friday"]}, True),
        ("2026-11-22T12:00:00Z", {"weekdays": ["monday:saturday"]}, False),
        ("2026-11-22T12:00:00Z", {"weekdays": ["sunday", "tuesday"]}, True),
        ("2026-11-22T23:30:00Z", {"weekdays": ["monday"], "location": "Europe/Berlin"}, True),
        ("2026-11-23T04:30:00Z", {"weekdays": ["sunday"], "location": "America/New_York"}, True),
        (
            "2026-07-01T07:00:00+02:00",
            {"times": [{"start_time": "05:00", "end_time": "05:01"}]},
            True,
        ),
        ("2026-02-28T12:00:00Z", {"days_of_month": ["-1"]}, True),
        ("2028-02-28T12:00:00Z", {"days_of_month": ["-1"]}, False),
        ("2026-02-28T12:00:00Z", {"days_of_month": ["28:31"]}, True),
        ("2026-02-28T12:00:00Z", {"days_of_month": ["29:31"]}, False),
        ("2026-02-01T12:00:00Z", {"days_of_month": ["-31:-28"]}, True),
        ("2026-11-28T12:00:00Z", {"days_of_month": ["1:-3"]}, True),
        ("2026-11-29T12:00:00Z", {"days_of_month": ["1:-3"]}, False),
        # Clocks go forward on the 29th: 0.25 to 0.34 take this month for one of 30 days.
        ("2026-03-31T12:00:00Z", {"days_of_month": ["-1"], "location": "Europe/Berlin"}, True),
        ("2026-11-23T12:00:00Z", {"months": ["october:december"], "years": ["2026"]}, True),
        ("2026-11-23T12:00:00Z", {"months": ["1:10", "12"]}, False),
        ("2026-11-23T12:00:00Z", {"years": ["2020:2025"]}, False),
        ("2026-11-23T12:00:00Z", {"weekdays": ["monday"], "months": ["12"]}, False),
        ("2026-11-23T12:00:00Z", {"weekdays": []}, False),
        ("2026-11-23T12:00:00Z", {}, True),
    ],
)
def test_an_instant_is_within_an_interval_if_it_is_within_each_field(
    at: str, fields: dict[str, object], *, expected: bool
) -> None:
    assert within(at, **fields) == expected


@given(st.datetimes(timezones=st.just(UTC)))
def test_the_last_day_is_the_one_before_another_month(at: datetime) -> None:
    if at.year < MAXYEAR:
        last = (at + timedelta(days=1)).month != at.month
        assert TimeInterval.read({"days_of_month": ["-1"]}).contains(at) == last


@pytest.mark.parametrize(
    "fields",
    [
        {"times": [{"start_time": "22:00", "end_time": "06:00"}]},
        {"times": [{"start_time": "9:00", "end_time": "17:00"}]},
        {"times": [{"start_time": "09:00"}]},
        {"weekdays": ["saturday:sunday"]},
        {"weekdays": ["caturday"]},
        {"weekdays": "monday"},
        {"days_of_month": ["0"]},
        {"days_of_month": ["-1:5"]},
        {"days_of_month": ["30:-1"]},
        {"days_of_month": ["1:2:3"]},
        {"months": ["december:january"]},
        {"months": ["1:2:3"]},
        {"years": ["next"]},
        {"location": "Local"},
        {"location": "Europe/Atlantis"},
        {"hours": ["9"]},
    ],
)
def test_an_interval_that_alertmanager_refuses_or_that_depends_on_it_is_refused(
    fields: dict[str, object],
) -> None:
    with pytest.raises(ConfigError):
        TimeInterval.read(fields)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a time zone"):
        TimeInterval().contains(datetime(2026, 11, 23))  # noqa: DTZ001


def test_a_route_is_active_within_any_active_interval_and_muted_within_any_mute_interval() -> None:
    always: dict[str, object] = {"time_intervals": [{}]}
    never: dict[str, object] = {"time_intervals": [{"years": ["1999"]}]}
    intervals = [{"name": "always", **always}, {"name": "never", **never}]

    def active(**fields: Sequence[str]) -> bool:
        loaded = config({"routes": [fields]}, time_intervals=intervals)
        return is_active(loaded, routes_for(loaded, ())[0], datetime.now(UTC))

    assert active()
    assert active(active_time_intervals=["never", "always"])
    assert not active(active_time_intervals=["never"])
    assert active(mute_time_intervals=["never"])
    assert not active(mute_time_intervals=["never", "always"])
    assert not active(active_time_intervals=["always"], mute_time_intervals=["always"])


def test_who_is_notified_follows_from_routes_inhibition_and_hours() -> None:
    loaded = config(
        {
            "routes": [
                {"receiver": "day", "active_time_intervals": ["day"], "continue": True},
                {"receiver": "night", "mute_time_intervals": ["day"]},
            ]
        },
        inhibit_rules=[{"source_matchers": ["s=1"], "target_matchers": ["t=1"]}],
        time_intervals=[
            {
                "name": "day",
                "time_intervals": [{"times": [{"start_time": "08:00", "end_time": "20:00"}]}],
            }
        ],
    )
    noon, midnight = (datetime(2026, 11, 23, hour, tzinfo=UTC) for hour in (12, 0))
    firing = [SOURCE, TARGET]
    assert notified(loaded, firing, noon) == {SOURCE: {"day"}, TARGET: frozenset()}
    assert notified(loaded, firing, midnight) == {SOURCE: {"night"}, TARGET: frozenset()}
    assert notified(loaded, [TARGET], noon) == {TARGET: {"day"}}


# IsolationResult


def test_an_alert_that_reaches_another_tenant_or_the_root_is_a_crossing() -> None:
    loaded = config(
        {
            "routes": [
                {"matchers": ["tenant=a", "kind=lost"], "receiver": "slo/ab/page"},
                {"matchers": ["tenant=a", "kind!=unrouted"], "receiver": "slo/a/page"},
                {"matchers": ["tenant=ab"], "receiver": "slo/ab/page", "continue": True},
                {"matchers": ["tenant=ab"], "receiver": "slo-heartbeat"},
            ]
        }
    )
    expected = [
        ExpectedRoute(alert(tenant=tenant, kind=kind), ())
        for tenant, kind in [("a", "page"), ("ab", "page"), ("a", "lost"), ("a", "unrouted")]
    ]
    checked = crossings(loaded, expected)
    assert str(checked) == "4 alerts x 2 tenants checked, 2 crossings"
    assert [(c.tenant, c.receiver, c.path) for c in checked.crossings] == [
        ("a", "slo/ab/page", (0,)),
        ("a", "root", ()),
    ]
    assert checked.crossings[0].alert == expected[2].labels


# Real servers


def names(found: Any) -> list[str]:  # noqa: ANN401 - JSON is any
    return [receiver["name"] for receiver in found["receivers"]]


VALUES = ["", "x", "y", "xy"]
PATTERNS = [
    *("x|y", "x.*", ".+", "", ".*", "x?y?", "[xy]{2}", "(?i)X", "(x|y)y$", "^x", r"\w", "[^x]*"),
]
# A server learns of alerts one after the other, but after a reload of those it has in any order:
# when the first of these pairs inhibits it has done with that, when the second does, with the rest.
SIGNALS = [[alert(last=side, phase=phase) for side in ("target", "source")] for phase in "12"]
SIGNAL_RULE = {
    "source_match": {"last": "source"},
    "target_match": {"last": "target"},
    "equal": ["phase"],
}


class Draw:
    """Random parts of configurations, over few labels and values, so that they collide."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - repeatable

    def matchers(self, side: str, most: int) -> dict[str, object]:
        texts, equal, regex = [], {}, {}
        for _ in range(self.random.randint(0, most)):
            name, value = self.random.choice("abc"), self.random.choice(VALUES)
            pattern = self.random.choice(PATTERNS)
            operator = self.random.choice(["=", "=", "!=", "=~", "=~", "!~"])
            match self.random.randint(0, 3):
                case 0:
                    equal[name] = value
                case 1:
                    regex[name] = pattern
                case quoted:
                    text = pattern if "~" in operator else value
                    text = text.replace("\\", "\\\\")
                    texts.append(
                        f'{name}{operator}"{text}"' if quoted == 2 else f"{name}{operator}{text}"
                    )
        return {
            f"{side}matchers": texts,
            f"{side}match": equal,
            f"{side}match_re": regex,
        }

    def route(self, depth: int) -> dict[str, object]:
        route = self.matchers("", 2) if depth else {}
        if not depth or self.random.random() < 0.6:
            route["receiver"] = f"r{self.random.randint(0, 9)}"
        if depth and self.random.random() < 0.4:
            route["continue"] = True
        if depth < 3:
            children = self.random.choice([0, 1, 2, 3] if depth else [3, 3, 15])
            route["routes"] = [self.route(depth + 1) for _ in range(children)]
        return route

    def inhibit_rule(self) -> dict[str, object]:
        equal = self.random.sample("abc", self.random.randint(0, 2))
        return {**self.matchers("source_", 2), **self.matchers("target_", 2), "equal": equal}

    def config(self) -> str:
        rules = [self.inhibit_rule() for _ in range(self.random.randint(0, 4))]
        return json.dumps(
            {
                "route": self.route(0),
                "receivers": [{"name": f"r{n}"} for n in range(10)],
                "inhibit_rules": [SIGNAL_RULE, *rules],
            }
        )

    def alerts(self) -> list[Pairs]:
        found: dict[Pairs, None] = {}
        while len(found) < ALERTS:
            labels = {name: self.random.choice(VALUES) for name in "abc"}
            labels["n"] = self.random.choice("12")
            found[tuple((name, value) for name, value in labels.items() if value)] = None
        return list(found)


@every_version
def test_receivers_and_inhibition_are_those_of_a_real_server(suite: str, tmp_path: Path) -> None:
    inhibited, several, hidden = 0, 0, 0
    with running(suite, tmp_path) as real:
        one_source = (0, 30) <= real.version < (0, 34, 1)
        for seed in range(CONFIGS):
            draw = Draw(seed)
            text = draw.config()
            model, firing = Config.load(text), [*SIGNALS[0], *draw.alerts(), *SIGNALS[1]]
            found = decided(real, text, firing)
            ids = {item["fingerprint"]: labels for labels, item in found.items()}
            assert {*found} == {*firing}
            for labels, item in found.items():
                expected = [match.receiver for match in routes_for(model, labels)]
                assert names(item) == expected, (seed, labels)
                sources = inhibitors(model, labels, firing, one_source=one_source)
                by = [ids[source] for source in item["status"]["inhibitedBy"]]
                assert bool(by) == bool(sources), (seed, labels, by, sources)
                assert {*by} <= {*sources}, (seed, labels, by, sources)
                inhibited, several = inhibited + bool(by), several + (len(expected) > 1)
                hidden += bool(sources) != bool(inhibitors(model, labels, firing))
            groups = {(a, m.receiver) for a in firing for m in routes_for(model, a)}
            wait_until(partial(has_groups, real, groups), 5, 0.002, f"the groups of {seed}")
            real.resolve(firing)
    # The draw is worth something: it has what it is meant to have.
    assert inhibited > CONFIGS
    assert several > CONFIGS
    assert (hidden > 0) == one_source


def has_groups(real: Real, expected: set[tuple[Pairs, str]]) -> bool:
    return real.grouped() == expected


def decided(real: Real, text: str, firing: Sequence[Pairs]) -> dict[Pairs, Any]:
    """What a server says of alerts, once it knows a configuration and all of them."""
    real.load(text)
    for alerts, (target, source) in zip((firing[:2], firing[2:]), SIGNALS, strict=True):
        real.fire(alerts)
        wait_until(partial(inhibits, real, target, source), 5, 0.002, "a signal")
    return real.alerts()


def inhibits(real: Real, target: Pairs, source: Pairs) -> bool:
    found = real.alerts()
    by: list[str] = found[target]["status"]["inhibitedBy"]
    return by == [found[source]["fingerprint"]]


MATCHERS = [
    *(f"a{op}{text}" for op in ("=", "!=") for text in ("", "x", '""', '"x,y"', "`x`", "{x")),
    *(f"a=~{text}" for text in ("x|y", '"x|y"', "x.+", '"(?i)X.*"', r"\\d+", r'"\\d+"', "[xy]")),
    *(f"a!~{text}" for text in ("x|y", '"x.*"', '""', '".+"', "~~", '"x{2}|[^xy]*"', r'"\\W+"')),
    *(r'a="x\ty"', r"a=x\n", r'a="\""', r"a=\"", r'a="\\"', "a=\\", "{a=x}", "a=x}}", "a==", "a=é"),
    *('{a="x", a!=y}', ' a = "x" , ', r'a="x\,y"', 'a="x"\n', "a= x y", r'a="\x41"', "a='x'"),
]
UTF8_MATCHERS = [
    *('"a"=x', '"a"="x"', "é=~é", '"a b"=c', '{"a"=x, "a b"!=c}', r'"a"="\x41"', r'"a"="\u00e9"'),
    *(r'"a"="x\ty"', '"a"="x,y"', '"a"=~"x|y",', r'"a"=~"\\d+"', r'"a"="\101"', r'"a b"="\""'),
]


@every_version
def test_matchers_are_read_as_a_real_server_does(suite: str, tmp_path: Path) -> None:
    with running(suite, tmp_path) as real:
        utf8 = real.version >= (0, 27)
        texts = MATCHERS + UTF8_MATCHERS * utf8
        values = [
            "x",
            "y",
            "xy",
            "x,y",
            "`x`",
            "{x",
            "12",
            "x\ty",
            r"x\ty",
            "x\n",
            '"',
            "\\",
            "}",
            "x}",
        ]
        values += [
            "=",
            "é",
            "xx",
            "--",
            "x y",
            "X",
            r"x\,y",
            "A",
            r"\x41",
            "'x'",
            "É",
            "\u0661",
            "z",
        ]
        firing = [alert(n="0"), *(alert(a=value) for value in values), alert(a="x", b="y")]
        if utf8:
            firing += [(("a b", "c"),), (("é", "é"),), (("a b", '"'),)]
        routes = [
            {"matchers": [text], "receiver": f"r{number}", "continue": True}
            for number, text in enumerate(texts)
        ]
        routes_re = [
            {"match_re": {"a": pattern}, "receiver": f"p{number}", "continue": True}
            for number, pattern in enumerate(PATTERNS)
        ]
        text = json.dumps(
            {
                "route": {"receiver": "root", "routes": routes + routes_re},
                "receivers": [
                    {"name": "root"},
                    *({"name": r["receiver"]} for r in routes + routes_re),
                ],
            }
        )
        model = Config.load(text)
        real.load(text)
        real.fire(firing)
        found = real.alerts()
        assert {*found} == {*firing}
        for labels, item in found.items():
            by_model = [match.receiver for match in routes_for(model, labels)]
            assert names(item) == by_model, labels
    taken = {name for item in found.values() for name in names(item)}
    assert len(taken) > len(texts)  # nearly every matcher takes something


@every_version
def test_matchers_that_the_model_refuses_a_real_server_refuses(suite: str, tmp_path: Path) -> None:
    with running(suite, tmp_path) as real:
        for text in UNREADABLE:
            routes = [{"matchers": [text]}]
            broken = {"route": {"receiver": "r", "routes": routes}, "receivers": [{"name": "r"}]}
            with pytest.raises(HTTPError) as caught:
                real.load(json.dumps(broken))
            caught.value.close()
            assert caught.value.code == 500, text


ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/St_Johns",
    "Asia/Kolkata",
    "Pacific/Kiritimati",
    "Etc/GMT+12",
]
DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]


def drawn_interval(draw: random.Random, now: datetime) -> dict[str, object]:
    """An interval that changes at no moment near now, and holds now about as often as not."""

    def span(low: int, high: int, text: Callable[[int], str] = str) -> str:
        begin, end = sorted(draw.choices(range(low, high + 1), k=2))
        return text(begin) if begin == end else f"{text(begin)}:{text(end)}"

    while True:
        fields: dict[str, object] = {"location": draw.choice(ZONES)}
        for field in draw.sample(["times", "weekdays", "days_of_month", "months", "years"], 2):
            match field:
                case "times":
                    start, end = sorted(draw.sample(range(25), 2))
                    times = {"start_time": f"{start:02}:00", "end_time": f"{end:02}:00"}
                    fields[field] = [times]
                case "weekdays":
                    fields[field] = [span(0, 6, DAYS.__getitem__), draw.choice(DAYS)]
                case "days_of_month":
                    fields[field] = [draw.choice([span(1, 31), span(-31, -1), "1:-1", "-3:-1"])]
                case "months":
                    fields[field] = [span(1, 12)]
                case _:
                    fields[field] = [span(now.year - 2, now.year + 2)] * draw.randint(0, 2)
        try:
            interval = TimeInterval.read(fields)
        except ConfigError:  # a range of days that no month has
            continue
        around = [now + timedelta(minutes=minutes) for minutes in (-2, 0, 2)]
        if len({interval.contains(at) for at in around}) == 1:
            return fields


class Server(ThreadingHTTPServer):
    request_queue_size = 1024  # they all come at once


class Hooks:
    """Receives webhooks on loopback, and notes who was told of which alert."""

    def __init__(self) -> None:
        self.told: set[tuple[Pairs, str]] = set()

    @contextmanager
    def listening(self) -> Iterator[str]:
        told = self.told

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for item in body["alerts"]:
                    told.add((tuple(sorted(item["labels"].items())), self.path.strip("/")))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = Server(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@every_version
def test_notifications_go_to_whom_the_model_says_at_this_hour(suite: str, tmp_path: Path) -> None:
    draw = random.Random(25)  # noqa: S311 - repeatable
    now = datetime.now(UTC)
    hooks = Hooks()
    count = 120
    intervals = [
        {"name": f"t{number}", "time_intervals": [drawn_interval(draw, now) for _ in range(2)]}
        for number in range(count)
    ]
    routes = []
    for number in range(count):
        used = {
            field: [f"t{draw.randrange(count)}" for _ in range(draw.randint(0, 2))]
            for field in ("active_time_intervals", "mute_time_intervals")
        }
        routes.append({"receiver": f"r{number}", "continue": True, **used})
    firing = [SOURCE, TARGET, alert(b="1")]
    with hooks.listening() as url, running(suite, tmp_path) as real:
        text = json.dumps(
            {
                "route": {
                    "receiver": "root",
                    "group_by": ["..."],
                    "group_wait": "700ms",  # time enough to know all sources
                    "routes": routes,
                },
                "receivers": [{"name": "root"}]
                + [
                    {"name": r["receiver"], "webhook_configs": [{"url": f"{url}/{r['receiver']}"}]}
                    for r in routes
                ],
                "inhibit_rules": [{"source_matchers": ["s=1"], "target_matchers": ["t=1"]}],
                "time_intervals": intervals,
            }
        )
        model = Config.load(text)
        real.load(text)
        real.fire(firing)
        expected = {
            (labels, receiver)
            for labels, told in notified(model, firing, datetime.now(UTC)).items()
            for receiver in told
        }
        assert len(firing) < len(expected) < count * 2 - len(firing)
        wait_until(lambda: hooks.told >= expected, 15, 0.05, "the notifications")
        time.sleep(0.3)  # whoever is not to be told would have been by now
        assert hooks.told == expected
        if real.version >= (0, 28):  # from here on a group says that its route is muted
            matches = {match.receiver: match for match in routes_for(model, SOURCE)}
            groups = [g for g in real.groups() if tuple(g["labels"].items()) != TARGET]
            assert len(groups) == 2 * count
            for group in groups:
                muted = any(item["status"]["mutedBy"] for item in group["alerts"])
                match = matches[group["receiver"]["name"]]
                assert muted != is_active(model, match, datetime.now(UTC))


def expected_routes(case: str) -> tuple[ExpectedRoute, ...]:
    return tuple(proofs_of(compiled(case)).routes)


def golden_text(case: str) -> str:
    return (GOLDEN / case / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES)
def test_golden_alerts_reach_what_routes_yml_says_and_nobody_else(case: str) -> None:
    model, routes = Config.load(golden_text(case)), expected_routes(case)
    assert routes
    for route in routes:
        found = tuple(match.receiver for match in routes_for(model, route.labels))
        assert found == route.receivers, route.labels
    checked = crossings(model, routes)
    assert checked.crossings == ()
    assert checked.alerts == len(routes)
    assert checked.tenants == len({dict(route.labels)["tenant"] for route in routes})


@every_version
def test_golden_configs_route_and_inhibit_as_a_real_server_does(suite: str, tmp_path: Path) -> None:
    inhibited = 0
    with running(suite, tmp_path) as real:
        for case in CASES:
            if case == "channels" and real.version < (0, 28):
                continue
            text = golden_text(case)
            model, firing = Config.load(text), [*burning(case)]
            rules = f"inhibit_rules:\n- {json.dumps(SIGNAL_RULE)}"
            everything = [*SIGNALS[0], *firing, *SIGNALS[1]]
            found = decided(real, text.replace("inhibit_rules:", rules), everything)
            ids = {item["fingerprint"]: labels for labels, item in found.items()}
            for labels in firing:
                item = found[tuple(sorted(labels))]
                assert names(item) == [m.receiver for m in routes_for(model, labels)], labels
                sources = inhibitors(model, labels, firing)
                by = [ids[source] for source in item["status"]["inhibitedBy"]]
                assert bool(by) == bool(sources), (case, labels)
                assert {*by} <= {tuple(sorted(source)) for source in sources}
                inhibited += bool(by)
                # What a rule of ours says never depends on which of several sources is remembered.
                one = inhibitors(model, labels, firing, one_source=True)
                assert bool(one) == bool(sources)
            real.resolve(everything)
    assert inhibited > len(CASES)


def burning(case: str) -> Iterator[Pairs]:
    """Give each alert of a case, burn alerts with each of the windows that inhibition reads."""
    windows = {"page-fast": "1h", "page-slow": "6h", "ticket-fast": "1d", "ticket-slow": "3d"}
    for route in expected_routes(case):
        labels = dict(route.labels)
        if labels["tier"] in windows:
            labels["long_window"] = windows[labels["tier"]]
        yield tuple(labels.items())


@every_version
def test_the_model_and_amtool_agree_on_the_routes_of_golden_alerts(suite: str) -> None:
    folder = GOLDEN / "escalation" / "alertmanager"
    model = Config.load(golden_text("escalation"))
    for route in expected_routes("escalation"):
        command: list[str | Path] = [tool(suite, "amtool"), "config", "routes", "test"]
        command.append(f"--config.file={folder / 'alertmanager.yml'}")
        command += [f"{name}={value}" for name, value in route.labels]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        by_model = [match.receiver for match in routes_for(model, route.labels)]
        assert done.stdout.strip().split(",") == by_model
