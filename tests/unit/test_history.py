"""A new SLO that may be an old one under another name is pointed out, once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from slo_compiler import history, naming
from slo_compiler.cli import main
from slo_compiler.diagnostics import Report

HEAD = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {name: customer-a, owner: sre}
spec:
  channels:
    - {name: chat, webhook: {url: "http://chat.internal/a"}}
  escalation:
    - {severity: page, notify: [chat]}
    - {severity: ticket, notify: [chat]}
  slos:
"""
SLO = """\
    - name: NAME
      service: SERVICE
      objective: 99.9
      sli: {ratio: {errors: SERVICE_errors_total, total: SERVICE_events_total}}
"""


def compiled(repo: Path, *slos: str) -> list[str]:
    """Compile SLOs, each as `service/name` with lines of its own after it; gives the findings."""
    text = HEAD
    for slo in slos:
        identity, *more = slo.split("\n")
        service, _, name = identity.partition("/")
        text += SLO.replace("SERVICE", service).replace("NAME", name)
        text += "".join(f"      {line}\n" for line in more)
    (repo / "a.yaml").write_text(text, encoding="utf-8")
    done = CliRunner().invoke(
        main,
        ["compile", str(repo / "a.yaml"), "-o", str(repo / "out"), "--format", "json"],
        env={"PATH": "/nonexistent", "CI": "true"},
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    return [
        f"{found['line']}: {found['message']}; {found['help']}"
        for found in json.loads(done.stdout)
        if found["id"] == "slo-replaced"
    ]


@pytest.mark.processes
def test_new_slo_in_place_of_one_that_is_gone_is_pointed_out_once(tmp_path: Path) -> None:
    assert compiled(tmp_path, "api/availability", "api/latency") == []
    found = [
        (
            "15: customer-a/api/availability is gone and this SLO is new: its budget begins "
            "afresh; if it is the same SLO, write formerly: availability to keep its history"
        )
    ]
    renamed = ("api/latency", "api/available")
    assert compiled(tmp_path, *renamed) == found
    assert compiled(tmp_path, *renamed) == []


@pytest.mark.processes
@pytest.mark.parametrize(
    ("before", "after", "former"),
    [
        (["api/availability"], ["shop/availability"], "api/availability"),
        (["api/up", "api/slow-p99"], ["api/slow-p95", "api/up"], "slow-p99"),
        (["api/a"], ["api/b", "shop/a"], "a"),
    ],
    ids=["service", "most-alike", "same-service-first"],
)
def test_replaced_slo_is_found_by_service_name_and_likeness(
    tmp_path: Path, before: list[str], after: list[str], former: str
) -> None:
    compiled(tmp_path, *before)
    (found,) = compiled(tmp_path, *after)
    assert f"write formerly: {former} to" in found


@pytest.mark.processes
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["api/a"], ["api/a", "api/b"]),
        (["api/a", "api/b"], ["api/a"]),
        (["api/a"], ["api/b\nformerly: a"]),
        (["api/a"], ["shop/b\nformerly: api/a"]),
        (["api/a", "api/c"], ["api/b\nformerly: a"]),
        (["api/a"], ["shop/b"]),
    ],
    ids=["added", "removed", "renamed", "moved", "renamed-and-removed", "unrelated"],
)
def test_slo_that_replaces_none_is_not_pointed_out(
    tmp_path: Path, before: list[str], after: list[str]
) -> None:
    compiled(tmp_path, *before)
    assert compiled(tmp_path, *after) == []


@pytest.mark.processes
def test_record_names_each_tenants_slos(tmp_path: Path) -> None:
    compiled(tmp_path, "api/latency", "api/availability")
    record = json.loads((tmp_path / "out" / naming.LOCK_FILE).read_text("utf-8"))
    assert record["slos"] == {"customer-a": ["api/availability", "api/latency"]}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(JSON)
def test_any_edited_record_is_read_without_an_exception(recorded: object) -> None:
    report = Report()
    history.check(recorded, (), report)
    assert not report.diagnostics
