"""Real Prometheus servers are queried for a world in which all can be wrong."""

from __future__ import annotations

import json
import os
import re
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import promql_parser as pp
import pytest
from cases import ROOT
from click.testing import CliRunner, Result
from demo.servers import get_json
from live_world import Quiet, serving, world

from slo_compiler.cli import main
from slo_compiler.promql import walk

WORLD = ROOT / "tests/support/live_world"
EXPECTED = WORLD / "expected.txt"
TOKEN = "s3cr3t-t0k3n"  # noqa: S105  (of a server in this file)
GOOD = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {name: shop, owner: shop-sre}
spec:
  defaults:
    objective: 99.9
    period: 7d
    policy: sre-workbook-7d
    runbook: "https://runbooks.example/{service}"
  channels: [{name: hook, webhook: {url: "http://hooks.internal/shop"}}]
  escalation:
    - {severity: page, notify: [hook]}
    - {severity: ticket, notify: [hook]}
  slos:
    - name: availability
      service: checkout
      description: Requests answered without a server error
      sli:
        ratio:
          errors: http_requests_total{job="checkout", code=~"5.."}
          total: http_requests_total{job="checkout"}
          by: [code]
    - name: latency
      service: checkout
      description: Requests answered within 250 ms
      sli:
        latency: {histogram: http_duration_seconds, threshold: 250ms}
