"""Whatever a tenant writes, what is emitted selects the tenant's own series only."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import promql_parser as pp
import pytest
import yaml
from cases import tool
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from slo_compiler.duration import Duration
from slo_compiler.promql import (
    MAX_LENGTH,
    MAX_OPERATORS,
    QueryError,
    check_grammar,
    prepare,
    selector,
    walk,
)
from slo_compiler.promql.isolation import check_isolated, inject
from slo_compiler.promql.places import find_matcher, find_quoted, words, written_matchers
from slo_compiler.promql.shape import shape_of
from slo_compiler.templating import promql_string

WINDOW = Duration.of(seconds=75)
TENANT = {"tenant": "customer-b"}
HOSTILE = '"}) or secret{b="y'
quick = settings(max_examples=60)

# Label values: anything that is valid in UTF-8, with what closes strings and selectors made likely.
values = st.one_of(
    st.sampled_from([HOSTILE, "\\", '\\"', "'", "`", "\n", "a\tb", "}", "#", "$", "é💥\u2028"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
labels = st.sampled_from(["a", "job", "code", "offset", "le", "Tenant"])
names = st.sampled_from(["http_requests_total", "x", "job:x:rate5m", "sum_total", "tenant"])


@st.composite
def selectors(draw: st.DrawFn) -> str:
    found = draw(st.dictionaries(labels, values, max_size=3))
    matchers = [
        f"{k}{draw(st.sampled_from(['=', '!=']))}{promql_string(v)}" for k, v in found.items()
    ]
    if draw(st.booleans()):
        matchers.append('tenant="customer-b"')
    inside = draw(st.sampled_from([", ", ","])).join(matchers)
    return draw(names) + (f"{{{inside}}}" if matchers or draw(st.booleans()) else "")


def rates() -> st.SearchStrategy[str]:
    """Instant vectors that hold `$window`, with every part of PromQL that can hold a selector."""
    ranges = st.sampled_from(
        ["[$window]", "[$window] offset 5m", "[$window] @ 1700000000", "[ $window ]"]
    )
    leaf = st.builds("rate({}{})".format, selectors(), ranges)
    return st.recursive(leaf, _nested, max_leaves=6)


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(
        ["+", "/", "> bool", "and", "or", "unless", "* on (job) group_left ()"]
    )
    return st.one_of(
        st.builds("({})".format, inner),
        st.builds("-{}".format, inner),
        st.builds("sum by (job) ({})".format, inner),
        st.builds("sum({}) without (code)".format, inner),
        st.builds("topk(scalar(sum({})), {})".format, selectors(), inner),
        st.builds("quantile(0.5, {})".format, inner),
        st.builds('clamp_min({}, 0) # }} tenant="customer-a"\n'.format, inner),
        st.builds("max_over_time(({})[1h:5m] offset 1d)".format, inner),
        st.builds("max_over_time(({})[$window:15s])".format, inner),
        st.builds('label_replace({}, "z", {}, "", "")'.format, inner, values.map(promql_string)),
        st.builds("{} + absent({})".format, inner, selectors()),
        st.builds("({} {} {})".format, inner, operators, inner),
    )


def leaves(text: str) -> list[pp.VectorSelector]:
    return [node for node in walk(pp.parse(text)) if isinstance(node, pp.VectorSelector)]


def matchers_of(node: pp.VectorSelector) -> list[tuple[str, str, str]]:
    return [(m.name, str(m.op), m.value) for m in node.matchers.matchers]


# --- isolation


@quick
@given(st.one_of(selectors(), rates()))
def test_every_selector_of_the_output_carries_exactly_the_tenants_matcher(query: str) -> None:
    output = prepare(query, TENANT, WINDOW)

    before, after = (
        leaves(query.replace("$window", "1m15s") if "[" in query else query),
        leaves(output),
    )
    assert [node.name for node in after] == [node.name for node in before]
    for old, new in zip(before, after, strict=True):
        isolating = [m for m in matchers_of(new) if m[0] == "tenant"]
        assert isolating == [("tenant", "MatchOp.Equal", "customer-b")]
        own = [m for m in matchers_of(old) if m[0] != "tenant"]
        assert sorted(m for m in matchers_of(new) if m[0] != "tenant") == sorted(own)


@quick
@given(st.dictionaries(labels, values, min_size=1, max_size=3), selectors())
def test_whatever_the_platform_isolates_by_reads_back_unchanged(
    matchers: dict[str, str], query: str
) -> None:
    plain = query.partition("{")[0]
    (node,) = leaves(prepare(plain, matchers, WINDOW))
    assert sorted(matchers_of(node)) == sorted((k, "MatchOp.Equal", v) for k, v in matchers.items())


def test_a_label_value_cannot_close_its_string() -> None:
    """The parser's str() does not escape: with it, this value opens a second selector."""
    query = f"http_requests_total{{a={promql_string(HOSTILE)}}}"
    (node,) = leaves(prepare(query, TENANT, WINDOW))
    assert {m.name: m.value for m in node.matchers.matchers} == {"a": HOSTILE, **TENANT}
    trap = str(pp.parse(query))
    assert promql_string(HOSTILE) not in trap, "str() escapes now: this test has done its work"


