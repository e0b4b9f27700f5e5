"""The estimated cost of rules: by hand, and as docs/cost.md has measured it."""

from __future__ import annotations

import json
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
from cases import CASES, ROOT, compiled
from click.testing import CliRunner, Result

from slo_compiler import cost
from slo_compiler.cli import main
from slo_compiler.cost import Assumed, TenantCost
from slo_compiler.cost.catalogue import Catalogue
from slo_compiler.cost.model import Load
from slo_compiler.cost.reading import Reader
from slo_compiler.duration import Duration
from slo_compiler.emit.emitter import EvaluatedRules
from slo_compiler.live.client import RefusedError
from slo_compiler.live.series import count_series
from slo_compiler.plan.tenant import Identity
from slo_compiler.schema import ProjectSpec

MINUTE = Duration.of(minutes=1)
ONE_SLO = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {name: acme, owner: acme-sre}
spec:
  channels: [{name: hook, webhook: {url: "http://hooks.internal/acme"}}]
  escalation: [{severity: page, notify: [hook]}, {severity: ticket, notify: [hook]}]
  slos:
    - name: answers
      service: web
      objective: 99.9
      sli: {ratio: {errors: 'x_total{code="500"}', total: x_total}}
"""


def costs(case: str, target: str = "prometheus", assumed: Assumed = Assumed()) -> list[TenantCost]:  # noqa: B008
    whole = compiled(case)
    found = (
        cost.tenant_cost(planned, rules, whole.settings.spec, target, assumed)
        for planned, rules in zip(whole.plan.tenants, whole.rules, strict=True)
    )
    return [each for each in found if each is not None]


def read(expr: str, *, series: float = 10) -> Load:
    """Count what an expression reads, in a tenant whose rules are evaluated every 30 s."""
    whole = compiled("ratio")
    planned, rules = whole.plan.tenants[0], whole.rules[0]
    catalogue = Catalogue(EvaluatedRules(planned, rules, 5), Assumed())
    reader = Reader(
        catalogue, Assumed(series), None, 3, Duration.of(seconds=15), MINUTE, len(planned.groups)
    )
    loads = reader.read(expr).values()
    return Load(
        *(
            sum(getattr(load, name) for load in loads)
            for name in ("samples", "series", "reads", "steps")
        )
    )


@pytest.mark.processes
@pytest.mark.parametrize(
    ("expr", "samples"),
    [
        ("x", 10),
        ("x + x", 20),
        ("sum(x offset 1h)", 10),
        ("rate(x[1m])", 40),  # a sample every 15 s
        ("vector(time())", 0),
        # As Prometheus 2.42 and 3.5 count: the results of a subquery, not what its steps read.
        ("max_over_time(x[10m:1m])", 100),
        ("max_over_time(x[10m:])", 100),  # a step is the evaluation interval
        ("max_over_time(sum(x)[10m:1m])", 10),
        ("max_over_time(sum by (a) (x)[10m:1m])", 30),  # as many as the SLO has series
        ("max_over_time((x and on (a) sum(y))[10m:1m])", 100),
        ("max_over_time(max_over_time(x[5m:1m])[10m:1m])", 100),
        ("max_over_time((rate(x[1m]) or sum(y))[10m:1m])", 100),
        ("max_over_time((2 * x)[10m:1m])", 100),
        ("max_over_time((x > bool scalar(y))[10m:1m])", 100),
    ],
)
def test_samples_of_an_expression_are_what_prometheus_counts(expr: str, samples: float) -> None:
    assert read(expr).samples == pytest.approx(samples)


def test_an_expression_that_does_not_parse_reads_nothing() -> None:
    assert read("sum(") == Load()


def test_steps_of_subqueries_are_read_though_prometheus_does_not_count_them() -> None:
    nested = read("max_over_time(max_over_time(x[5m:1m])[10m:1m])")
    assert (nested.series, nested.reads, nested.steps) == (10, 0, 500)
    fixed = read("max_over_time((x and last_over_time(y[1m] @ end()))[10m:1m])")
    assert (fixed.steps, fixed.reads) == (100, 40)


@pytest.fixture
def approaches(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    monkeypatch.delitem(sys.modules, "approaches", raising=False)
    return runpy.run_path(str(ROOT / "benchmarks" / "approaches.py"))


def test_estimates_are_what_the_documentation_has_measured(approaches: dict[str, Any]) -> None:
    text = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| slo_compiler, (?:1 of (\d+), )?(\d+) series +\|( +[\d.]+ \|.*)\|$",
        text,
        flags=re.MULTILINE,
    )
    assert len(rows) == 5
    for slos, series, cells in rows:
        _, _, _, samples, milliseconds, *_ = (
            float(cell.replace(",", "")) for cell in cells.split("|")
        )
        number = int(slos or 1)
        planned = approaches["compiled"]({"acme": [f"web{n}" for n in range(number)]})
        spec = ProjectSpec.model_validate(
            {"prometheus": {"scrape_interval": "30s", "evaluation_interval": "30s"}}
        )
        # Half of the series are of errors.
        found = cost.tenant_cost(
            planned.plan.tenants[0],
            planned.rules[0],
            spec,
            assumed=Assumed(counted=_Halved(int(series))),
        )
        assert found is not None
        each = found.slos[0].usage
        assert each.samples_per_second * 30 == pytest.approx(samples, rel=0.001)
        assert each.cpu_ratio is not None
        assert each.cpu_ratio * 30_000 == pytest.approx(milliseconds, rel=1 / 3)


class _Halved(dict[Any, float]):
    """So many series for each selector; half of them for one that names a code."""

    def __init__(self, series: int) -> None:
        super().__init__()
        self.number = series

    def get(self, key: Any, default: Any = None) -> Any:  # noqa: ANN401, ARG002
        return self.number / 2 if any(m.name == "code" for m in key.matchers) else self.number


@pytest.mark.processes
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("target", cost.ENGINES)
def test_rules_and_samples_of_slos_add_up_to_those_of_their_tenant(case: str, target: str) -> None:
    for tenant in costs(case, target):
        usage, slos = tenant.usage, [each.usage for each in tenant.slos]
        assert len(slos) == len(tenant.planned.slos)
        assert sum(each.samples_per_second for each in slos) == pytest.approx(
            usage.samples_per_second
        )
        assert sum(each.series for each in slos) == pytest.approx(usage.series)
        assert sum(each.rules for each in slos) < usage.rules
        assert all(each.samples_per_second > 0 for each in slos)


@pytest.mark.parametrize("case", CASES)
def test_groups_that_are_split_for_mimir_record_the_same_series(case: str) -> None:
    whole = {each.planned.name: each.usage for each in costs(case)}
    for tenant in costs(case, "mimir"):
        one = whole[tenant.planned.name]
        assert tenant.usage.series == pytest.approx(one.series)
        assert tenant.usage.groups >= one.groups
        assert tenant.usage.recording_rules >= one.recording_rules


def test_vmalert_has_a_group_for_each_hop_and_no_measured_time() -> None:
    (usage,) = (each.usage for each in costs("ratio", "victoriametrics"))
    (own,) = (each.usage for each in costs("ratio"))
    assert usage.groups > own.groups
    assert usage.cpu_ratio is None
    assert (usage.recording_rules, usage.series) == (own.recording_rules, own.series)


def test_series_of_by_are_counted_for_each_combination() -> None:
    (one,), (many,) = costs("by"), costs("by", assumed=Assumed(values=7))
    of_one = {each.slo.identity.slo: each.usage for each in one.slos}
    for each in many.slos:
        # Constants, and the budget of all values together, are one series each.
        single, own = of_one[each.slo.identity.slo].series, each.usage.series
        assert 6 * (single - 7) < own - single < 6 * single


class Answering:
    """A Prometheus that has so many series for each query, or refuses."""

    def __init__(self, answers: dict[str, float | None], other: float) -> None:
        self.answers, self.other, self.queried = answers, other, list[str]()

    def connect(self) -> None:
        self.queried.append("time()")

    def number(self, expr: str) -> float | None:
        self.queried.append(expr)
        for part, answer in self.answers.items():
            if part in expr:
                if answer is None:
                    raise RefusedError("too many")
                return answer
        return self.other


def test_series_are_counted_by_the_server_where_it_answers() -> None:
    planned = compiled("by").plan.tenants
    client = Answering({"batch_runs": None, "sum by (region)": 4}, 12)
    found = count_series(client, planned, Assumed(5, 2))  # type: ignore[arg-type]  (its shape)
    assert {str(selector): number for selector, number in found.counted.items()} == {
        'web_logins_total{tenant="by"}': 12,
        'web_logins_total{failed="true",tenant="by"}': 12,
        'web_requests_total{tenant="by"}': 12,
        'web_requests_total{code=~"5..",tenant="by"}': 12,
    }
    assert found.combined(Identity("by", "web", "availability")) == 4
    assert found.combined(Identity("by", "batch", "jobs")) == 2  # refused, so assumed


def run(*arguments: str) -> Result:
    return CliRunner().invoke(
        main, ["cost", *arguments], prog_name="slo-compiler", catch_exceptions=False
    )


def test_the_table_has_the_dearest_first_and_says_what_it_assumes(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text(ONE_SLO, encoding="utf-8")
    done = run(str(tmp_path / "acme.yaml"), "--series", "20")
    assert done.exit_code == 0
    assert done.stdout == EXPECTED


def test_json_has_the_same_figures_as_data(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text(ONE_SLO, encoding="utf-8")
    done = run(str(tmp_path / "acme.yaml"), "--format", "json", "--target", "victoriametrics")
    found = json.loads(done.stdout)
    (tenant,) = found["tenants"]
    assert found["target"] == "victoriametrics"
    assert tenant["tenant"] == "acme"
    assert tenant["cpu_ratio"] is None
    assert [each["slo"] for each in tenant["slos"]] == ["web/answers"]
    assert {**tenant, "slos": [], "tenant": ""} == {**found["total"], "slos": [], "tenant": ""}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tenant", "acmee"], 'no tenant "acmee": did you mean "acme"?'),
        (["--target", "grafana"], 'no rules are evaluated for "grafana"'),
        (["--series", "-1"], "-1.0 is not in the range"),
        (["--live-header", "A: b"], "--live-header and --live-token-file need --live URL"),
        (["--live", "ftp://x"], "--live"),
    ],
)
def test_an_option_that_fits_nothing_is_a_usage_error(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    (tmp_path / "acme.yaml").write_text(ONE_SLO, encoding="utf-8")
    done = run(str(tmp_path / "acme.yaml"), *arguments)
    assert done.exit_code == 2
    assert words in done.stderr


def test_a_server_that_does_not_answer_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text(ONE_SLO, encoding="utf-8")
    done = run(str(tmp_path / "acme.yaml"), "--live", "http://127.0.0.1:9")
    assert done.exit_code == 1
    assert "error[live-unreachable] http://127.0.0.1:9:" in done.stderr
    assert done.stdout == ""


EXPECTED = """\
               recording  alerting  groups  series  samples/s      CPU
all                   25        10       5      25      162.7  0.0098%
acme                  25        10       5      25      162.7  0.0098%
  web/answers          5         4              25      162.7  0.0098%

series: 20 for each selector of an SLI (--series), 1 for each SLO with `by` (--values)
samples/s: as Prometheus counts them, in windows full of data, without active exclusions
CPU: of a core, for evaluation as docs/cost.md measures it; a whole server takes 2 to 3 times that
"""
