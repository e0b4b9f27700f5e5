"""What compiles of the hostile manifests, on real servers: each tenant by itself.

Two Prometheus servers have the same series of all tenants, but for those of beta, which in one of
them are idle and in the other burn. What the rules of the hostile tenants record and fire must be
the same in both. Alertmanager gets all alerts of all tenants at once.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from cases import tool
from confinement import ALERTMANAGER, ROUTES, metrics, rules_of
from demo.servers import (
    Server,
    alertmanager,
    free_port,
    get_json,
    post_json,
    prometheus,
    query,
    wait_until,
)
from escapes import HOSTILE, OTHER, PROJECT, Case, classes, other

from slo_compiler import compile_text

HISTORY_SECONDS, STEP_SECONDS = 2 * 3600, 15
LEAD_SECONDS = 25  # from the data's end to now when the servers start
SETTLED_SECONDS = 40  # after the data's end and the servers' start; a base rate spans 1m15s
CONFIG = "global: {scrape_interval: 1m, evaluation_interval: 5s}\nrule_files: [RULES/*.yml]\n"
# From 10 s after the start on. At first a group may read what another has not recorded yet: in one
# server or in both, SLORulesNotEvaluated is pending then.
RECORDED = '{__name__=~"slo:.*|slo_info|ALERTS"}[25s]'
BASE = ("slo:events:rate", "slo:errors:rate")  # which depend on what is read at that moment alone
Samples = Mapping[float, str]  # by time


@cache
def hostile() -> Mapping[str, Case]:
    """Give the cases that compile, by a name each; not those with a project of their own."""
    cases = [case for one in classes() for case in one.cases]
    confined = [case for case in cases if not case.refused and not case.project]
    return {f"a{number}": case for number, case in enumerate(confined)}


@cache
def files() -> Mapping[str, str]:
    """Compile all of them at once, with beta."""
    manifests = {f"{n}.yaml": case.manifest.replace(HOSTILE, n) for n, case in hostile().items()}
    result = compile_text({**manifests, "beta.yaml": other()}, PROJECT)
    assert result.ok, result.diagnostics
    assert not result.skipped
    return result.artefacts


def exposition(end: int, *, burning: bool) -> Iterator[str]:
    """Write two hours of series of all tenants, of none, and of beta, idle or burning."""
    rates = dict.fromkeys((*hostile(), ""), (10, 1))
    rates[OTHER] = (900, 800) if burning else (3, 0)
    times = range(end - HISTORY_SECONDS, end + 1, STEP_SECONDS)
    yield "# TYPE requests counter"
    for tenant, (good, bad) in rates.items():
        for code, rate in (("200", good), ("500", bad)):
            labels = f'tenant="{tenant}",job="a",code="{code}"'
            for at in times:
                yield f"requests_total{{{labels}}} {rate * (at - times[0])} {at}"
    yield "# TYPE up gauge"
    for tenant, (good, _) in rates.items():
        for at in times:
            yield f'up{{tenant="{tenant}",job="a"}} {good} {at}'
    yield "# EOF\n"


def blocks(folder: Path, end: int, *, burning: bool) -> Path:
    """Make blocks of the series, for a server to read."""
    folder.mkdir()
    (folder / "in.txt").write_text("\n".join(exposition(end, burning=burning)), encoding="utf-8")
    promtool = tool("forky", "promtool")
    create = ("tsdb", "create-blocks-from", "openmetrics", "--quiet")
    command = [promtool, *create, "in.txt", "data"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "data"


def faster(text: str) -> str:
    """Let each group be evaluated every 5s."""
    return re.sub(r"(?m)^(    interval: ).*$", r"\g<1>5s", text)


def series(server: Server, at: int) -> dict[frozenset[tuple[str, str]], Samples]:
    """Give all that rules recorded and fired in the 25 s before a time."""
    return {
        frozenset(found["metric"].items()): dict(found["values"])
        for found in query(server.url, RECORDED, time=at)
    }


def of_metric(recorded: Mapping[frozenset[tuple[str, str]], Samples], *names: str) -> list[Any]:
    """Give the series of some metrics."""
    return [labels for labels in recorded if dict(labels)["__name__"] in names]


def answer(server: Server, expression: str, at: int) -> Any:  # noqa: ANN401  (JSON is any)
    """Evaluate an expression; an error is its answer, too."""
    try:
        found = query(server.url, expression, time=at)
    except OSError as error:
        return str(getattr(error, "__notes__", error))
    return sorted((sorted(each["metric"].items()), each["value"][1]) for each in found)


def test_rules_of_hostile_manifests_on_prometheus_read_and_write_their_tenants_series(
    tmp_path: Path,
) -> None:
    (tmp_path / "rules").mkdir()
    for name in hostile():
        text = faster(files()[f"prometheus/rules/{name}.yml"])
        (tmp_path / f"rules/{name}.yml").write_text(text, encoding="utf-8")
    config = tmp_path / "prometheus.yml"
    config.write_text(CONFIG.replace("RULES", str(tmp_path / "rules")), encoding="utf-8")
    # Budgets are new after each full ten minutes, and one group reads them before another.
    wait_until(lambda: time.time() % 600 < 480, 130, what="a time far from full ten minutes")
    end = int(time.time()) + LEAD_SECONDS
    worlds = [
        blocks(tmp_path / name, end, burning=name == "burning") for name in ("idle", "burning")
    ]
    binary = tool("forky", "prometheus")
    with ExitStack() as stack:
        idle, burning = (
            stack.enter_context(prometheus(binary, config, data, port=free_port()))
            for data in worlds
        )
        settled = max(end, int(time.time()) + 1) + SETTLED_SECONDS
        wait_until(lambda: time.time() > settled, SETTLED_SECONDS + 60, what="rules")
        at = settled - 5
        recorded, beside = series(idle, at), series(burning, at)

        # What was recorded: of the hostile tenants alone, and the same in both worlds.
        assert {*recorded} == {*beside}
        assert {dict(labels).get("tenant") for labels in recorded} == {*hostile()}
        counted, moments = of_metric(recorded, *BASE), 0
        for labels in counted:
            both = {*recorded[labels]} & {*beside[labels]}  # a busy machine leaves evaluations out
            moments += len(both)
            assert all(recorded[labels][each] == beside[labels][each] for each in both), labels
        assert len(counted) > len(hostile())
        assert moments > len(counted)
        assert len(of_metric(recorded, "ALERTS")) > len(hostile())

        # Each query by itself, before the data's end; without the matcher, it reads beta's series.
        differs = 0
        for name in hostile():
            for rule in rules_of(files(), name):
                expression = rule["expr"]
                if any(not metric.startswith("slo") for metric in metrics(expression)):
                    same = answer(idle, expression, end - 60) == answer(
                        burning, expression, end - 60
                    )
                    assert same, (hostile()[name].case, expression)
                    opened = expression.replace(f'tenant="{name}"', 'tenant!="x"')
                    differs += answer(idle, opened, end - 60) != answer(burning, opened, end - 60)
        assert differs > len(hostile()) // 2


def test_alerts_of_hostile_manifests_in_alertmanager_reach_and_inhibit_their_tenants_only(
    tmp_path: Path,
) -> None:
    config = tmp_path / "alertmanager.yml"
    config.write_text(files()[ALERTMANAGER], encoding="utf-8")
    expected = yaml.safe_load(files()[ROUTES])["routes"]
    binary = tool("forky", "prometheus-alertmanager")
    with alertmanager(binary, config, tmp_path / "data", port=free_port()) as server:
        alerts = f"{server.url}/api/v2/alerts"
        post_json(alerts, [{"labels": route["labels"]} for route in expected])
        number = len({tuple(sorted(route["labels"].items())) for route in expected})
        found = wait_until(lambda: _all(alerts, number), 30, what="all alerts")
    tenant_of = {alert["fingerprint"]: alert["labels"]["tenant"] for alert in found}
    assert {*tenant_of.values()} == {*hostile(), OTHER}
    inhibited = 0
    for alert in found:
        tenant = alert["labels"]["tenant"]
        for receiver in alert["receivers"]:
            assert receiver["name"].startswith((f"slo/{tenant}/", "slo-heartbeat")), alert
        sources = {tenant_of[each] for each in alert["status"]["inhibitedBy"]}
        waits = tenant != OTHER and "depends_on: [beta/" in hostile()[tenant].slo
        assert sources <= ({tenant, OTHER} if waits else {tenant}), alert
        inhibited += bool(sources)
    assert inhibited > len(hostile())


def _all(url: str, number: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get_json(url)
    return found if len(found) == number else []
