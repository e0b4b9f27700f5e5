"""Groups split by SLO: whatever the names, each SLO is in one part, and no part has another's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo_compiler import naming, pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.plan.rule import GuardCount, WindowRatio
from slo_compiler.plan.rules import PlannedGroup, PlannedTenant, slo_of
from slo_compiler.plan.split import split_groups
from slo_compiler.plan.tenant import Identity
from slo_compiler.source import SourceFile

TENANT = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {name: acme, owner: acme}
spec:
  channels: [{name: it, webhook: {url: "http://127.0.0.1:9/"}}]
  escalation: [{severity: page, notify: [it]}, {severity: ticket, notify: [it]}]
  slos:
"""
RATIO = "ratio: {errors: e_total, total: t_total}"
Names = tuple[str, str]
names = st.tuples(st.sampled_from(["a", "b", "b.c", "d"]), st.sampled_from(["ok", "fast", "b"]))


@st.composite
def tenants(draw: st.DrawFn) -> str:
    """Write a tenant: SLOs, one of which may have been renamed, and a composite of some."""
    slos = draw(st.lists(names, min_size=2, max_size=9, unique=True))
    renamed = draw(st.booleans())
    lines = [_slo(each, RATIO) for each in slos]
    if renamed:
        old = draw(names.filter(lambda each: each not in slos))
        lines[0] = _slo(slos[0], RATIO, f"formerly: {'/'.join(old)}, ")
    parts = draw(st.lists(st.sampled_from(slos), max_size=3, unique=True))
    if len(parts) > 1:
        service = draw(st.sampled_from(["a", "z"]))
        joined = ", ".join(f"{{slo: {'/'.join(part)}}}" for part in parts)
        lines.append(_slo((service, "journey"), f"composite: {{slos: [{joined}]}}"))
    return TENANT + "".join(lines)


def _slo(of: Names, sli: str, more: str = "") -> str:
    return f"    - {{service: {of[0]}, name: {of[1]}, objective: 99.9, {more}sli: {{{sli}}}}}\n"


def planned(text: str) -> PlannedTenant:
    settings_ = pipeline.read_project(None, Report())
    source = SourceFile("a.yaml", "a.yaml", text.encode())
    assert settings_.root == Path.cwd()
    return pipeline.plan_project(settings_, [source], Report()).plan.tenants[0]


def about(group: PlannedGroup) -> Iterator[Identity]:
    """Give the SLOs that a group has rules of their own of."""
    for rule in group.rules:
        slo = rule.slo if isinstance(rule, GuardCount) else slo_of(rule)
        if slo is not None:
            yield slo.identity


@pytest.mark.processes
@settings(max_examples=40)
@given(tenants(), st.sampled_from([8, 10, 12, 16, 20, 24]))
def test_split_groups_have_each_slo_once_with_windows_of_its_own(text: str, limit: int) -> None:
    tenant, report = planned(text), Report()
    groups = split_groups(tenant, limit, report)
    assert len({group.name for group in groups}) == len(groups)
    before = sorted(repr(rule) for group in tenant.groups for rule in group.rules)
    if not report.failed:
        assert all(len(group.rules) <= limit for group in groups)
    for part in (naming.BASE_GROUP, naming.TILES_GROUP):
        parts = [group for group in groups if group.part == part and group.share is not None]
        if not parts:
            continue
        windows = [rule for rule in parts[0].rules if isinstance(rule, WindowRatio)]
        for slo in tenant.slos:
            ids = [slo.identity, *([slo.former.old] if slo.former else [])]
            containing = [
                number
                for number, group in enumerate(parts)
                for id_ in ids
                if group.share is not None and group.share.holds(id_.service, id_.slo)
            ]
            assert len({*containing}) == 1
            assert len(containing) == len(ids)
            group = parts[containing[0]]
            assert {id_ for id_ in about(group) if id_ == slo.identity}
            assert [rule for rule in group.rules if isinstance(rule, WindowRatio)] == windows
            assert {c.identity for c in slo.components} <= {*about(group)}
    after = {repr(rule) for group in groups for rule in group.rules}
    assert after == {*before}