"""


@pytest.fixture(scope="module", params=["bookworm", "forky"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: ANN401
    with world(request.param, tmp_path_factory.mktemp("live")) as url:
        yield url


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SLO_COMPILER_TOOLS", os.environ.get("SLO_COMPILER_TOOLS", f"{ROOT}/.tools"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.chdir(tmp_path)
    for name in ("shop.yaml", "slo-compiler.yaml"):
        shutil.copy(WORLD / name, tmp_path)
    return tmp_path


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments], catch_exceptions=False)


def version(url: str) -> str:
    found = get_json(f"{url}/api/v1/status/buildinfo")["data"]["version"]
    return ".".join(found.split(".")[:2])


def declare(repo: Path, url: str) -> None:
    """Let the project declare the version that runs."""
    project = repo / "slo-compiler.yaml"
    project.write_text(project.read_text().replace('"3.5"', f'"{version(url)}"'))


def test_everything_that_is_wrong_is_reported_at_its_line(
    server: str, repo: Path, request: pytest.FixtureRequest
) -> None:
    declare(repo, server)
    done = check("--live", server)
    assert done.exit_code == 1
    findings = done.stderr.replace(server, "http://prometheus").replace(version(server), "3.5")
    findings = findings.replace('"2.42"', '"3.5"')
    # The edges of a range are closed in 2.x and open in 3.x.
    findings = re.sub(
        r"fell 2,8\d\d times in 1d, of 5,7\d\d changes", "fell N times in 1d", findings
    )
    if request.config.getoption("update_snapshots"):
        EXPECTED.write_text(findings, encoding="utf-8")
    assert findings == EXPECTED.read_text(encoding="utf-8")


def test_each_slo_has_a_line_with_what_was_found(server: str, repo: Path) -> None:  # noqa: ARG001
    head, *rows, last = check("--live", server).stdout.splitlines()
    assert head.split() == ["SLO", "selectors", "series", "events/day"]
    found = {row.split()[0]: row.split()[1:] for row in rows}
    selectors, series, events = found["shop/checkout/good"]
    assert (selectors, series) == ("2", "4")  # 200, 404 and 500, and 500 again
    assert int(events.replace(",", "")) == pytest.approx(12 * 86_400, rel=0.01)
    young = int(found["shop/traffic/young"][2].replace(",", ""))
    assert young == pytest.approx(86_400, rel=0.05)
    assert found["shop/missing/metric"] == ["2", "0", "-"]
    assert found["shop/labels/many"][1:] == ["121", "-"]  # too young to say what a day has
    assert re.fullmatch(r"73 selectors queried, 198 series found, with \d+ queries to .*", last)


def test_a_world_that_is_as_declared_has_no_findings(server: str, repo: Path) -> None:
    declare(repo, server)
    (repo / "shop.yaml").write_text(GOOD)
    done = check("--live", server, "--strict")
    assert done.stderr == "2 SLOs of 1 tenant: no errors, promtool and amtool agree\n"
    assert done.exit_code == 0


@pytest.mark.parametrize(("declared", "severity"), [("2.53", "warning"), ("3.9", "error")])
def test_another_version_than_declared(
    server: str, repo: Path, declared: str, severity: str
) -> None:
    project = repo / "slo-compiler.yaml"
    project.write_text(project.read_text().replace('"3.5"', f'"{declared}"'))
    (repo / "shop.yaml").write_text(GOOD)
    real = version(server)
    if declared == "2.53" and real == "2.42":
        severity = "error"
    first = next(line for line in check("--live", server).stderr.splitlines() if "[live" in line)
    assert first == (
        f"slo-compiler.yaml:5:3: {severity}[live-version] the project declares Prometheus "
        f"{declared}, but {server} is {real}"
    )


def test_findings_as_json(server: str, repo: Path) -> None:  # noqa: ARG001
    done = check("--live", server, "--format", "json")
    found = {(f["line"], f["id"]): f for f in json.loads(done.stdout)}
    assert found[27, "live-no-series"] == {
        "path": "shop.yaml",
        "line": 27,
        "column": 18,
        "end_column": 36,
        "severity": "error",
        "id": "live-no-series",
        "message": 'http_request_total with tenant="shop" has had no series for a day',
        "help": 'did you mean "http_requests_total"?',
    }


class FrontEnd(Quiet):
    """What is in front of a Prometheus as Mimir is: a prefix, a token, queries and no more."""

    upstream = ""
    queries: list[str] = []

    def do_GET(self) -> None:  # noqa: N802  (http.server's name)
        self.answer(b"")

    def do_POST(self) -> None:  # noqa: N802  (http.server's name)
        self.answer(self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, body: bytes) -> None:
        self.queries.append(body.decode() or self.path.partition("?")[2])
        given = self.headers.get("Authorization", "")
        if given != f"Bearer {TOKEN}":
            self.reply(401, b"not for " + given.encode())
        elif not self.path.startswith("/prometheus/api/v1/") or "/status/" in self.path:
            self.reply(404, b"404 page not found")
        elif b"resets" in body:
            error = {"status": "error", "errorType": "execution", "error": f"no {given}"}
            self.reply(422, json.dumps(error).encode())
        else:
            url = f"{self.upstream}{self.path.removeprefix('/prometheus')}"
            with urllib.request.urlopen(url, body or None, timeout=30) as response:
                self.reply(200, response.read())

    def reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def front_end(server: str, repo: Path) -> Iterator[str]:
    FrontEnd.queries = []
    (repo / "shop.yaml").write_text(GOOD)
    (repo / "token").write_text(f"{TOKEN}\n")
    FrontEnd.upstream = server
    with serving(FrontEnd) as url:
        yield f"{url}/prometheus"


@pytest.mark.parametrize("header", ["", "Authorization: Bearer wr0ng-t0k3n"])
def test_a_front_end_that_wants_a_token_is_an_error(front_end: str, header: str) -> None:
    done = check("--live", front_end, *(["--live-header", header] if header else []))
    assert done.exit_code == 1
    assert done.stderr == (
        "slo-compiler.yaml:5:3: error[live-unreachable] "
        f"{front_end}: HTTP 401 Unauthorized\n"
        '    5 |   prometheus: {version: "3.5", scrape_interval: 15s}\n'
        "          ^^^^^^^^^^\n"
        "      = give credentials: --live-token-file or --live-header\n"
        "1 error\n"
    )


@pytest.mark.parametrize(
    "credentials",
    [("--live-token-file", "token"), ("--live-header", f"Authorization: Bearer {TOKEN}")],
    ids=["file", "header"],
)
def test_a_front_end_without_status_pages_gets_all_other_queries(
    front_end: str, repo: Path, credentials: tuple[str, str]
) -> None:
    # A type is declared for what is scraped only: how often this counter fell is queried.
    done = check("--live", front_end, *credentials)
    assert TOKEN not in done.output
    assert [line for line in done.stderr.splitlines() if "[live-" in line] == [
        f"shop.yaml:{line}:13: error[live-refused] Prometheus refuses a query: no ***"
        for line in (15, 23)
    ]
    manifest = GOOD.replace("http_requests_total", "logins_total").replace('job="checkout", ', "")
    manifest = manifest.replace('job="checkout"', "").replace("by: [code]", "by: [job]")
    (repo / "shop.yaml").write_text(manifest.split("    - name: latency")[0])
    done = check("--live", front_end, *credentials)
    assert done.exit_code == 0, done.stderr


def test_no_question_is_about_another_tenant(front_end: str, repo: Path) -> None:
    shutil.copy(WORLD / "shop.yaml", repo)
    check("--live", front_end, "--live-token-file", "token")
    queries = [text for line in FrontEnd.queries for text in expressions(line)]
    selectors = [
        node
        for text in queries
        for node in walk(pp.parse(text))
        if isinstance(node, pp.VectorSelector)
    ]
    assert len(selectors) > 200
    tenants = [
        [(str(m.op), m.value) for m in node.matchers.matchers if m.name == "tenant"]
        for node in selectors
    ]
    # An empty label is of no tenant: a metric that the platform forgot to label.
    allowed = ("shop", "")
    assert all(t in [[("MatchOp.Equal", v)] for v in allowed] for t in tenants)


def expressions(parameters: str) -> list[str]:
    given = parse_qs(parameters)
    return given.get("query", []) + given.get("match[]", [])
