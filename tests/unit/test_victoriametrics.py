"""The target victoriametrics: the rules of Prometheus, so that each sees what it reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from cases import CASES, compiled
from loading import loaded

from slo_compiler import naming
from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.emit import hops, victoriametrics
from slo_compiler.emit.emitter import TenantContext
from slo_compiler.plan.reads import Recorded, reads
from slo_compiler.plan.rule import BaseSeries, Counted
from slo_compiler.promql import Selector, parsed, selector_of, walk
from slo_compiler.schema import ProjectSpec
from slo_compiler.schema.sli.base import Second
from slo_compiler.schema.sli.latency import Latency

NATIVE = "native-histograms"
ALONE = ProjectSpec(targets=["victoriametrics"])
EVALUATED = [case for case in CASES if case != NATIVE]


@dataclass(frozen=True)
class Placed:
    """A rule of a file: what it records, and when it is evaluated within its interval."""

    rule: dict[str, Any]
    group: str
    offset: Duration

    def may_be(self, selector: Selector) -> bool:
        """Whether a selector selects what is recorded; labels that it does not set may be any."""
        labels = self.rule.get("labels", {})
        matchers = (m for m in selector.matchers if m.name in labels)
        return self.rule.get("record") == selector.metric and all(
            m.accepts(labels) for m in matchers
        )

    def selectors(self) -> Iterator[Selector]:
        """Give all that it reads, in annotations, too."""
        texts = re.findall(
            r"slo:\w+:\w+(?=\{)", " ".join(self.rule.get("annotations", {}).values())
        )
        yield from (Selector(text, ()) for text in texts)
        for node in walk(parsed(self.rule["expr"])):
            if type(node).__name__ == "VectorSelector":
                yield selector_of(node)


@cache
def files(case: str) -> dict[str, list[dict[str, Any]]]:
    """Give the groups of each tenant."""
    whole, report, found = compiled(case), Report(), {}
    for planned, rules in zip(whole.plan.tenants, whole.rules, strict=True):
        context = TenantContext(planned, rules, ALONE, whole.tenants)
        (artefact,) = victoriametrics.tenant(context, report).artefacts
        assert artefact.path == f"victoriametrics/rules/{planned.name}.yml"
        found[planned.name] = loaded(artefact.text)["groups"]
    assert not report.diagnostics
    return found


def duration(text: str) -> Duration:
    seconds = {"s": 1, "m": 60}
    parts = re.findall(r"(\d+)([sm])", text)
    return Duration.of(seconds=sum(int(number) * seconds[unit] for number, unit in parts))


def placed(groups: list[dict[str, Any]]) -> list[Placed]:
    return [
        Placed(rule, group["name"], duration(group["eval_offset"]))
        for group in groups
        for rule in group["rules"]
    ]


@pytest.mark.parametrize("case", EVALUATED)
def test_each_rule_is_evaluated_later_than_what_it_reads(case: str) -> None:
    seen = 0
    for groups in files(case).values():
        rules = placed(groups)
        for index, rule in enumerate(rules):
            for selector in rule.selectors():
                for other in rules[:index]:
                    if other.may_be(selector):
                        seen += 1
                        assert rule.offset >= other.offset + hops.LEAST, (rule, other)
                        assert rule.group != other.group
    assert seen


@pytest.mark.parametrize("case", EVALUATED)
def test_no_rule_waits_for_what_it_does_not_read(case: str) -> None:
    """A rule that is not in the first hop reads one of the hop before."""
    for groups in files(case).values():
        rules = placed(groups)
        apart = min(rule.offset for rule in rules if rule.offset.ms)
        for rule in rules:
            before = [other for other in rules if other.offset == rule.offset - apart]
            if rule.offset.ms:
                assert any(o.may_be(s) for s in rule.selectors() for o in before), rule


@pytest.mark.parametrize("case", EVALUATED)
def test_groups_have_an_offset_within_their_interval_and_no_cache(case: str) -> None:
    for tenant, groups in files(case).items():
        names = [group["name"] for group in groups]
        assert len(names) == len({*names})
        assert all(re.fullmatch(naming.hops(tenant), name) for name in names)
        for group in groups:
            assert group["params"] == {"nocache": ["1"]}
            assert duration(group["eval_offset"]) + hops.LEAST <= duration(group["interval"])


@pytest.mark.parametrize("case", EVALUATED)
def test_all_rules_of_prometheus_are_there_and_differ_in_base_and_self_metrics_only(
    case: str,
) -> None:
    for rules in compiled(case).rules:
        own = [rule for group in files(case)[rules.tenant] for rule in group["rules"]]
        found = {_key(rule): rule for rule in own}
        assert len(found) == len(own)
        expected = {
            (rule.name, *rule.labels): rule for group in rules.groups for rule in group.rules
        }
        expected = {(key[0], *sorted(key[1:])): rule for key, rule in expected.items()}
        assert {*found} == {*expected}
        for key, rule in expected.items():
            own_rule = found[key]
            assert own_rule.get("annotations", {}) == dict(rule.annotations)
            assert own_rule.get("for") == (str(rule.for_) if rule.for_ else None)
            if rule.name not in (
                *naming.RATES_OF_EVENTS,
                *naming.RATES_OF_ERRORS,
                naming.ALERT_RULES_FAILING,
            ):
                assert own_rule["expr"].strip() == rule.expr


def _key(rule: dict[str, Any]) -> tuple[Any, ...]:
    return rule.get("record") or rule["alert"], *sorted(rule.get("labels", {}).items())


@pytest.mark.parametrize("case", EVALUATED)
def test_base_rules_take_rates_over_the_base_and_read_no_base_of_the_same_slo(case: str) -> None:
    whole = compiled(case)
    for planned in whole.plan.tenants:
        timing = planned.timing
        slo_rules = [rule for group in planned.groups for rule in group.rules]
        measured = {
            rule.slo.identity.labels
            for rule in slo_rules
            if isinstance(rule, BaseSeries) and rule.slo.queries is not None
        }
        for group in files(case)[planned.name]:
            for rule in group["rules"]:
                name, labels = rule.get("record"), rule.get("labels", {})
                if tuple((k, labels.get(k)) for k in naming.IDENTITY) not in measured:
                    continue
                if name in (*naming.RATES_OF_EVENTS, *naming.RATES_OF_ERRORS):
                    assert f"[{timing.base_range}]" not in rule["expr"]
                    if "sum_over_time(slo:sliced" not in rule["expr"]:
                        assert not re.search(r"slo:(sliced_)?e\w+:rate", rule["expr"])


def test_errors_count_the_events_anew_where_good_events_are_given() -> None:
    """Events of the evaluation before, less good ones of now, would be errors that never were."""
    (groups,) = files("ratio").values()
    (planned,) = compiled("ratio").plan.tenants
    (slo,) = [s for s in planned.slos if s.queries and s.queries.pair.counts is Second.GOOD]
    own = [r for r in groups_rules(groups) if r.get("labels", {}).get("slo") == slo.identity.slo]
    events, errors = (
        next(rule["expr"] for rule in own if rule.get("record") == name)
        for name in (naming.EVENTS_RATE, naming.ERRORS_RATE)
    )
    flat = "".join(errors.split())
    assert flat.startswith(f"({''.join(events.split())})-(")
    assert "slo:" not in errors


def groups_rules(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [rule for group in groups for rule in group["rules"]]


def test_failing_rules_are_seen_in_vmalerts_own_metrics() -> None:
    (groups,) = files("ratio").values()
    (rule,) = [r for r in groups_rules(groups) if r.get("alert") == naming.ALERT_RULES_FAILING]
    assert "prometheus_" not in rule["expr"]
    (pattern, *others) = {*re.findall(r'group=~"([^"]*)"', rule["expr"])}
    assert not others
    assert all(re.fullmatch(pattern, group["name"]) for group in groups)
    assert not re.fullmatch(pattern, groups[0]["name"].replace("slo-ratio", "slo-ratio-2"))


def test_native_histograms_are_refused_at_their_place() -> None:
    whole, report = compiled(NATIVE), Report()
    context = TenantContext(
        whole.plan.tenants[0], whole.rules[0], whole.settings.spec, whole.tenants
    )
    assert victoriametrics.tenant(context, report).artefacts == ()
    natives = [
        slo
        for slo in whole.tenants[0].slos
        if isinstance(slo.spec.sli.body, Latency) and slo.spec.sli.body.native
    ]
    assert [found.id for found in report.diagnostics] == ["target-lacks"] * len(natives)
    places = {slo.at("sli", "latency", "native") for slo in natives}
    assert {found.position for found in report.diagnostics} == places


def test_reads_of_raw_errors_leave_out_the_events_that_others_read() -> None:
    (planned,) = compiled("ratio").plan.tenants
    (rule, *_) = [
        rule
        for group in planned.groups
        for rule in group.rules
        if isinstance(rule, BaseSeries) and rule.counted is Counted.ERRORS
    ]
    events = Recorded(naming.EVENTS_RATE, rule.slo.identity)
    assert events in [*reads(planned, rule)]
    adapted = victoriametrics.adapted(planned)
    found = [
        series
        for group in adapted.groups
        for each in group.rules
        if isinstance(each, BaseSeries)
        for series in reads(adapted, each)
    ]
    assert events not in found


def test_proofs_are_those_of_prometheus_in_vmalerts_words_but_for_vast_numbers() -> None:
    found = {artefact.path: artefact for artefact in compiled("victoriametrics").artefacts}
    tests = {path: loaded(a.text) for path, a in found.items() if "/tests/" in path}
    own = {path: test for path, test in tests.items() if path.startswith("victoriametrics/")}
    assert {*own} == {f"victoriametrics/tests/acme_{span}.yml" for span in ("1m", "5m", "1h")}
    groups = loaded(found["victoriametrics/rules/acme.yml"].text)["groups"]
    for path, test in own.items():
        assert test["rule_files"] == ["../rules/acme.yml"]
        assert test["group_eval_order"] == [group["name"] for group in groups]
        expected = tests[path.replace("victoriametrics/", "prometheus/")]["tests"]
        for one, other in zip(test["tests"], expected, strict=True):
            assert one.pop("metricsql_expr_test") == other.pop("promql_expr_test")
            assert one == other
    assert not any(re.search(r"e\+[3-9]\d", found[path].text) for path in own)
