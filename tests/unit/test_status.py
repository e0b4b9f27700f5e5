"""The state of SLOs: sorted by danger, aligned, and read from whatever a server answers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from query_server import sample, serving

from slo_compiler.cli import main
from slo_compiler.live.client import Client, RefusedError, ServerError
from slo_compiler.schema.severity import BY_DEFAULT
from slo_compiler.status import FiringAlert, RunningRules, SLOStatus, Status, ask, compare
from slo_compiler.status.model import SLODanger
from slo_compiler.status.text import as_json, as_text, ordered

PAGE = FiringAlert("SLOErrorBudgetBurn", "page", "page-fast", "2026-11-26T14:29:29.861Z")
TICKET = FiringAlert("SLOErrorBudgetBurn", "ticket", "ticket-slow", "")
OTHER = FiringAlert("SLOErrorBudgetBurn", "critical", "page-fast", "")


def slo(name: str, **facts: Any) -> SLOStatus:  # noqa: ANN401  (of any field)
    given = {
        "objective": "99.9",
        "period": "30d",
        "stage": "live",
        "events": 5.0,
        "error_ratio": 0.0,
        "period_error_ratio": 0.0002,
        "burn_rates": {"1h": 0.0, "6h": 0.1},
        "budget_remaining": 0.8,
        "exhaustion": None,
    } | facts
    return SLOStatus("customer-a", "api", name, **given)


SLOS = [
    slo("fine"),
    slo("fine-with-less", budget_remaining=0.4),
    slo("burning", burn_rates={"1h": 3.0, "6h": 1.5}, exhaustion=86_400.0 * 9 + 3_600),
    slo("overspent", budget_remaining=-0.25, period_error_ratio=0.00125),
    slo("ticket", alerts=[TICKET]),
    slo("gone", events=None, error_ratio=None, burn_rates={}, budget_remaining=None),
    slo("page", alerts=[PAGE, TICKET], error_ratio=0.3, burn_rates={"1h": 259.2}, exhaustion=61.0),
    slo("shadow", stage="shadow", budget_remaining=0.9),
]


def test_slos_are_sorted_by_danger_then_by_what_is_left() -> None:
    assert [each.slo for each in ordered(SLOS, BY_DEFAULT)] == [
        "page",
        "gone",
        "ticket",
        "overspent",
        "burning",
        "fine-with-less",
        "fine",
        "shadow",
    ]


def test_alert_of_a_severity_that_the_project_lacks_is_taken_for_a_page() -> None:
    assert slo("x", alerts=[OTHER]).danger(BY_DEFAULT) is SLODanger.PAGE


def test_table_is_aligned_and_what_concerns_tenants_follows() -> None:
    of_rules = FiringAlert("SLORuleGroupFailing", "page", "rules-failing", "2026-11-26T14:00:00.5Z")
    status = Status(SLOS, {"customer-b": [of_rules]}, {}, 9)
    behind = [("customer-c", "its rules do not run")]
    assert "\n".join(as_text(status, BY_DEFAULT, behind)) == (
        """\