@pytest.mark.parametrize(
    ("query", "id_"),
    [
        ('x{tenant="customer-a"}', "other-tenant"),
        ('x{tenant=~"customer-b"}', "other-tenant"),
        ('x{tenant!="customer-b"}', "other-tenant"),
        ('x{tenant=""}', "other-tenant"),
        ('x{"tenant"="customer-a"}', "other-tenant"),
        ('x{tenant="customer-b",tenant="customer-b"}', "duplicate-matcher"),
        ('x{a="1" or tenant="customer-a"}', "or-matcher"),
        ('{__name__=~"x"}', "no-metric-name"),
        ('{__name__!="x",a="b"}', "no-metric-name"),
        ('{a="b"}', "no-metric-name"),
        ('{"x",__name__="y"}', "name-matcher"),
        ('{__name__="",a="b"}', "no-metric-name"),
        ('x{a=~"("}', "promql-regex"),
        ('x{a!~"(?=b)"}', "promql-regex"),
        ('x{a=~"b{1001}"}', "promql-regex"),
        ('label_replace(rate(x[$window]), "a", "b", "c", "(")', "promql-regex"),
        ('label_replace(rate(x[$window]), "a", "b", "c", (("(")))', "promql-regex"),
        ("rate(x[$window]) * ignoring() group_left rate(y[$window])", "promql-printed"),
        # NaN is no number that a printed query can be compared by.
        ("rate(x[$window]) * fill(NaN) rate(y[$window])", "promql-printed"),
        ('x{__name__="y"}', "promql-syntax"),
        ('rate(x[$window]) + on () {a=~".+"}', "no-metric-name"),
        ('topk(scalar({a="1"}), rate(x[$window]))', "no-metric-name"),
        ("info(rate(x[$window]))", "forbidden-function"),
        ('info(rate(x[$window]), {tenant="customer-a"})', "forbidden-function"),
        ('label_replace(rate(x[$window]), "tenant", "a", "", "")', "identity-label"),
        ('label_replace(rate(x[$window]), (("slo")), "a", "", "")', "identity-label"),
        ('label_join(rate(x[$window]), "service", "", "a")', "identity-label"),
        ('count_values("tenant", rate(x[$window]))', "identity-label"),
        ('count_values(("tenant"), rate(x[$window]))', "identity-label"),
        ("vector(1)", "no-selector"),
        ("x[$window]", "range-result"),
        ("(rate(x[1m])[$window:1m])", "range-result"),
        ("sum_over_time(vector(1)[$window:1m])", "no-selector"),
    ],
)
def test_what_injection_cannot_catch_is_refused(query: str, id_: str) -> None:
    with pytest.raises(QueryError) as refused:
        prepare(query, TENANT, WINDOW)
    assert refused.value.id == id_


def test_a_label_that_isolates_elsewhere_may_not_be_written_either() -> None:
    query = 'label_replace(rate(x[$window]), "namespace", "a", "", "")'
    assert "namespace" in prepare(query, TENANT, WINDOW)
    with pytest.raises(QueryError, match="identity-label"):
        prepare(query, {"namespace": "b"}, WINDOW)


