"""The routing model follows Alertmanager's rules: matchers, routes, inhibition, notifications."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from alertmanagers import alert
from cases import CASES
from hypothesis import given
from hypothesis import strategies as st
from routing_model import SOURCE, TARGET, UNREADABLE, config, expected_routes, golden_text

from slo_compiler.plan.routing_ir import Pairs
from slo_compiler.proofs.model import ExpectedRoute
from slo_compiler.proofs.run.isolation import crossings
from slo_compiler.routing import (
    AlertMatcher,
    Config,
    ConfigError,
    inhibited_by,
    inhibitors,
    is_active,
    notified,
    parse_matchers,
    read_inhibit_rules,
    routes_for,
)

BOTH, BOTH_TOO = alert(s="1", t="1"), alert(s="1", t="1", n="2")


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


def test_many_siblings_are_tried_in_their_order() -> None:
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


def test_match_without_a_value_wants_the_label_to_be_missing_or_empty() -> None:
    loaded = Config.load(
        "route:\n  receiver: root\n  routes: [{match: {a: }, match_re: , receiver: r}]\n"
    )
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


def test_read_inhibit_rules_gives_rules_that_know_their_sides_and_print_them() -> None:
    both, alone = read_inhibit_rules(
        "- {source_matchers: ['s=1', 'a!=b'], target_matchers: ['t=~x|y'], equal: [e, f]}\n"
        "- {source_matchers: ['s=1'], target_matchers: ['t=1']}\n"
    )
    assert both.is_source({"s": "1"})
    assert not both.is_source({"s": "1", "a": "b"})
    assert both.is_target({"t": "y"})
    assert not both.is_target({"s": "1"})
    assert both.group({"f": "1", "g": "2"}) == ("", "1")
    assert alone.group({"f": "1"}) == ()
    assert str(both) == 'source s="1", a!="b", target t=~"x|y", equal [e, f]'
    assert str(alone) == 'source s="1", target t="1"'


def test_the_older_fields_of_inhibit_rules_are_read() -> None:
    rule = {"source_match": {"s": "1"}, "source_match_re": {"s": "1|2"}}
    rule |= {"target_match": {"t": "1"}, "target_match_re": {"t": "."}}
    loaded = config({}, inhibit_rules=[rule])
    assert inhibited_by(loaded, TARGET, [SOURCE]) == SOURCE
    assert inhibited_by(loaded, TARGET, [alert(s="2")]) is None


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


@pytest.mark.parametrize("case", CASES)
def test_golden_alerts_reach_what_routes_yml_lists_and_no_one_else(case: str) -> None:
    model, routes = Config.load(golden_text(case)), expected_routes(case)
    assert routes
    for route in routes:
        found = tuple(match.receiver for match in routes_for(model, route.labels))
        assert found == route.receivers, route.labels
    checked = crossings(model, routes)
    assert checked.crossings == ()
    assert checked.alerts == len(routes)
    assert checked.tenants == len({dict(route.labels)["tenant"] for route in routes})
