"""Servers that are down, slow or no Prometheus: one error, never a traceback, never a secret."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from cases import ROOT, compiled, tool
from click.testing import CliRunner, Result
from demo.servers import free_port, prometheus
from live_world import Quiet, serving

from slo_compiler import live
from slo_compiler.cli import main
from slo_compiler.diagnostics import Position, Report
from slo_compiler.live import client as client_module
from slo_compiler.live.client import Client
from slo_compiler.live.options import base_url, header, token_header
from slo_compiler.live.selectors import subject
from slo_compiler.naming import ERRORS_RATE, EVENTS_RATE
from slo_compiler.plan.tenant import tenant_timing
from slo_compiler.render import Rule
from slo_compiler.schema import PrometheusSpec

SECRET = "s3cr3t-t0k3n"  # noqa: S105  (of no server)
AT = Position("slo-compiler.yaml")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def ask(url: str, case: str = "ratio-errors", timeout: float = 10) -> list[str]:
    """Ask about a case's SLOs; gives the findings, a line each, without the URL."""
    done, report = compiled(case), Report()
    asked = Client(url, [("Authorization", f"Bearer {SECRET}")], timeout)
    live.ask(asked, done.plan.tenants, PrometheusSpec(), AT, report, lambda _step: None)
    found = [f"{d.severity}[{d.id}] {d.message} = {d.help}" for d in report.diagnostics]
    assert SECRET not in "".join(found)
    return [line.replace(url, "URL") for line in found]


@contextmanager
def answering(*packets: bytes, pause: float = 0) -> Iterator[str]:
    """Answer each connection with some bytes, whatever it asks, and end it."""
    stop = threading.Event()

    def serve(listener: socket.socket) -> None:
        while not stop.is_set():
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1 << 16)
                    for packet in packets:
                        connection.sendall(packet)
                        stop.wait(pause)
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(1 << 16)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stop.set()
            thread.join()


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def success(data: object) -> bytes:
    return http(json.dumps({"status": "success", "data": data}).encode())


FOREIGN = (
    "error[live-unreachable] URL: the answer is not Prometheus' = "
    "is this the URL that /api/v1/query follows?"
)
NO_HTTP = (
    "error[live-unreachable] URL: the answer is not HTTP, or ends too early = "
    "is it running, and reachable from here?"
)
ANSWERS = {
    "a web page": (http(b"<html>Welcome</html>"), FOREIGN),
    "nothing": (http(b""), FOREIGN),
    "not text": (http(b"\xff\xfe\x00"), FOREIGN),
    "JSON of another kind": (http(b'{"hello": "world"}'), FOREIGN),
    "a list": (http(b"[1, 2]"), FOREIGN),
    "deep JSON": (http(b"[" * 200_000), FOREIGN),
    "a long number": (http(b"1" * 10_000), FOREIGN),
    "no result": (success({"resultType": "scalar"}), FOREIGN),
    "a result of another type": (success({"result": {"a": 1}}), FOREIGN),
    "a time that is none": (success({"result": [0, "soon"]}), FOREIGN),
    "an infinite time": (success({"result": [0, "Inf"]}), FOREIGN),
    "not HTTP": (b"220 mail.example ESMTP\r\n", NO_HTTP),
    "an end": (b"", NO_HTTP),
    "half an answer": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", FOREIGN),
    "an error of a proxy": (
        http(b"oops", "502 Bad Gateway"),
        (
            "error[live-unreachable] URL: HTTP 502 Bad Gateway = "
            "is this the URL that /api/v1/query follows?"
        ),
    ),
    "another path": (
        http(b"404 page not found", "404 Not Found"),
        (
            "error[live-unreachable] URL: HTTP 404 Not Found = "
            "is this the URL that /api/v1/query follows?"
        ),
    ),
    "a login": (
        http(b"", "401 Unauthorized"),
        (
            "error[live-unreachable] URL: HTTP 401 Unauthorized = "
            "give credentials: --live-token-file or --live-header"
        ),
    ),
    "an echo of the token": (
        http(b"", f"403 no Bearer {SECRET}"),
        (
            "error[live-unreachable] URL: HTTP 403 no *** = "
            "give credentials: --live-token-file or --live-header"
        ),
    ),
    "a redirect": (
        http(b"", "302 Found", "Location: http://127.0.0.1:1/login"),
        (
            "error[live-unreachable] URL: HTTP 302 Found, a redirect, which is not followed = "
            "give the URL that it leads to, if that is the Prometheus you mean"
        ),
    ),
    "Prometheus' own error": (
        http(b'{"status": "error", "errorType": "internal", "error": "no\\u001b disk"}', "500 Oh"),
        "error[live-unreachable] URL: no\x1b disk = ",
    ),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_an_answer_that_is_no_answer_is_one_error(what: str) -> None:
    answer, expected = ANSWERS[what]
    with answering(answer) as url:
        assert ask(url) == [expected]


def test_no_server_listens() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert ask(url) == [
        "error[live-unreachable] URL: Connection refused = is it running, and reachable from here?"
    ]


def test_a_host_name_that_does_not_exist() -> None:
    (found,) = ask("http://prometheus.invalid:9090")
    assert found.startswith("error[live-unreachable] URL: ")


@pytest.mark.parametrize(
    "packets",
    [
        (b"",) * 900,
        (http(b"x" * 1000)[:-900], *(b"x",) * 900),
        (b"HTTP/1.1 200 OK\r\n", *(b"X-Slow: 1\r\n",) * 900),
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", *(b"x",) * 900),
        (b"H", *(b"T",) * 900),
        (http(b"x" * 1000, "503 Busy")[:-900], *(b"x",) * 900),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *(b"1\r\nx\r\n",) * 900),
        (b"HTTP/1.1 100 Continue\r\n\r\n",) * 900,
    ],
    ids=["hangs", "body", "headers", "header", "status", "error", "chunks", "continues"],
)
def test_client_with_a_slow_answer_gives_up_at_the_deadline(packets: tuple[bytes, ...]) -> None:
    start = time.monotonic()
    with answering(*packets, pause=0.1) as url:
        assert ask(url, timeout=0.5) == [
            (
                "error[live-unreachable] URL: no answer within 0.5 s = "
                "is it running, and reachable from here?"
            )
        ]
    assert time.monotonic() - start < 45  # of 90 s that the answer takes