def test_without_isolation_nothing_is_added() -> None:
    assert prepare("x", {}, WINDOW) == "rate(x[1m15s])"
    assert selector("x", {}, "_bucket", 'le="1"') == 'x_bucket{le="1"}'
    assert selector("x", {}, "_count", "") == "x_count{}"


@quick
@given(selectors())
def test_a_histograms_series_keep_matchers_and_gain_the_bucket(query: str) -> None:
    assume("le=" not in query)
    assume("le!=" not in query)
    (node,) = leaves(selector(query, TENANT, "_bucket", 'le="0.3"'))
    (old,) = leaves(query)
    assert node.name == f"{old.name}_bucket"
    expected = {
        *matchers_of(old),
        ("tenant", "MatchOp.Equal", "customer-b"),
        ("le", "MatchOp.Equal", "0.3"),
    }
    assert sorted(matchers_of(node)) == sorted(expected)


# --- what each part of a query becomes


@pytest.mark.parametrize(
    ("query", "output"),
    [
        ("x", 'rate(x{tenant="customer-b"}[1m15s])'),
        ("(x)", 'rate(x{tenant="customer-b"}[1m15s])'),
        ('x{a="1",}', 'rate(x{a="1",tenant="customer-b"}[1m15s])'),
        ("x # rate(y[5m])", 'rate(x{tenant="customer-b"}[1m15s])'),
        ("rate(x[$window])", 'rate(x{tenant="customer-b"}[1m15s])'),
        ("rate(x[$window] offset 5m)", 'rate(x{tenant="customer-b"}[1m15s] offset 5m)'),
        ("rate(x[$window] offset -5m)", 'rate(x{tenant="customer-b"}[1m15s] offset -5m)'),
        ("rate(x[$window] @ 5)", 'rate(x{tenant="customer-b"}[1m15s] @ 5.000)'),
        ("rate(x[$window] @ 1.5e+3)", 'rate(x{tenant="customer-b"}[1m15s] @ 1500.000)'),
        ("rate(x[$window] @ end())", 'rate(x{tenant="customer-b"}[1m15s] @ end())'),
        (
            "max_over_time(rate(x[$window])[1h:30s])",
            'max_over_time(rate(x{tenant="customer-b"}[1m15s])[1h:30s])',
        ),
        ("avg_over_time(x[$window:])", 'avg_over_time(x{tenant="customer-b"}[1m15s:])'),
        (
            "topk(scalar(y), rate(x[$window]))",
            'topk(scalar(y{tenant="customer-b"}), rate(x{tenant="customer-b"}[1m15s]))',
        ),
        ('rate(x{a="[5m]"}[$window])', 'rate(x{a="[5m]",tenant="customer-b"}[1m15s])'),
        # A name in the braces is a name.
        ('{"x"}', 'rate(x{tenant="customer-b"}[1m15s])'),
        ('{__name__="x",a="1"}', 'rate(x{a="1",tenant="customer-b"}[1m15s])'),
        ('{"a.b"}', 'rate({__name__="a.b",tenant="customer-b"}[1m15s])'),
        (
            "sum(rate({'a.b', c=\"d\"}[$window] offset 5m))",
            'sum(rate({__name__="a.b",c="d",tenant="customer-b"}[1m15s] offset 5m))',
        ),
    ],
)
def test_what_each_part_of_a_query_becomes(query: str, output: str) -> None:
    assert prepare(query, TENANT, WINDOW) == output


def test_prepare_with_a_control_character_in_a_value_keeps_it_on_one_line() -> None:
    for char in "\u2028\x0c\x85\x1c\x0b\r":
        (node,) = leaves(prepare(f"x{{a={promql_string(char)}}}", TENANT, WINDOW))
        assert (node.matchers.matchers[0].value) == char


@pytest.mark.parametrize(
    ("query", "marked"),
    [
        ('x{b="(",a=~"(c"}', "(c"),
        ('x{a=~"c{1001}"}', "{1001}"),
        ("rate(x[$window]) * ignoring ( ) group_left rate(y[$window])", "ignoring ( ) group_left"),
        ('rate(x[$window]) + rate({__name__=~"y"}[$window])', "__name__"),
    ],
)
def test_prepare_with_a_refused_query_marks_the_part(query: str, marked: str) -> None:
    with pytest.raises(QueryError) as refused:
        prepare(query, TENANT, WINDOW)
    error = refused.value
    assert query[error.offset : error.offset + error.width] == marked


