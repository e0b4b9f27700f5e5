"""The parts of a backtest: moments, fetched samples, episodes, incidents, sentences, refusals."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from cases import ROOT, compiled
from click.testing import CliRunner, Result

from slo_compiler.backtest.choice import chosen
from slo_compiler.backtest.compare import SeverityDifference, SLODifference, incidents
from slo_compiler.backtest.compare_text import sentence
from slo_compiler.backtest.engine import EngineError, programs
from slo_compiler.backtest.episodes import Episode, joined
from slo_compiler.backtest.fetch import FetchedSelector, fetch
from slo_compiler.backtest.moments import History, exact, moment, rounded
from slo_compiler.backtest.scope import broadest, scope_of
from slo_compiler.backtest.store import ChunkStore
from slo_compiler.backtest.text import counts
from slo_compiler.cli import main
from slo_compiler.diagnostics import CompileError, Report
from slo_compiler.duration import Duration
from slo_compiler.live.client import Client, RefusedError, ServerError
from slo_compiler.plan.tenant import Identity
from slo_compiler.promql import Matcher, Selector

MINUTE = 60_000
HOUR = 60 * MINUTE
T0 = 1_700_006_400_000  # midnight in UTC
SLO = Identity("acme", "checkout", "availability")
NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def episode(start: int, end: int, tier: str = "page-fast", **facts: Any) -> Episode:  # noqa: ANN401
    """Give an episode of some minutes."""
    given = {"severity": "page", "escalation": "", "by": {}, "before": False, "open": False} | facts
    return Episode(SLO, tier, start=T0 + start * MINUTE, end=T0 + end * MINUTE, **given)


# Moments


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", "2026-11-27T12:00:00Z"),
        ("36h", "2026-11-26T00:00:00Z"),
        ("2026-11-01", "2026-11-01T00:00:00Z"),
        ("2026-11-01T12:30", "2026-11-01T12:30:00Z"),
        ("2026-11-01T12:30+02:00", "2026-11-01T10:30:00Z"),
    ],
)
def test_moment_is_read_in_utc_unless_it_has_an_offset(text: str, expected: str) -> None:
    assert exact(round(moment(text, NOW).timestamp() * 1000)) == expected


def test_moment_that_is_none_names_what_to_write() -> None:
    with pytest.raises(ValueError, match=r'"yesterday" is no time: write 2026-11-01, .*30d for'):
        moment("yesterday", NOW)


@pytest.mark.parametrize(
    ("seconds", "expected"), [(42, "42s"), (3_599, "59m59s"), (9_630, "2h40m"), (100_000, "1d4h")]
)
def test_long_span_is_rounded_to_two_units(seconds: int, expected: str) -> None:
    assert rounded(Duration.of(seconds=seconds)) == expected


# Episodes and incidents


def test_moments_up_to_five_minutes_apart_are_one_episode() -> None:
    moments = [0, 30_000, 30_000 + 5 * MINUTE, 60_001 + 10 * MINUTE]
    assert [*joined(moments, Duration.of(seconds=30))] == [
        (0, 30_000 + 5 * MINUTE),
        (60_001 + 10 * MINUTE, 60_001 + 10 * MINUTE),
    ]


def test_moments_of_a_slow_alert_are_one_episode() -> None:
    moments = [0, 10 * MINUTE, 20 * MINUTE]
    assert [*joined(moments, Duration.of(minutes=10))] == [(0, 20 * MINUTE)]


def test_overlapping_tiers_are_counted_as_one_page() -> None:
    some = [episode(0, 60), episode(40, 90, "page-slow"), episode(200, 210)]
    some += [episode(15, 60, escalation="2"), episode(300, 310, shadow=True)]
    assert counts(some) == "2 pages"


def test_incident_is_in_both_states_or_in_one() -> None:
    old = [episode(10, 60), episode(30, 90, "page-slow"), episode(200, 230)]
    new = [episode(19, 60), episode(400, 410)]
    found = incidents(old, new)
    assert [(len(each.old), len(each.new), each.later_ms) for each in found] == [
        (2, 1, 9 * MINUTE),
        (1, 0, None),
        (0, 1, None),
    ]


def test_sentence_describes_what_a_change_of_the_objective_does() -> None:
    whole = {slo.identity: slo for t in compiled("examples").plan.tenants for slo in t.slos}
    by_objective = {slo.resolved.objective: slo for slo in whole.values()}
    old, new, *_ = by_objective.values()
    difference = SLODifference(
        SLO,
        old,
        new,
        (
            SeverityDifference("page", 4, 1, tuple(incidents([episode(0, 60)], [episode(9, 60)]))),
            SeverityDifference("ticket", 1, 1, ()),
        ),
    )
    before, after = old.resolved.objective, new.resolved.objective
    assert before != after
    assert sentence(difference, "main").startswith(f"{after} instead of {before}")
    assert sentence(difference, "main").endswith(
        ": 3 pages fewer; the incident of 2023-11-15 00:00 is found 9m later"
    )


def test_names_choose_slos_of_tenants_and_among_those_the_named() -> None:
    known = [SLO, Identity("acme", "checkout", "latency"), Identity("other", "checkout", "latency")]
    assert chosen(known, [], []) == known
    assert chosen(known, ["acme"], []) == known[:2]
    assert chosen(known, [], ["acme/checkout/latency", "other"]) == known[1:]
    assert chosen(known, ["other"], ["acme/checkout"]) == []


# Fetching


class CounterHistory:
    """A server whose counter has a sample every 15 s, and the queries that it got."""

    def __init__(self) -> None:
        self.queried: list[tuple[int, int]] = []  # seconds: the range, and its end
        self.limit = 10**9  # samples in an answer
        self.fails_after = 10**9
        self.refuses = False
        self.closed = True  # as a range of Prometheus 2, which has both of its ends

    def answer(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if self.refuses:
            return 401, {}
        if form["query"] == "time()":
            return 200, {"status": "success", "data": {"result": [0, str(T0 / 1000 + 86_400)]}}
        span = int(form["query"].rpartition("[")[2].removesuffix("s]"))
        end = int(form["time"])
        if len(self.queried) >= self.fails_after:
            return 503, {}
        self.queried.append((span, end))
        times = [*range(end - span + (0 if self.closed else 15), end + 1, 15)]
        if len(times) > self.limit:
            return 422, {"status": "error", "error": "query processing would load too many samples"}
        values = [[at, str(at)] for at in times]
        series = {"metric": {"__name__": "x"}, "values": values}
        return 200, {"status": "success", "data": {"result": [series]}}


@contextmanager
def serving(history: CounterHistory) -> Iterator[str]:
    """Serve it on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            status, body = history.answer({key: value[0] for key, value in form.items()})
            self._send(status, body)

        def do_GET(self) -> None:
            self._send(200, {"status": "success", "data": ["__name__"]})

        def _send(self, status: int, body: dict[str, Any]) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