SLO                            objective  error ratio  in period    burn rate  spent in  budget                state
customer-a/api/page            99.9% 30d          30%      0.02%  259.2 in 1h     1m 1s  [########..]   80.0%  page: page-fast; ticket: ticket-slow
customer-a/api/gone            99.9% 30d            -      0.02%            -         -  -                     no data
customer-a/api/ticket          99.9% 30d           0%      0.02%    0.0 in 1h         -  [########..]   80.0%  ticket: ticket-slow
customer-a/api/overspent       99.9% 30d           0%     0.125%    0.0 in 1h         -  [..........]  -25.0%  overspent
customer-a/api/burning         99.9% 30d           0%      0.02%    3.0 in 1h     9d 1h  [########..]   80.0%  burning
customer-a/api/fine-with-less  99.9% 30d           0%      0.02%    0.0 in 1h         -  [####......]   40.0%
customer-a/api/fine            99.9% 30d           0%      0.02%    0.0 in 1h         -  [########..]   80.0%
customer-a/api/shadow          99.9% 30d           0%      0.02%    0.0 in 1h         -  [#########.]   90.0%  shadow

customer-b: SLORuleGroupFailing fires (page) since 2026-11-26 14:00:00 UTC
customer-c: its rules do not run"""  # noqa: E501
    )


def test_json_has_all_that_the_table_has_and_each_burn_rate() -> None:
    record = json.loads(as_json(Status(SLOS, {}, None, 9), BY_DEFAULT, [("customer-c", "late")]))
    first = record["slos"][0]
    assert (first["slo"], first["state"], first["burn_rates"]) == ("page", "page", {"1h": 259.2})
    assert first["alerts"][0]["since"] == PAGE.since
    assert record["behind"] == {"customer-c": "late"}


def test_rules_of_another_manifest_of_none_and_of_a_tenant_that_is_not_here_are_named() -> None:
    running = {
        "a": RunningRules("a", frozenset({"a.yaml sha256:0"})),
        "b": RunningRules("b", frozenset({"b.yaml sha256:0", "b.yaml sha256:1"})),
        "d": RunningRules("d", frozenset({"d.yaml sha256:0"})),
    }
    here = {"a": "a.yaml sha256:0", "b": "b.yaml sha256:1", "c": "c.yaml sha256:1"}
    assert [*compare(running, here)] == [
        (
            "b",
            (
                "the rules that run are of b.yaml sha256:0 and b.yaml sha256:1; "
                "here it is b.yaml sha256:1"
            ),
        ),
        ("c", "its rules do not run"),
        ("d", "its rules run, and no manifest here declares it (d.yaml sha256:0)"),
    ]


# --- what servers answer


def many(query: str) -> list[dict[str, Any]]:
    """A thousand SLOs, with no data, and one ALERTS series."""
    ids = [{"tenant": f"t{n % 10}", "service": "api", "slo": f"s{n}"} for n in range(1000)]
    if query.startswith("slo_info"):
        return [sample(1, **each, objective="99.9", period="30d", stage="live") for each in ids]
    if query.startswith("ALERTS"):
        return [sample(1, **ids[7], alertname="X", tier="page-fast", severity="page")]
    return []


def test_number_of_queries_does_not_depend_on_the_number_of_slos() -> None:
    with serving(many) as (url, queries):
        found = ask(Client(url))
    assert len(found.slos) == 1000
    assert len(queries) < 12


def test_server_without_rules_is_queried_for_the_series_of_alerts() -> None:
    with serving(many) as (url, _):
        found = ask(Client(url), ["t7"])
    assert found.running is None
    (alerting,) = [each for each in found.slos if each.alerts]
    assert (alerting.slo, alerting.alerts[0].tier) == ("s7", "page-fast")


def test_tenants_are_selected_by_a_matcher() -> None:
    with serving(lambda _: []) as (url, queries):
        ask(Client(url), ["a", 'b.c"'])
    assert queries[1] == r'slo_info{tenant=~"a|b\\.c\""}'


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=10,
)
LABELS = st.dictionaries(
    st.sampled_from(["tenant", "service", "slo", "period", "__name__", "tier", "objective"]),
    st.sampled_from(["a", "", "30d", "0d", "month", '"}', "slo:burn_rate:ratio1h", "\x1b[31m"]),
)
ALERT = st.fixed_dictionaries(
    {}, optional={"state": st.just("firing") | JSON, "labels": LABELS | JSON, "annotations": JSON}
)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(LABELS, st.sampled_from(["1", "NaN", "-Inf", "x"])), max_size=4),
    st.none() | st.fixed_dictionaries({"alerts": st.lists(ALERT | JSON, max_size=3) | JSON}) | JSON,
)
def test_whatever_a_server_answers_is_printed_or_refused(
    samples: list[tuple[dict[str, str], str]], alerts: object
) -> None:
    with serving(lambda _: [sample(v, **labels) for labels, v in samples], alerts) as (url, _):
        try:
            found = ask(Client(url))
        except (ServerError, RefusedError):
            return
    text = "\n".join(as_text(found, BY_DEFAULT, ()))
    assert "\x1b" not in text
    json.loads(as_json(found, BY_DEFAULT, ()))


# --- the command


def status(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["status", *arguments], catch_exceptions=False)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_exit_code_is_1_for_alerts_and_missing_data_only_where_it_is_asked_for() -> None:
    with serving(many) as (url, _):
        assert status("--prometheus", url).exit_code == 0
        done = status("--prometheus", url, "--exit-code")
    assert done.exit_code == 1
    assert re.fullmatch(
        r"not compared with manifests: no project file here or above\n"
        r"1000 SLOs of 10 tenants: 1 with a page and 999 without data \([0-9]+ queries; "
        r"the server has no alerts of its own\)\n",
        done.stderr,
    )


def test_server_that_has_recorded_nothing_is_named() -> None:
    with serving(lambda _: []) as (url, _):
        done = status("--prometheus", url, "--exit-code", "--tenant", "a")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1] == f"{url} has recorded no SLO of a: are the rules loaded?"


def test_server_that_does_not_answer_is_an_error() -> None:
    with serving(lambda _: []) as (url, _):
        pass
    done = status("--prometheus", url)
    assert done.exit_code == 1
    assert f"error: {url}: " in done.stderr


def test_url_with_credentials_is_refused_with_the_option_to_use() -> None:
    done = status("--prometheus", "http://user:secret@prometheus:9090")
    assert done.exit_code == 2
    assert "use --header" in done.stderr
    assert "secret" not in done.stderr.partition("Error")[2]


def test_manifests_with_errors_are_not_compared(tmp_path: Path) -> None:
    (tmp_path / "slo-compiler.yaml").write_text(
        "apiVersion: slo-compiler/v1\nkind: Project\nspec: {sources: [tenants/]}\n",
        encoding="utf-8",
    )
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants/a.yaml").write_text("kind: [", encoding="utf-8")
    with serving(lambda _: []) as (url, _):
        done = status("--prometheus", url)
    assert "not compared with manifests: these have errors; run slo-compiler check" in done.stderr