@quick
@given(rates())
def test_shape_of_a_printed_query_is_the_shape_of_the_query(query: str) -> None:
    tree = pp.parse(query.replace("$window", "1m15s"))
    printed = pp.parse(prepare(query, TENANT, WINDOW))
    assert shape_of(printed) == shape_of(tree)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a == b", "a == bool b"),
        ("a * on (x) b", "a * b"),
        ("a * on () b", "a * ignoring () b"),
        ("a * on (x) group_left () b", "a * on (x) group_right () b"),
        ("a * on (x) group_left (y) b", "a * on (x) group_left () b"),
        ("sum by (x) (a)", "sum without (x) (a)"),
        ("sum by (x) (a)", "sum (a)"),
        ("topk(1, a)", "topk(2, a)"),
        ("rate(a[1m])", "rate(a[2m])"),
        ("a offset 1m", "a offset -1m"),
        ("a @ 1", "a @ end()"),
        ("max_over_time(a[1h:1m])", "max_over_time(a[1h:])"),
        ("(a)", "a"),
        ("-a", "a"),
        ('label_replace(a, "b", "c", "d", "e")', 'label_replace(a, "b", "c", "d", "f")'),
    ],
)
def test_shape_of_different_expressions_differs(one: str, other: str) -> None:
    assert shape_of(pp.parse(one)) != shape_of(pp.parse(other))


def test_shape_of_what_is_no_expression_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="unknown expression Matchers"):
        shape_of(pp.parse("x").matchers)


@pytest.mark.parametrize(
    "selector",
    [
        "x",
        "x{}",
        'x{tenant="customer-b"}',
        'x{z="1",a!="2",code=~"5..",path!~"a|b"}',
        'x{a="1",a!="2",a="1"}',
        r'x{a="quote \" and \\ and line\nfeed",b="é\u2028"}',
        'x{a="é 日本",b="\ue000",c="\t"}',
        'x{a=`raw "text"`}',
        '{"http.requests","label.name"="1"}',
        '{__name__="x",a="1"}',
        '{__name__="http.requests"}',
    ],
)
def test_selector_alone_and_in_an_expression_get_the_same_matchers(selector: str) -> None:
    alone = inject(pp.parse(selector), TENANT, selector)
    inside = inject(pp.parse(f"abs({selector})"), TENANT, selector)
    assert inside == f"abs({alone})"
    assert 'tenant="customer-b"' in alone


# --- the last check


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        ('rate(x{a="1",tenant="customer-b"}[1m])', ""),
        ("rate(x[1m]", "promql-printed"),
        ('rate(x{a="1"}[1m])', "isolation"),
        ('rate(x{a="1",tenant="customer-a"}[1m])', "isolation"),
        ('rate(x{a="1",tenant=~"customer-b"}[1m])', "isolation"),
        ('rate(x{a="1",tenant="customer-b",tenant!="customer-b"}[1m])', "isolation"),
        ('rate(x{a="1",tenant="customer-b" or tenant="customer-a"}[1m])', "isolation"),
        ('rate(y{a="1",tenant="customer-b"}[1m])', "isolation"),
        ('rate(x{a="2",tenant="customer-b"}[1m])', "isolation"),
        ('rate(x{tenant="customer-b"}[1m])', "isolation"),
        ("vector(1)", "isolation"),
        ('rate(x{a="1",tenant="customer-b"}[1m]) + y{tenant="customer-b"}', "isolation"),
    ],
)
def test_check_isolated_accepts_the_same_selectors_of_the_tenant_and_nothing_else(
    text: str, id_: str
) -> None:
    """Whatever goes wrong in what injects matchers, it does not get out."""
    assert refusal(text, 'rate(x{a="1"}[1m])') == id_


def refusal(text: str, original: str, matchers: Mapping[str, str] = TENANT) -> str:
    """Give the ID of why a text is not an expression, isolated; empty if it is."""
    try:
        check_isolated(text, pp.parse(original), matchers)
    except QueryError as error:
        return error.id
    return ""