Fetching = Callable[[], FetchedSelector]


@pytest.fixture
def history() -> CounterHistory:
    return CounterHistory()


@pytest.fixture
def fetching(history: CounterHistory, tmp_path: Path) -> Iterator[Fetching]:
    with serving(history) as url:

        def fetched() -> FetchedSelector:
            client = Client(url)
            client.connect()
            young = tempfile.mkdtemp(dir=tmp_path)  # of one run
            stores = ChunkStore(tmp_path / "cache"), ChunkStore(Path(young))
            span = History(T0, T0 + 24 * HOUR)
            (found,) = fetch(client, (), ["x"], span, *stores, lambda *_: None)
            return found

        yield fetched


@pytest.mark.parametrize("closed", [True, False])
def test_samples_are_fetched_once_whatever_ends_a_range_has(
    history: CounterHistory, fetching: Fetching, *, closed: bool
) -> None:
    history.closed = closed
    found = fetching()
    assert (found.samples, found.first, found.every) == (
        24 * 240,
        T0 + 15_000,
        Duration.of(seconds=15),
    )


def test_fetch_that_was_ended_goes_on_where_it_was(
    history: CounterHistory, fetching: Fetching
) -> None:
    history.fails_after = 2
    with pytest.raises(ServerError, match="HTTP 503"):
        fetching()
    history.fails_after = 10**9
    assert fetching().samples == 24 * 240
    ends = [(end * 1000 - T0) // HOUR for _, end in history.queried]
    assert ends == [6, 12, 18, 24]


def test_samples_of_the_last_hour_are_fetched_each_time(
    history: CounterHistory, fetching: Fetching
) -> None:
    fetching()
    del history.queried[:]
    fetching()
    # By the server's clock the day has just ended.
    assert [(end * 1000 - T0) // HOUR for _, end in history.queried] == [24]


def test_answer_that_is_too_large_is_fetched_in_parts(
    history: CounterHistory, fetching: Fetching
) -> None:
    history.limit = 1000  # six hours have 1,441
    assert fetching().samples == 24 * 240
    assert {span for span, _ in history.queried} == {6 * 3600, 3 * 3600}


def test_answer_that_is_always_too_large_is_an_error(
    history: CounterHistory, fetching: Fetching
) -> None:
    history.limit = 3
    with pytest.raises(RefusedError, match=r"x until .*: query processing would load too many"):
        fetching()


def test_damaged_chunk_is_fetched_again(
    history: CounterHistory, fetching: Fetching, tmp_path: Path
) -> None:
    fetching()
    damaged = min((tmp_path / "cache/backtest").glob("*/*"))
    damaged.write_bytes(b"\x1f\x8b")
    del history.queried[:]
    assert fetching().samples == 24 * 240
    assert len(history.queried) == 2  # it, and the last hour's


def test_store_keeps_what_was_used_last(tmp_path: Path) -> None:
    store = ChunkStore(tmp_path)
    for number in range(3):
        path = store.put(f"{number}" * 64, b"x" * 10)
        os.utime(path, (number, number))
    assert store.get("0" * 64)
    store.trim(20)
    assert [bool(store.get(f"{number}" * 64)) for number in range(3)] == [True, False, True]


# Scope and refusals


def test_selector_within_another_is_not_fetched() -> None:
    job, code = Matcher("job", "=", "api"), Matcher("code", "=~", "5..")
    wide, narrow = Selector("x", (job,)), Selector("x", (job, code))
    other = Selector("y", (job, code))
    second = Identity("acme", "checkout", "latency")
    found = [*broadest({narrow: [SLO], wide: [second], other: [SLO]})]
    assert [(each.text, {*each.slos}) for each in found] == [
        ('x{job="api"}', {SLO, second}),
        ('y{job="api",code=~"5.."}', {SLO}),
    ]


def test_scope_of_one_slo_has_no_rule_of_another() -> None:
    tenant = next(t for t in compiled("examples").plan.tenants if len(t.slos) > 1)
    first, second, *_ = tenant.slos
    scope = scope_of([tenant], {first.identity}, Report())
    labels = [dict(each.rule.labels) for hop in scope.hops for each in hop]
    named = {(each["service"], each["slo"]) for each in labels if "slo" in each}
    assert (first.identity.service, first.identity.slo) in named
    assert (second.identity.service, second.identity.slo) not in named
    assert scope.reach > first.resolved.period.longest


@pytest.mark.processes
def test_slo_that_metricsql_lacks_is_refused_and_another_of_its_tenant_is_not() -> None:
    (tenant,) = compiled("native-histograms").plan.tenants
    report = Report()
    with pytest.raises(CompileError):
        scope_of([tenant], {slo.identity for slo in tenant.slos}, report)
    assert "the target victoriametrics has no native histograms" in {
        found.message for found in report.diagnostics
    }


def test_missing_victoriametrics_is_an_error_that_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PATH", "HOME", "XDG_CACHE_HOME", "SLO_COMPILER_TOOLS"):
        monkeypatch.setenv(name, str(tmp_path))
    with pytest.raises(EngineError, match="victoria-metrics and vmalert not found") as error:
        programs(tmp_path)
    assert "slo-compiler tools --servers" in error.value.help


def backtest(*arguments: str, url: str = "http://127.0.0.1:9") -> Result:
    given = ["backtest", "--prometheus", url, *arguments]
    return CliRunner().invoke(main, [*given, "--project", str(ROOT / "examples/slo-compiler.yaml")])


@pytest.mark.processes
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--from", "soon"), "'--from': \"soon\" is no time"),
        (("--from", "1h", "--to", "2h"), "'--from': it is not before --to"),
        (("--to", "2999-01-01"), "'--to': it lies in the future"),
        (("--tenant", "customer-x"), 'no SLO is of "customer-x"; did you mean "customer-'),
        (("--slo", "nobody/x/y"), "'--slo': no SLO is of \"nobody/x/y\""),
        (("--against", "no-such-thing"), '"no-such-thing" is no folder'),
    ],
)
def test_bad_option_is_named(arguments: tuple[str, ...], message: str) -> None:
    done = backtest(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr


@pytest.mark.parametrize("command", ["backtest", "status"])
def test_server_that_wants_credentials_names_the_options_of_the_command(
    command: str, history: CounterHistory
) -> None:
    history.refuses = True
    with serving(history) as url:
        done = CliRunner().invoke(
            main,
            [command, "--prometheus", url, "--project", str(ROOT / "examples/slo-compiler.yaml")],
        )
    assert done.exit_code == 1
    assert "= give credentials: --token-file or --header\n" in done.stderr
    assert done.stdout == ""


def test_server_that_does_not_answer_is_an_error() -> None:
    done = backtest()
    assert done.exit_code == 1
    assert done.stderr == (
        "error: http://127.0.0.1:9: Connection refused\n"
        "      = is it running, and reachable from here?\n"
    )
