"""An exporter that serves the example tenants' traffic, with faults that can be switched on.

    python exporter.py --listen 0.0.0.0:9101
    curl -X POST 'localhost:9101/fault?tenant=customer-b&errors=0.3'
    curl -X POST 'localhost:9101/traffic?tenant=customer-b&share=0.1'
    curl -X POST 'localhost:9101/rename?tenant=customer-b'
    curl -X POST 'localhost:9101/heal?tenant=customer-b'

Scrape it with `honor_labels: true`: the tenants' series bring their own `job`.
"""

from __future__ import annotations

import argparse
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, urlsplit

from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEALTHY = Fraction("0.00001")
"""The error ratio of a tenant with no fault: 1 in 100,000, far inside every objective."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A counter's label that tells good events from bad ones."""

    label: str
    good: str
    bad: str


@dataclass(frozen=True, slots=True)
class Latency:
    """A classic histogram's buckets, and how long requests take: good ones, in ms, by weight."""

    # As Python's client writes them and Prometheus 3 stores them, so that 2.x stores the same.
    buckets: tuple[str, ...] = ("0.1", "0.3", "1.0", "2.5", "+Inf")
    good_milliseconds: tuple[tuple[int, int], ...] = ((50, 7), (200, 3))
    bad_milliseconds: int = 1700


@dataclass(frozen=True, slots=True)
class Service:
    """One service of a tenant: what it counts, under which labels, and how fast."""

    tenant: str
    events_per_second: int
    metric: str
    own_labels: dict[str, str]
    sli: Outcome | Latency
    tenant_label: str = "tenant"

    @property
    def labels(self) -> dict[str, str]:
        """The labels of every series of the service."""
        return {self.tenant_label: self.tenant, **self.own_labels}


HTTP = Outcome("code", good="200", bad="500")
GRPC = Outcome("grpc_code", good="OK", bad="Internal")
RESULT = Outcome("result", good="ok", bad="failed")

SERVICES = (
    Service("customer-a", 200, "http_requests", {"job": "storefront"}, HTTP),
    Service("customer-b", 100, "http_requests", {"job": "checkout"}, HTTP),
    Service("customer-c", 50, "http_request_duration_seconds", {"job": "search"}, Latency()),
    Service("customer-d", 40, "http_requests", {"job": "web"}, HTTP),
    Service("customer-d", 40, "http_requests", {"job": "api"}, HTTP),
    Service("customer-d", 40, "http_requests", {"job": "payments"}, HTTP),
    Service("customer-e", 20, "queue_messages", {"queue": "mail"}, RESULT),
    Service("customer-f", 5, "batch_jobs", {}, RESULT),
    Service(
        "internal-api", 500, "grpc_server_handled", {"grpc_service": "users"}, GRPC, "namespace"
    ),
)