def test_client_with_a_tls_handshake_that_drips_gives_up_at_the_deadline() -> None:
    # The head of a record of 16 KiB, of which each byte takes a tenth of a second.
    with answering(b"\x16\x03\x03\x40\x00\x02", *(b"\0",) * 900, pause=0.1) as url:
        start = time.monotonic()
        (found,) = ask(url.replace("http:", "https:"), timeout=0.5)
        assert "no answer within 0.5 s" in found
        assert time.monotonic() - start < 45  # of 90 s that the answer takes


@pytest.mark.parametrize("status", ["301 Moved", "307 Temporary", "308 Permanent"])
def test_client_with_a_redirect_queries_no_other_server(status: str) -> None:
    asked = []

    class Other(Quiet):
        def do_GET(self) -> None:  # noqa: N802  (http.server's name)
            asked.append(self.path)

        do_POST = do_GET  # noqa: N815  (http.server's name)

    with serving(Other) as other:
        with answering(http(b"", status, f"Location: {other}/api/v1/query")) as url:
            (found,) = ask(url)
        assert "a redirect, which is not followed" in found
    assert asked == []


def test_an_answer_that_never_ends_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MAX_BYTES", 1 << 20)
    with answering(b"HTTP/1.1 200 OK\r\n\r\n", *(b"x" * (1 << 16),) * 100) as url:
        assert ask(url) == ["error[live-unreachable] URL: the answer is larger than 1 MiB = "]


class Broken(Quiet):
    """A server that knows the time, and answers everything else as configured."""

    status = 200
    data: object = None

    def do_GET(self) -> None:  # noqa: N802  (http.server's name)
        self.answer()

    def do_POST(self) -> None:  # noqa: N802  (http.server's name)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if b"time%28%29&" in body:
            self.answer(200, {"status": "success", "data": {"result": [0, "1700000000"]}})
        else:
            self.answer()

    def answer(self, status: int = 0, data: object = None) -> None:
        content = json.dumps(data or self.data).encode()
        self.send_response(status or self.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def broken(status_: int, data_: object) -> type[Broken]:
    class Told(Broken):
        status = status_
        data = data_

    return Told


@pytest.mark.parametrize(
    "result",
    [7, [7], [{}], [{"metric": [], "value": [0, "1"]}], [{"metric": {}, "value": 1}], [[]]],
)
def test_garbage_after_a_good_start(result: object) -> None:
    """Whatever the shape of a result, it is foreign or empty: the words differ, no crash."""
    handler = broken(200, {"status": "success", "data": {"result": result}})
    with serving(handler) as url:
        found = ask(url, "latency")
    assert found
    assert all(line.startswith(("error[live-unreachable]", "error[live-no-s")) for line in found)


def test_status_pages_that_hold_anything() -> None:
    garbage = {"result": [], "version": 3, "storageRetention": ["x"], "query.lookback-delta": {}}
    with serving(broken(200, {"status": "success", "data": garbage})) as url:
        found = ask(url)
    assert {line.split("]")[0] for line in found} == {
        "error[live-no-series",
        "warning[live-no-series",
    }


def test_each_query_that_is_refused_is_reported_at_its_slo() -> None:
    data = {"status": "error", "errorType": "execution", "error": "too many samples"}
    with serving(broken(422, data)) as url:
        assert ask(url) == ["error[live-refused] Prometheus refuses a query: too many samples = "]


def test_answers_of_which_a_part_is_missing() -> None:
    data = {
        "status": "success",
        "data": {"result": []},
        "warnings": ["store-3 is down", "PromQL x"],
    }
    with serving(broken(200, data)) as url:
        found = [line for line in ask(url) if "live-partial" in line]
    assert found == [
        "warning[live-partial] URL: store-3 is down = what is reported as missing may be there"
    ]


def test_a_server_that_forgets_between_two_evaluations(tmp_path: Path) -> None:
    config = tmp_path / "prometheus.yml"
    config.write_text("")
    extra = ("--query.lookback-delta=1m",)
    binary, port = tool("forky", "prometheus"), free_port()
    with prometheus(binary, config, tmp_path / "data", port=port, extra_args=extra) as server:
        found = [line for line in ask(server.url) if "live-look-back" in line]
    assert found == [
        (
            "error[live-look-back] URL forgets a series 1m after its last sample, but rules record "
            "theirs every 2m30s = start it with --query.lookback-delta=2m30s or more; its default "
            "is 5m"
        )
    ]


# --- options


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prometheus:9090", "such as http"),
        ("file:///etc/passwd", "such as http"),
        ("http://", "such as http"),
        ("http://a b", "such as http"),
        ("http://a\nb", "such as http"),
        ("http://user@host", "credentials"),
        ("http://host/?q=1", "without"),
        ("http://host/#x", "without"),
        ("http://host:99999", "[Pp]ort"),
    ],
)
def test_urls_that_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        base_url(text, "--live-header")


