"""A Prometheus with a day of everything that can be wrong with an SLO's series."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cases import tool
from demo.servers import free_port, prometheus, query, wait_until
from oracle.engine import Engine
from oracle.streams import DAY, HOUR, MINUTE, SECOND, Labels

from live_world import native

SCRAPE = 15 * SECOND
AHEAD = 10 * MINUTE  # what tests take: whenever they ask, there is a present
METHODS = 120
# Only what is scraped has a type. One of the gauges only grows.
EXPOSED = """\
# TYPE queue_depth gauge
queue_depth 5
# TYPE visits gauge
visits {scrape}
# TYPE logins_total counter
logins_total 7
"""
CONFIG = """\
storage: {{tsdb: {{out_of_order_time_window: 2d}}}}
scrape_configs:
  - job_name: exporter
    scrape_interval: 3s  # as is its timeout: a busy machine may stall for a second or two
    static_configs: [{{targets: ["127.0.0.1:{port}"], labels: {{tenant: shop}}}}]
"""


@contextmanager
def world(suite: str, folder: Path) -> Iterator[str]:
    """Start a Prometheus that has seen the world for a day; gives its URL."""
    config = folder / "prometheus.yml"
    extra = (
        "--web.enable-remote-write-receiver",
        "--storage.tsdb.retention.time=7d",
        "--enable-feature=native-histograms",
    )
    with serving(Exporter) as exporter:
        config.write_text(CONFIG.format(port=exporter.rsplit(":", 1)[-1]), encoding="utf-8")
        binary = tool(suite, "prometheus")
        with prometheus(
            binary, config, folder / "data", port=free_port(), extra_args=extra
        ) as server:
            engine = Engine(server.url)
            now = int(time.time()) * SECOND
            engine.write(_series(now))
            engine.close()
            start = now - 30 * MINUTE  # 2.42 takes native histograms of an hour, not older ones
            recent = range(start, now + AHEAD, SCRAPE)
            labels = (("__name__", "native_seconds"), ("tenant", "shop"))
            native.write(server.url, labels, ((at, (at - start) // SECOND) for at in recent))
            wait_until(lambda: query(server.url, "changes(visits[1m]) > 0"), what="two scrapes")
            yield server.url


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve HTTP on loopback; gives the URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class Quiet(BaseHTTPRequestHandler):
    """A handler that logs nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


class Exporter(Quiet):
    """A target of the Prometheus."""

    def do_GET(self) -> None:
        """Answer a scrape."""
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        with suppress(ConnectionError):  # the server is stopped while it scrapes
            self.wfile.write(EXPOSED.format(scrape=time.monotonic()).encode())


def _series(now: int) -> Iterator[tuple[Labels, list[tuple[int, float]]]]:
    def series(
        metric: str,
        value: Callable[[int], float],
        start: int = DAY + 10 * MINUTE,
        end: int = -AHEAD,
        every: int = SCRAPE,
        **labels: str,
    ) -> tuple[Labels, list[tuple[int, float]]]:
        names = {"__name__": metric, "tenant": "shop", **labels}
        first = now - start - (now - start) % every
        row = [(at, value(at - first)) for at in range(first, now - end + 1, every)]
        return tuple((k, v) for k, v in sorted(names.items()) if v), row

    def per_second(rate: int) -> Callable[[int], float]:
        return lambda at: rate * at // SECOND

    for code, rate in (("200", 10), ("404", 1), ("500", 1)):
        yield series("http_requests_total", per_second(rate), job="checkout", code=code)
    yield series("http_requests_total", per_second(5), job="search", code="200")
    yield series("inflight_requests", lambda at: at // SCRAPE % 2, job="checkout")
    for le, rate in (("0.1", 5), ("0.25", 8), ("0.5", 9), ("+Inf", 10)):
        yield series("http_duration_seconds_bucket", per_second(rate), le=le)
    yield series("http_duration_seconds_count", per_second(10))
    for instance, bounds in (("a", ("0.3", "+Inf")), ("b", ("0.5", "+Inf"))):
        yield series("mixed_seconds_count", per_second(10), instance=instance)
        for le in bounds:
            yield series("mixed_seconds_bucket", per_second(9), instance=instance, le=le)
    for n in range(METHODS):
        yield series("rpc_total", per_second(1), start=30 * MINUTE, method=f"m{n}")
    yield series("orders_total", lambda at: at // (30 * MINUTE))
    yield series("idle_total", lambda _: 7)
    yield series("gone_total", per_second(1), end=3 * HOUR)
    yield series("slow_total", per_second(1), every=2 * MINUTE)
    yield series("fast_total", per_second(1), start=30 * MINUTE, every=5 * SECOND)
    yield series("young_total", per_second(1), start=2 * HOUR)
    yield series("parcels_total", per_second(1), carrier="a")
    yield series("parcels_total", lambda at: at // (30 * MINUTE), carrier="b")
    yield series("split_total", per_second(1), instance="a")
    yield series("split_total", per_second(1))
    yield series("backup_runs_total", per_second(1), tenant="")
    yield series("payments_total", per_second(1), tenant="other", job="secret-job")
