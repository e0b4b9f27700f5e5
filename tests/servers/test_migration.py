"""The way from Sloth and from Pyrra, step by step, as their pages have it, on a real Prometheus.

Both tools' rules are loaded, then ours alone. At each step no rule fails, and each query of the
tool's dashboards finds one series for each SLO that it lists.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from cases import ROOT, tool
from click.testing import CliRunner
from demo.servers import Server, free_port, get_json, prometheus, query, wait_until
from oracle.engine import Engine

from slo_compiler import naming
from slo_compiler.cli import main

PROJECT = """\
apiVersion: slo-compiler/v1
kind: Project
spec:
  alertmanager: {heartbeat: {webhook: {url: "http://127.0.0.1:9/beat"}}}
"""
SUPPORT = ROOT / "tests/support"
ENDING = naming.ALONGSIDE


@dataclass(frozen=True, slots=True)
class Migration:
    """A tool, its files and its rules, one SLO of them, and what its dashboards ask of it."""

    tool: str
    files: Path
    rules: Path
    identity: tuple[str, str]  # service and SLO
    counters: tuple[tuple[dict[str, str], int], ...]  # with what each grows by in 15 s
    ratio: float
    queries: dict[str, float]  # with NAME and SERVICE to be filled in; and the value
    listing: str  # all SLOs of a dashboard
    label: str


_SLOTH = '{sloth_service="SERVICE",sloth_slo="NAME"}'
_PYRRA = '{slo="NAME"}'
SLOTH = Migration(
    "sloth",
    SUPPORT / "sloth_rules/spec.yml",
    SUPPORT / "sloth_rules/rules-30d.yml",
    ("shop", "availability"),
    (
        ({"__name__": "http_requests_total", "job": "shop", "code": "200"}, 9_995),
        ({"__name__": "http_requests_total", "job": "shop", "code": "500"}, 5),
    ),
    0.0005,
    {
        f"slo:sli_error:ratio_rate5m{_SLOTH}": 0.0005,
        f"slo:sli_error:ratio_rate1h{_SLOTH}": 0.0005,
        f"slo:sli_error:ratio_rate3d{_SLOTH}": 0.0005,
        f"slo:sli_error:ratio_rate30d{_SLOTH}": 0.0005,
        f"slo:objective:ratio{_SLOTH}": 0.999,
        f"slo:error_budget:ratio{_SLOTH}": 0.001,
        f"slo:time_period:days{_SLOTH}": 30,
        f"slo:current_burn_rate:ratio{_SLOTH}": 0.5,
        f"slo:period_burn_rate:ratio{_SLOTH}": 0.5,
        f"slo:period_error_budget_remaining:ratio{_SLOTH}": 0.5,
        f"sloth_slo_info{_SLOTH}": 1,
    },
    'sloth_slo_info{sloth_slo=~"availability.*"}',
    "sloth_slo",
)
PYRRA = Migration(
    "pyrra",
    SUPPORT / "pyrra_rules/slo.yml",
    SUPPORT / "pyrra_rules/rules.yml",
    ("pay", "payments"),
    (
        ({"__name__": "payments_total", "job": "pay"}, 10_000),
        ({"__name__": "payments_failed_total", "job": "pay"}, 25),
    ),
    0.0025,
    {
        f"pyrra_objective{_PYRRA}": 0.99,
        f"pyrra_window{_PYRRA}": 2_419_200,
        f"pyrra_availability{_PYRRA}": 0.9975,
        f"(pyrra_availability{_PYRRA} - pyrra_objective{_PYRRA})"
        f" / (1 - pyrra_objective{_PYRRA})": 0.75,
        f"pyrra_requests:rate5m{_PYRRA}": 10_000 / 15,
        f"pyrra_errors:rate5m{_PYRRA}": 25 / 15,
        f"payments:burnrate5m{_PYRRA}": 0.0025,
        f"payments:burnrate4d{_PYRRA}": 0.0025,
    },
    "pyrra_objective",
    "slo",
)
EACH = pytest.mark.parametrize("way", [SLOTH, PYRRA], ids=lambda way: way.tool)


@EACH
def test_dashboards_find_each_slo_at_each_step(
    way: Migration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(naming.PROJECT_FILE).write_text(PROJECT, encoding="utf-8")
    service, name = way.identity

    done = CliRunner().invoke(main, _commands(way)[0])
    assert done.exit_code == 0, done.stderr
    manifest = Path("tenants/shop.yaml")
    text = manifest.read_text(encoding="utf-8")
    assert f"{way.tool}: alongside" in text
    on_trial = text.replace(f"name: {name}\n", f"name: {name}\n    stage: shadow\n")
    assert on_trial != text
    manifest.write_text(on_trial, encoding="utf-8")
    _compiled()

    with _running(way, way.rules, Path("generated") / naming.rules_file("shop")) as server:
        _await(server, way, service, name)
        ours = (service + ENDING if way.tool == "sloth" else service, name + ENDING)
        _await(server, way, *ours)
        found = query(server.url, way.listing)
        assert sorted(each["metric"][way.label] for each in found) == [name, name + ENDING]
        _no_rule_fails(server)
        if way.tool == "pyrra":  # its list of all SLOs joins by all labels
            listed = "(pyrra_availability - pyrra_objective) / (1 - pyrra_objective)"
            assert len(query(server.url, listed)) == len(found)
            # As the detail dashboard has it: empty for labels beside `slo`, be they Pyrra's own.
            by_name = listed.replace(" - ", " - on(slo) ", 1)
            assert query(server.url, by_name) == []

    manifest.write_text(text.replace(": alongside", ": instead"), encoding="utf-8")
    _compiled()
    with _running(way, Path("generated") / naming.rules_file("shop")) as server:
        _await(server, way, service, name)
        (only,) = query(server.url, way.listing)
        assert only["metric"][way.label] == name
        assert only["metric"]["tenant"] == "shop"
        _no_rule_fails(server)


@EACH
def test_readers_find_two_series_with_instead_while_the_rules_of_the_tool_are_loaded(
    way: Migration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(naming.PROJECT_FILE).write_text(PROJECT, encoding="utf-8")
    command = [part.replace("alongside", "instead") for part in _commands(way)[0]]
    assert CliRunner().invoke(main, command).exit_code == 0
    _compiled()
    with _running(way, way.rules, Path("generated") / naming.rules_file("shop")) as server:
        filled = _filled(next(iter(way.queries)), *way.identity)
        assert wait_until(lambda: len(query(server.url, filled)) == 2, timeout=60)


def _commands(way: Migration) -> list[list[str]]:
    """Give the commands of the tool's page, with the fixture's files and tenant."""
    page = (ROOT / f"docs/migrate-{way.tool}.md").read_text(encoding="utf-8")
    steps = page[page.index("## Step by step") :]
    found = re.findall(r"(?m)^ +slo-compiler (import .*)$", steps)
    assert found
    named = {"slos/": str(way.files), "checkout": "shop"}
    return [[named.get(part, part) for part in line.split()] for line in found]


def _compiled() -> None:
    done = CliRunner().invoke(main, ["compile"])
    assert done.exit_code == 0, done.stderr


@contextmanager
def _running(way: Migration, *files: Path) -> Iterator[Server]:
    """Run Prometheus on rules that are evaluated each second, with an hour of counters."""
    folder = Path(f"server-{len(files)}").absolute()
    folder.mkdir()
    for number, file in enumerate(files):
        text = re.sub(r"(?m)^( +)interval: .*$", r"\1interval: 1s", file.read_text("utf-8"))
        (folder / f"rules-{number}.yml").write_text(text, encoding="utf-8")
    config = folder / "prometheus.yml"
    settings = {
        "global": {"evaluation_interval": "1s"},
        "rule_files": [f"{folder}/rules-*.yml"],
        "storage": {"tsdb": {"out_of_order_time_window": "1d"}},
    }
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    extra = ("--web.enable-remote-write-receiver",)
    binary = tool("forky", "prometheus")
    with prometheus(binary, config, folder / "data", port=free_port(), extra_args=extra) as server:
        engine = Engine(server.url)
        engine.write(_past(way))
        try:
            yield server
        finally:
            engine.close()


def _past(way: Migration) -> Iterator[tuple[tuple[tuple[str, str], ...], list[tuple[int, float]]]]:
    now = int(time.time()) * 1000
    stamps = range(now - 3_600_000, now + 240_000, 15_000)  # and the minutes of the test
    for labels, step in way.counters:
        samples = [(at, float(number * step)) for number, at in enumerate(stamps)]
        yield tuple({**labels, "tenant": "shop"}.items()), samples
    service, name = way.identity
    identity = {"tenant": "shop", "service": service, "slo": name}
    last = now - now % 600_000
    for counted, each in (("events", 400_000.0), ("errors", 400_000.0 * way.ratio)):
        labels = {"__name__": f"slo:{counted}:increase10m", **identity}
        yield tuple(labels.items()), [(last - 600_000, each), (last, each)]


def _filled(text: str, service: str, name: str) -> str:
    return text.replace("SERVICE", service).replace("NAME", name)


def _await(server: Server, way: Migration, service: str, name: str) -> None:
    """Wait until each query gives one series with the right value."""
    for text, value in way.queries.items():
        filled = _filled(text, service, name)

        def right(filled: str = filled, value: float = value) -> bool:
            found = query(server.url, filled)
            return len(found) == 1 and float(found[0]["value"][1]) == pytest.approx(value, rel=0.01)

        try:
            wait_until(right, timeout=100)
        except TimeoutError:
            pytest.fail(f"{filled}: {query(server.url, filled)}, expected {value}")


def _no_rule_fails(server: Server) -> None:
    groups = get_json(f"{server.url}/api/v1/rules")["data"]["groups"]
    failing = {
        rule["name"]: rule["lastError"]
        for group in groups
        for rule in group["rules"]
        if rule["health"] == "err"
    }
    assert failing == {}
    logged = server.log_path.read_text(encoding="utf-8")
    assert "duplicate" not in logged