def test_check_isolated_refuses_alternatives_where_tenants_have_no_matchers() -> None:
    assert refusal("x", "x", {}) == ""
    assert refusal('x{a="1" or b="2"}', "x", {}) == "isolation"


def test_check_isolated_compares_selectors_one_after_the_other() -> None:
    one, other = (name + '{tenant="customer-b"}' for name in "xy")
    assert refusal(f"{one} - {other}", "x - y") == ""
    assert refusal(f"{other} - {one}", "x - y") == "isolation"
    assert refusal(f"{one} - {one}", "x - y") == "isolation"
    assert refusal('x{a="1",tenant="customer-b"}', 'x{a=~"1"}') == "isolation"
    assert refusal('x{a=~"1",tenant="customer-b"}', 'x{a=~"2"}') == "isolation"


# --- places


@pytest.mark.parametrize(
    ("query", "word", "places"),
    [
        ("rate(x[5m]) / rate(x[5m])", "x", [(5, 1), (19, 1)]),
        ('x{x="x"} # x', "x", [(0, 1)]),
        ('sum by (x) ({"x"})', "x", [(14, 1)]),
        ("{__name__=`x`, a='x'}", "x", [(11, 1)]),
        ("{a='x'}", "x", []),
    ],
)
def test_words_are_of_metrics_and_not_of_labels_and_values(
    query: str, word: str, places: list[tuple[int, int]]
) -> None:
    assert [*words(query, word)] == places


@pytest.mark.parametrize(
    ("label", "value", "place"),
    [
        ("b", "2", (12, 1)),  # the one that has the value
        ("b", "3", (6, 1)),  # else the first of the label
        ("b", None, (3, 1)),  # no value is looked for: the label
        ("a b", "4", (23, 1)),
        ("c", "2", ()),
    ],
)
def test_find_matcher_gives_the_value_or_the_label_or_nothing(
    label: str, value: str | None, place: tuple[int, ...]
) -> None:
    assert find_matcher("x{ b='1',b='2', 'a b'='4' }", label, value) == place


def test_written_matchers_of_one_selector_end_with_its_brace() -> None:
    query = 'x{a="1"} / y{b=""} / z'
    assert [m.label for m in written_matchers(query)] == ["a", "b"]
    assert [m.label for m in written_matchers(query, 1, one=True)] == ["a"]
    assert [*written_matchers(query, 9, one=True)] == []
    (second,) = written_matchers(query, 12, one=True)
    assert second.place == second.op_place == (14, 1)


@pytest.mark.parametrize(
    ("message", "place"),
    [
        ("unknown function 'rat'", (4, 3)),
        ('nothing like "nowhere", but `x`', (8, 1)),
        ("it quotes 'nothing' of it", (0, MAX_LENGTH)),
        ("it quotes nothing", (0, MAX_LENGTH)),
    ],
)
def test_find_quoted_gives_the_first_quotation_that_is_in_the_query(
    message: str, place: tuple[int, int]
) -> None:
    assert find_quoted("sum(rat(x))", message) == place


# --- $window


@pytest.mark.parametrize(
    "query",
    [
        'rate(x{a="$window"}[$window])',
        "rate(x[$window]) # $window",
        "rate(x{a='[$window]'}[$window])",
        "rate(x{a=`[$window]`}[$window])",
        "rate(x[5m] offset $window)",
        "$window",
        "rate(x$window[5m])",
        "rate(x[5m:$window])",
        "rate(x[$window]) * $window",
        "rate(x[$windows])",
        "rate(x[1m$window])",
        "rate(x[$window$window])",
    ],
)
def test_window_is_used_only_as_a_range(query: str) -> None:
    with pytest.raises(QueryError) as refused:
        prepare(query, TENANT, WINDOW)
    assert refused.value.id in {"window-misplaced", "promql-span"}


@quick
@given(rates())
def test_exactly_the_ranges_that_held_window_have_its_span(query: str) -> None:
    ranges = [
        node.range
        for node in walk(pp.parse(prepare(query, TENANT, WINDOW)))
        if isinstance(node, pp.MatrixSelector | pp.SubqueryExpr)
    ]
    assert ranges.count(timedelta(seconds=75)) == query.count("$window")


# --- the parser's limits