class Stream:
    """One service's count of errors, exact however its error ratio and traffic change over time."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._error_ratio = HEALTHY
        self._settled_events = 0
        self._settled_errors = Fraction(0)
        self._per_second = Fraction(service.events_per_second)
        self._slowed_ns = 0
        self._before_slowed = Fraction(0)

    def counts(self, elapsed_ns: int) -> tuple[int, int]:
        """Good and bad events after that time, both of which only ever grow."""
        events = self._events(elapsed_ns)
        bad = int(self._errors(events))
        return events - bad, bad

    def change(self, error_ratio: Fraction, elapsed_ns: int) -> None:
        """From that time on, this share of the events is bad."""
        events = self._events(elapsed_ns)
        # The fraction of an error is kept, so that switching to and fro loses none.
        self._settled_errors = self._errors(events)
        self._settled_events = events
        self._error_ratio = error_ratio

    def slow(self, share: Fraction, elapsed_ns: int) -> None:
        """From that time on, there is this share of the usual traffic."""
        self._before_slowed = self._exact_events(elapsed_ns)
        self._slowed_ns = elapsed_ns
        self._per_second = share * self.service.events_per_second

    def _events(self, elapsed_ns: int) -> int:
        return int(self._exact_events(elapsed_ns))

    def _exact_events(self, elapsed_ns: int) -> Fraction:
        since = elapsed_ns - self._slowed_ns
        return self._before_slowed + self._per_second * since / 1_000_000_000

    def _errors(self, events: int) -> Fraction:
        return self._settled_errors + self._error_ratio * (events - self._settled_events)


class Traffic(Collector):
    """What all services have counted since it was made, worked out at each scrape."""

    def __init__(self, clock_ns: Callable[[], int]) -> None:
        self._clock_ns = clock_ns
        self._start_ns = clock_ns()
        self._streams = tuple(Stream(service) for service in SERVICES)
        self._renamed: set[str] = set()
        self._lock = threading.Lock()

    def set_error_ratio(self, tenant: str, error_ratio: Fraction, job: str | None = None) -> None:
        """From now on, this share of the tenant's events (or of one job's) is bad."""
        streams = [
            stream
            for stream in self._streams
            if stream.service.tenant == tenant and job in (None, stream.service.labels.get("job"))
        ]
        if not streams:
            known = ", ".join(sorted({stream.service.tenant for stream in self._streams}))
            wanted = tenant if job is None else f"{tenant} with job {job}"
            raise ValueError(f"no tenant {wanted}; the tenants are {known}")
        if not 0 <= error_ratio <= 1:
            raise ValueError(f"an error ratio lies between 0 and 1, not {float(error_ratio)}")
        with self._lock:
            elapsed_ns = self._elapsed_ns()
            for stream in streams:
                stream.change(error_ratio, elapsed_ns)

    def set_traffic(self, tenant: str, share: Fraction) -> None:
        """From now on, the tenant has this share of its usual traffic."""
        streams = [stream for stream in self._streams if stream.service.tenant == tenant]
        if not streams:
            raise ValueError(f"no tenant {tenant}")
        if share < 0:
            raise ValueError(f"a share of traffic is not negative, as {float(share)} is")
        with self._lock:
            elapsed_ns = self._elapsed_ns()
            for stream in streams:
                stream.slow(share, elapsed_ns)

    def set_renamed(self, tenant: str, *, renamed: bool) -> None:
        """From now on, the tenant's metrics are served as `<name>_v2`, or as `<name>` again."""
        if tenant not in {stream.service.tenant for stream in self._streams}:
            raise ValueError(f"no tenant {tenant}")
        with self._lock:
            (self._renamed.add if renamed else self._renamed.discard)(tenant)

    def collect(self) -> Iterator[Metric]:
        """Every metric family, with all tenants' samples, at one moment."""
        families: dict[str, Metric] = {}
        with self._lock:
            elapsed_ns = self._elapsed_ns()
            for stream in self._streams:
                service = stream.service
                name = service.metric + ("_v2" if service.tenant in self._renamed else "")
                kind = "histogram" if isinstance(service.sli, Latency) else "counter"
                family = families.setdefault(name, Metric(name, "Events of the examples.", kind))
                good, bad = stream.counts(elapsed_ns)
                match service.sli:
                    case Outcome() as outcome:
                        _add_counters(family, service.labels, outcome, good, bad)
                    case Latency() as latency:
                        _add_histogram(family, service.labels, latency, good, bad)
        yield from families.values()

    def _elapsed_ns(self) -> int:
        return self._clock_ns() - self._start_ns


def _add_counters(
    family: Metric, labels: dict[str, str], outcome: Outcome, good: int, bad: int
) -> None:
    for value, count in ((outcome.good, good), (outcome.bad, bad)):
        family.add_sample(f"{family.name}_total", {**labels, outcome.label: value}, count)


def _add_histogram(
    family: Metric, labels: dict[str, str], latency: Latency, good: int, bad: int
) -> None:
    counts_by_milliseconds = [(latency.bad_milliseconds, bad)]
    whole, left = sum(weight for _, weight in latency.good_milliseconds), good
    for milliseconds, weight in latency.good_milliseconds:
        # Of what is left, so that the shares add up to all good requests, whatever the rounding.
        share = left * weight // whole
        counts_by_milliseconds.append((milliseconds, share))
        whole, left = whole - weight, left - share
    for le in latency.buckets:
        count = sum(n for ms, n in counts_by_milliseconds if ms <= float(le) * 1000)
        family.add_sample(f"{family.name}_bucket", {**labels, "le": le}, count)
    total_milliseconds = sum(ms * n for ms, n in counts_by_milliseconds)
    family.add_sample(f"{family.name}_count", labels, good + bad)
    family.add_sample(f"{family.name}_sum", labels, total_milliseconds / 1000)