def test_a_url_may_have_a_path() -> None:
    assert (
        base_url("https://mimir.internal/prometheus/", "--header")
        == "https://mimir.internal/prometheus"
    )


@pytest.mark.parametrize("text", ["", "X", "X y", ": x", "X-A: a\r\nX-B: b", "X: ", "X: \xe4"])
def test_headers_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a header"):
        header(text)


def test_headers_and_tokens(tmp_path: Path) -> None:
    assert header(" X-Scope-OrgID: a|b ") == ("X-Scope-OrgID", "a|b")
    (tmp_path / "token").write_text(f"{SECRET}\n")
    assert token_header(tmp_path / "token") == ("Authorization", f"Bearer {SECRET}")
    (tmp_path / "token").write_text("two words")
    with pytest.raises(ValueError, match="a token and nothing else"):
        token_header(tmp_path / "token")


def run(folder: Path, *arguments: str) -> Result:
    manifest = str(ROOT / "tests/support/manifests/ratio-errors.yaml")
    tools = os.environ.get("SLO_COMPILER_TOOLS", f"{ROOT}/.tools")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SLO_COMPILER_TOOLS", tools)
        return CliRunner().invoke(main, ["check", manifest, *arguments], catch_exceptions=False)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--live", f"http://user:{SECRET}@host"),
        ("--live", "http://host", "--live-header", SECRET),
        ("--live-header", f"Authorization: {SECRET}"),
        ("--live", "http://host", "--live-token-file", "absent"),
    ],
)
def test_usage_errors_repeat_no_secret(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run(tmp_path, *arguments)
    assert done.exit_code == 2
    assert "Error: " in done.stderr
    assert SECRET not in done.output


def test_without_a_project_the_finding_still_has_a_place(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    done = run(tmp_path, "--live", url, "--format", "github")
    assert (done.exit_code, done.stderr) == (1, "")
    assert done.stdout.splitlines()[-1] == (
        "::error file=slo-compiler.yaml,line=1,col=1,endColumn=2,title=live-unreachable::"
        f"{url}: Connection refused%0Ais it running, and reachable from here?"
    )


# --- which selectors must be there


@pytest.mark.parametrize(
    ("expr", "required"),
    [
        ("a", "a"),
        ("sum(rate(a[1m])) or 0 * slo:events:rate", ""),
        ("slo:events:rate - (sum(rate(a[1m])) or 0 * slo:events:rate)", "a"),
        ("(sum(a) - sum(b)) or 0 * c", "b"),
        ("a / b", "a b"),
        ("a unless on () b", "a"),
        ("slo:events:rate - sum(rate(a[1m]))", "a"),
        ("slo_info * 2", ""),
    ],
)
def test_what_a_rule_takes_for_zero_may_be_missing(expr: str, required: str) -> None:
    tenant = compiled("ratio-errors").tenants[0]
    slo = tenant.slos[0]
    timing = tenant_timing(
        tenant, PrometheusSpec().scrape_interval, PrometheusSpec().evaluation_interval
    )
    rules = [Rule(EVENTS_RATE, "total", AT), Rule(ERRORS_RATE, expr, AT)]
    asked = subject(tenant, slo, timing, rules).asked
    assert asked[0].required
    assert [a.selector.metric for a in asked[1:] if a.required] == required.split()