@pytest.mark.parametrize(
    "query",
    [
        "x offset inf",
        "rate(x[$window] offset -Inf)",
        "x offset NaN",
        "x[1e300]",
        "sum_over_time(x[5m:1e300])",
        "x offset 1e300",
        "x offset 0x7fffffffffffffff",
        "rate(x[9000000y])",
        "rate(x[$window] @ -inf)",
        "rate(x[$window] @ -5)",
        "rate(x[$window] @ - 0x5)",
        "rate(x[$window] @ -.5e1)",
        "rate(x[$window] @ 5m)",
        "rate(x[$window] @ # in 9506 years\n 300000000000)",
        "max_over_time(rate(x[$window])[1h:5m] @ 1e+15)",
        "rate(x[5m + 1m])",
        "rate(x[$window] anchored)",
        "x * 1_000",
        "x{" + "a" * 3_000,
        "(" * 3_000,
        '"' * 999,
        "\\",
        "\0",
        "",
        " ",
        "#",
    ],
)
def test_what_the_parser_crashes_on_or_cannot_read_is_an_error_of_the_query(query: str) -> None:
    with pytest.raises(QueryError):
        prepare(query, TENANT, WINDOW)


tokens = st.sampled_from(
    [
        *("x", "y{", "}", "(", ")", "[", "]", "{", ":", "5m", "1h:", "[$window]", "rate(", "sum("),
        *("offset", "@", "start()", "by", "without", "topk(", "count_values", '"a"', "'b'", "`c`"),
        *("=", "!=", "=~", "==", "bool", "on", "group_left", "and", "or", "unless", "+", "-", "^"),
        *("1", "0x", "1e", ".", "inf", "NaN", "#", "\n", ",", "__name__", "é", "💥", "\\", '"'),
        *(
            "\0",
            "\u2028",
            "9" * 30,
            "1e308",
            "999999y",
            "label_replace(",
            "info(",
            "1_000",
            "$",
            "٣",
        ),
    ]
)


@settings(max_examples=400)
@given(
    st.one_of(
        st.text(max_size=40),
        st.lists(tokens, max_size=12).map(" ".join),
        st.lists(tokens, max_size=12).map("".join),
    )
)
def test_no_text_makes_anything_but_a_query_error(query: str) -> None:
    for isolate in (
        lambda: prepare(query, TENANT, WINDOW),
        lambda: selector(query, TENANT, "_bucket", 'le="1"'),
    ):
        try:
            output = isolate()
        except QueryError:
            continue
        assert 'tenant="customer-b"' in output


def test_the_largest_queries_are_still_quick_enough_to_print() -> None:
    chain = "x" + " + x" * (MAX_OPERATORS - 1)
    assert (
        len(leaves(prepare(f"({chain}) * rate(x[$window])", TENANT, WINDOW))) == MAX_OPERATORS + 1
    )
    with pytest.raises(QueryError, match="query-too-long"):
        prepare("x" * (MAX_LENGTH + 1), TENANT, WINDOW)


# --- the real one


def _samples() -> Iterator[str]:
    """Draw outputs to hand to promtool; the same in every run."""
    found: list[str] = []

    @settings(max_examples=80, derandomize=True, database=None)
    @given(st.one_of(selectors(), rates()))
    def collect(query: str) -> None:
        found.append(prepare(query, TENANT, WINDOW))

    collect()
    yield from dict.fromkeys(found)


@pytest.mark.processes
@pytest.mark.parametrize("suite", ["bookworm", "trixie", "forky"])
def test_promtool_accepts_what_is_emitted(suite: str, tmp_path: Path) -> None:
    rules = [{"record": f"r{n}", "expr": expr} for n, expr in enumerate(_samples())]
    assert len(rules) > 50
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": rules}]}), encoding="utf-8")
    done = subprocess.run(
        [tool(suite, "promtool"), "check", "rules", "--lint=none", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_check_grammar_of_what_strings_hold_reads_the_code_around_them_alone() -> None:
    check_grammar('sum(rate(x_total{a="(",b=~"[0-9]+"}[5m])) or 0 * y{c="\\"}"}')
    for broken in ('sum(x{a="b"}', 'x{a="b" or y"}', 'x{a="1"}[5m] + 1'):
        with pytest.raises(ValueError, match=r"\S"):
            check_grammar(broken)