class Exporter:
    """Serves the tenants' traffic on /metrics while entered; port 0 takes any free one.

    Nothing runs between scrapes: a count is the rate times the time since construction,
    so that it is exact, and a test that injects `clock_ns` knows it to the last event.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.host = host
        self.port = port
        self.registry = CollectorRegistry()
        self._traffic = Traffic(clock_ns)
        self.registry.register(self._traffic)

    def set_error_ratio(self, tenant: str, error_ratio: float, *, job: str | None = None) -> None:
        """Break a tenant, or one job of it; ValueError if there is none or the ratio is absurd."""
        # By way of str, so that 0.3 is three in ten and not the float beside it.
        self._traffic.set_error_ratio(tenant, Fraction(str(error_ratio)), job)

    def set_traffic(self, tenant: str, share: float) -> None:
        """Give a tenant this share of its usual traffic; ValueError as for its error ratio."""
        self._traffic.set_traffic(tenant, Fraction(str(share)))

    def rename(self, tenant: str) -> None:
        """Let the tenant's metrics vanish and come back as `<name>_v2`, their counts going on."""
        self._traffic.set_renamed(tenant, renamed=True)

    def heal(self, tenant: str) -> None:
        """Undo every fault of a tenant."""
        self._traffic.set_error_ratio(tenant, HEALTHY)
        self._traffic.set_traffic(tenant, Fraction(1))
        self._traffic.set_renamed(tenant, renamed=False)

    def __enter__(self) -> Self:
        self._server = _Server((self.host, self.port), _Handler)
        self._server.exporter = self
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    """Waits for its requests' threads when it closes, so that no socket outlives it."""

    daemon_threads = False
    exporter: Exporter


class _Handler(BaseHTTPRequestHandler):
    """GET /metrics, and POST for the faults."""

    server: _Server
    timeout = 5  # seconds that a silent client may hold up closing

    def do_GET(self) -> None:
        if urlsplit(self.path).path != "/metrics":
            self._answer(HTTPStatus.NOT_FOUND, b"try /metrics\n")
            return
        encode, content_type = choose_encoder(self.headers.get("Accept", ""))
        self._answer(HTTPStatus.OK, encode(self.server.exporter.registry), content_type)

    def do_POST(self) -> None:
        url = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        exporter = self.server.exporter
        try:
            match url.path:
                case "/fault":
                    exporter.set_error_ratio(
                        query["tenant"], float(query["errors"]), job=query.get("job")
                    )
                case "/traffic":
                    exporter.set_traffic(query["tenant"], float(query["share"]))
                case "/rename":
                    exporter.rename(query["tenant"])
                case "/heal":
                    exporter.heal(query["tenant"])
                case _:
                    self._answer(HTTPStatus.NOT_FOUND, b"try /fault, /traffic, /rename or /heal\n")
                    return
        except KeyError as error:
            self._answer(HTTPStatus.BAD_REQUEST, f"{error.args[0]}= is missing\n".encode())
        except ValueError as error:
            self._answer(HTTPStatus.BAD_REQUEST, f"{error}\n".encode())
        else:
            self._answer(HTTPStatus.OK, b"ok\n")

    def log_message(self, *_: object) -> None:
        """Say nothing: a scrape is no news."""

    def _answer(
        self, status: HTTPStatus, body: bytes, content_type: str = "text/plain; charset=utf-8"
    ) -> None:
        with suppress(ConnectionError):  # whoever asked is gone: a scrape has a timeout
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)


def main() -> None:
    """Serve until interrupted or terminated."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--listen", default="127.0.0.1:9101", metavar="HOST:PORT")
    host, _, port = parser.parse_args().listen.rpartition(":")
    # A container's first process ignores SIGTERM unless it says otherwise.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), Exporter(int(port), host=host) as exporter:
        print(f"serving http://{host}:{exporter.port}/metrics", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
