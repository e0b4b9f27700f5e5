"""The demo's exporter counts exactly, and its sink keeps what Alertmanager sends."""

from __future__ import annotations

import gc
import http.client
import json
import re
import smtplib
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from demo import exporter as exporter_module
from demo import sink as sink_module
from demo.exporter import Exporter
from demo.sink import Notification, Sink

if TYPE_CHECKING:
    from collections.abc import Iterator

SECOND = 1_000_000_000


class Clock:
    def __init__(self) -> None:
        self.now_ns = 17 * SECOND

    def __call__(self) -> int:
        return self.now_ns

    def advance(self, seconds: float) -> None:
        self.now_ns += int(seconds * SECOND)


def request(
    port: int, method: str, path: str, body: str | None = None, **headers: str
) -> tuple[int, str, str]:
    """Send one request; status, content type, body."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.getheader("Content-Type", ""), response.read().decode()


def scrape(exporter: Exporter) -> dict[str, float]:
    """Every sample by its series, labels in alphabetical order."""
    _, _, text = request(exporter.port, "GET", "/metrics")
    samples = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        series, value = line.rsplit(" ", 1)
        name, labels = series.rstrip("}").split("{")
        samples[name + "{" + ",".join(sorted(labels.split(","))) + "}"] = float(value)
    return samples


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def exporter(clock: Clock) -> Iterator[Exporter]:
    with Exporter(clock_ns=clock) as running:
        yield running


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink(clock=lambda: 1_700_000_000.5) as running:
        yield running


CHECKOUT_GOOD = 'http_requests_total{code="200",job="checkout",tenant="customer-b"}'
CHECKOUT_BAD = 'http_requests_total{code="500",job="checkout",tenant="customer-b"}'


def test_every_series_is_there_from_the_start_at_zero(exporter: Exporter) -> None:
    samples = scrape(exporter)

    assert set(samples.values()) == {0.0}
    assert len(samples) == 8 * 2 + 7


def test_counts_are_the_rate_times_the_time_and_one_in_a_hundred_thousand_is_bad(
    exporter: Exporter, clock: Clock
) -> None:
    clock.advance(1000)
    samples = scrape(exporter)

    assert samples[CHECKOUT_GOOD] == 99_999  # 100/s for 1000s, of which 1 is bad
    assert samples[CHECKOUT_BAD] == 1
    users = 'grpc_service="users",namespace="internal-api"}'
    assert samples['grpc_server_handled_total{grpc_code="OK",' + users] == 499_995
    assert samples['grpc_server_handled_total{grpc_code="Internal",' + users] == 5
    assert samples['batch_jobs_total{result="ok",tenant="customer-f"}'] == 5_000
    assert samples['batch_jobs_total{result="failed",tenant="customer-f"}'] == 0


def test_an_error_ratio_is_used_from_the_moment_it_is_set(exporter: Exporter, clock: Clock) -> None:
    clock.advance(10)
    exporter.set_error_ratio("customer-b", 0.3)
    clock.advance(10)
    exporter.heal("customer-b")
    clock.advance(10)
    samples = scrape(exporter)

    assert samples[CHECKOUT_BAD] == 300  # 30 % of the 1000 in the middle, and 0.02 more
    assert samples[CHECKOUT_GOOD] == 2_700


def test_fractions_of_an_error_survive_any_number_of_switches(
    exporter: Exporter, clock: Clock
) -> None:
    for _ in range(100):
        exporter.set_error_ratio("customer-b", 0.003)
        clock.advance(1)  # 0.3 errors each time
    assert scrape(exporter)[CHECKOUT_BAD] == 30


def test_a_fault_stays_with_its_tenant_or_with_one_of_its_jobs(
    exporter: Exporter, clock: Clock
) -> None:
    exporter.set_error_ratio("customer-d", 1, job="api")
    clock.advance(10)
    bad = {
        series: count
        for series, count in scrape(exporter).items()
        if re.search('code="500"|failed|Internal', series) and count
    }

    assert bad == {'http_requests_total{code="500",job="api",tenant="customer-d"}': 400}


def test_the_histogram_is_cumulative_and_agrees_with_its_count_and_sum(
    exporter: Exporter, clock: Clock
) -> None:
    exporter.set_error_ratio("customer-c", 0.1)
    clock.advance(10)  # 500 requests: 50 slow, of the others 7 in 10 below 0.1s
    samples = scrape(exporter)
    name, labels = "http_request_duration_seconds", 'job="search"{le},tenant="customer-c"}'
    buckets = [
        samples[f"{name}_bucket{{" + labels.replace("{le}", f',le="{le}"')]
        for le in ("0.1", "0.3", "1.0", "2.5", "+Inf")
    ]

    assert buckets == [315, 450, 450, 500, 500]
    assert samples[f"{name}_count{{" + labels.replace("{le}", "")] == 500
    assert samples[f"{name}_sum{{" + labels.replace("{le}", "")] == pytest.approx(
        315 * 0.05 + 135 * 0.2 + 50 * 1.7
    )


def test_a_histogram_never_shrinks_between_scrapes(exporter: Exporter, clock: Clock) -> None:
    exporter.set_error_ratio("customer-c", 0.37)
    before = scrape(exporter)
    for _ in range(30):
        clock.advance(0.07)
        after = scrape(exporter)
        assert all(after[series] >= count for series, count in before.items())
        before = after


def test_a_renamed_metric_vanishes_and_goes_on_under_its_new_name(
    exporter: Exporter, clock: Clock
) -> None:
    exporter.rename("customer-b")
    exporter.rename("customer-c")
    clock.advance(1)
    samples = scrape(exporter)

    assert CHECKOUT_GOOD not in samples
    assert samples[CHECKOUT_GOOD.replace("requests", "requests_v2")] == 100
    assert 'http_requests_total{code="200",job="storefront",tenant="customer-a"}' in samples
    assert not any(series.startswith("http_request_duration_seconds_bucket") for series in samples)
    assert any(series.startswith("http_request_duration_seconds_v2_bucket") for series in samples)

    exporter.heal("customer-b")
    assert scrape(exporter)[CHECKOUT_GOOD] == 100


def test_traffic_drops_from_the_moment_it_is_set_and_no_event_is_lost(
    exporter: Exporter, clock: Clock
) -> None:
    clock.advance(10)
    exporter.set_error_ratio("customer-b", 0.3)
    exporter.set_traffic("customer-b", 0.005)
    clock.advance(3)  # 1.5 events
    exporter.set_traffic("customer-b", 0.015)
    clock.advance(3)  # 4.5
    samples = scrape(exporter)
    assert samples[CHECKOUT_BAD] == 1  # 30 % of 6 events, and 0.01 before
    assert samples[CHECKOUT_GOOD] == 1_005

    exporter.heal("customer-b")
    clock.advance(1)
    assert scrape(exporter)[CHECKOUT_GOOD] == 1_105


def test_faults_are_switched_over_http(exporter: Exporter, clock: Clock) -> None:
    fault = request(exporter.port, "POST", "/fault?tenant=customer-b&errors=0.5")
    clock.advance(1)
    assert fault[0] == 200
    assert scrape(exporter)[CHECKOUT_BAD] == 50

    assert request(exporter.port, "POST", "/traffic?tenant=customer-b&share=0.02")[0] == 200
    clock.advance(1)
    assert scrape(exporter)[CHECKOUT_BAD] == 51

    assert request(exporter.port, "POST", "/rename?tenant=customer-b")[0] == 200
    assert CHECKOUT_BAD not in scrape(exporter)

    assert request(exporter.port, "POST", "/heal?tenant=customer-b")[0] == 200
    clock.advance(1)
    assert scrape(exporter)[CHECKOUT_BAD] == 51


TENANTS = "customer-a, customer-b, customer-c, customer-d, customer-e, customer-f, internal-api"


@pytest.mark.parametrize(
    ("path", "status", "answered"),
    [
        (
            "/fault?tenant=customer-x&errors=0.5",
            400,
            f"no tenant customer-x; the tenants are {TENANTS}",
        ),
        ("/fault?tenant=customer-b&errors=2", 400, "an error ratio lies between 0 and 1, not 2.0"),
        ("/fault?tenant=customer-b", 400, "errors= is missing"),
        ("/traffic?tenant=customer-x&share=1", 400, "no tenant customer-x"),
        (
            "/traffic?tenant=customer-b&share=-1",
            400,
            "a share of traffic is not negative, as -1.0 is",
        ),
        ("/rename?tenant=customer-x", 400, "no tenant customer-x"),
        ("/break", 404, "try /fault, /traffic, /rename or /heal"),
    ],
)
def test_a_fault_that_cannot_be_switched_reports_why(
    exporter: Exporter, path: str, status: int, answered: str
) -> None:
    assert request(exporter.port, "POST", path)[::2] == (status, answered + "\n")


def test_a_scraper_that_accepts_openmetrics_gets_it(exporter: Exporter) -> None:
    status, content_type, text = request(
        exporter.port, "GET", "/metrics", Accept="application/openmetrics-text;version=1.0.0"
    )

    assert status == 200
    assert content_type.startswith("application/openmetrics-text")
    assert text.endswith("# EOF\n")


# What Alertmanager sends, cut down to what distinguishes the services.

ALERT = {
    "status": "firing",
    "labels": {"alertname": "ErrorBudgetBurn", "tenant": "customer-b", "severity": "page"},
    "annotations": {"summary": "checkout burns its budget", "description": "burn rate 300"},
    "startsAt": "2024-05-01T12:00:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus.example/graph",
    "fingerprint": "1a30ba71cca2921f",
}


def webhook_payload(status: str) -> dict[str, Any]:
    return {
        "receiver": "customer-b-page",
        "status": status,
        "alerts": [{**ALERT, "status": status}],
        "groupLabels": {"tenant": "customer-b"},
        "commonLabels": ALERT["labels"],
        "commonAnnotations": ALERT["annotations"],
        "externalURL": "http://alertmanager.example",
        "version": "4",
        "groupKey": '{}/{slo!=""}:{tenant="customer-b"}',
        "truncatedAlerts": 0,
    }


def slack_payload(title: str) -> dict[str, Any]:
    shown = {"title": title, "title_link": "http://x", "text": "burn rate 300", "fallback": title}
    shown |= {"callback_id": "", "footer": "", "color": "danger", "mrkdwn_in": ["text"]}
    return {"channel": "#incident-customer-b", "username": "AlertManager", "attachments": [shown]}


def pagerduty_payload(action: str) -> dict[str, Any]:
    return {
        "routing_key": "key-of-customer-b",
        "dedup_key": "9d1c",
        "event_action": action,
        "payload": {
            "summary": "checkout burns its budget",
            "source": "AlertManager",
            "severity": "critical",
            "custom_details": {"burn": "300", "num_firing": "1"},
        },
        "client": "AlertManager",
    }


def teams_card(title: str) -> dict[str, Any]:
    blocks = [{"type": "TextBlock", "text": title}, {"type": "TextBlock", "text": "burn rate 300"}]
    content = {"type": "AdaptiveCard", "version": "1.2", "body": blocks}
    kind = "application/vnd.microsoft.card.adaptive"
    attachment = {"contentType": kind, "contentUrl": None, "content": content}
    return {"type": "message", "attachments": [attachment]}


def discord_payload(title: str) -> dict[str, Any]:
    shown = {"title": title, "description": "burn rate 300", "color": 10038562, "fields": []}
    return {"content": "", "embeds": [shown], "username": "", "avatar_url": ""}


CASES = [
    pytest.param(
        "/slack/T0/B0/x",
        slack_payload("[FIRING:1] checkout"),
        (200, "ok"),
        ("slack", "#incident-customer-b", "firing", "[FIRING:1] checkout", "burn rate 300"),
        id="slack firing",
    ),
    pytest.param(
        "/slack/T0/B0/x",
        slack_payload("[RESOLVED] checkout"),
        (200, "ok"),
        ("slack", "#incident-customer-b", "resolved", "[RESOLVED] checkout", "burn rate 300"),
        id="slack resolved",
    ),
    pytest.param(
        "/pagerduty/v2/enqueue",
        pagerduty_payload("trigger"),
        (202, {"status": "success", "message": "Event processed", "dedup_key": "9d1c"}),
        (
            "pagerduty",
            "key-of-customer-b",
            "firing",
            "checkout burns its budget",
            "burn: 300\nnum_firing: 1",
        ),
        id="pagerduty trigger",
    ),
    pytest.param(
        "/pagerduty/v2/enqueue",
        pagerduty_payload("resolve"),
        (202, {"status": "success", "message": "Event processed", "dedup_key": "9d1c"}),
        (
            "pagerduty",
            "key-of-customer-b",
            "resolved",
            "checkout burns its budget",
            "burn: 300\nnum_firing: 1",
        ),
        id="pagerduty resolve",
    ),
    pytest.param(
        "/webhook/board",
        webhook_payload("firing"),
        (200, ""),
        ("webhook", "board", "firing", "checkout burns its budget", "burn rate 300"),
        id="webhook firing",
    ),
    pytest.param(
        "/webhook/board",
        webhook_payload("resolved"),
        (200, ""),
        ("webhook", "board", "resolved", "checkout burns its budget", "burn rate 300"),
        id="webhook resolved",
    ),
    pytest.param(
        "/opsgenie/v2/alerts",
        {"alias": "9d1c", "message": "checkout", "description": "burn rate 300", "details": {}},
        (202, {"result": "Request will be processed", "took": 0.0, "requestId": "00000000"}),
        ("opsgenie", "key-of-customer-b", "firing", "checkout", "burn rate 300"),
        id="opsgenie create",
    ),
    pytest.param(
        "/opsgenie/v2/alerts/9d1c/close?identifierType=alias",
        {"source": "http://alertmanager.example"},
        (202, {"result": "Request will be processed", "took": 0.0, "requestId": "00000000"}),
        ("opsgenie", "key-of-customer-b", "resolved", "9d1c", ""),
        id="opsgenie close",
    ),
    pytest.param(
        "/msteams/room",
        {"type": "MessageCard", "title": "Resolved: checkout", "summary": "", "text": "quiet"},
        (200, "1"),
        ("msteams", "room", "resolved", "Resolved: checkout", "quiet"),
        id="msteams connector",
    ),
    pytest.param(
        "/msteams/room",
        teams_card("[FIRING:1] checkout"),
        (202, ""),
        ("msteams", "room", "firing", "[FIRING:1] checkout", "burn rate 300"),
        id="msteams workflow",
    ),
    pytest.param(
        "/discord/room",
        discord_payload("[FIRING:1] checkout"),
        (204, ""),
        ("discord", "room", "firing", "[FIRING:1] checkout", "burn rate 300"),
        id="discord",
    ),
    pytest.param(
        "/telegram/bot12:secret/sendMessage",
        {"chat_id": "-100", "text": "\n✅ RESOLVED checkout\nburn rate 0", "parse_mode": "HTML"},
        (
            200,
            {
                "ok": True,
                "result": {
                    "message_id": 1,
                    "date": 0,
                    "chat": {"id": -100, "type": "group"},
                    "text": "\n✅ RESOLVED checkout\nburn rate 0",
                },
            },
        ),
        (
            "telegram",
            "-100",
            "resolved",
            "✅ RESOLVED checkout",
            "\n✅ RESOLVED checkout\nburn rate 0",
        ),
        id="telegram",
    ),
]


@pytest.mark.parametrize(("path", "payload", "answer", "kept"), CASES)
def test_a_notification_is_kept_and_answered_as_the_real_service_does(
    sink: Sink,
    path: str,
    payload: dict[str, Any],
    answer: tuple[int, str | dict[str, Any]],
    kept: tuple[str, ...],
) -> None:
    status, content_type, body = request(
        sink.http_port,
        "POST",
        path,
        json.dumps(payload),
        Authorization="GenieKey key-of-customer-b",
    )
    answered = json.loads(body) if content_type == "application/json" else body

    assert (status, answered) == answer
    (got,) = sink.notifications
    assert (got.kind, got.destination, got.status, got.title, got.text) == kept
    assert got.payload == payload
    assert got.at == 1_700_000_000.5


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/carrier-pigeon/x", "{}", 404),
        ("/slack/x", "not json", 400),
        ("/slack/x", "[]", 400),
        ("/slack/x", '{"attachments": []}', 400),
        ("/pagerduty/v2/enqueue", json.dumps({"event_action": "trigger"}), 400),
        ("/telegram/bot12/getMe", '{"chat_id": "1", "text": "x"}', 400),
    ],
)
def test_what_no_service_would_take_is_refused_and_not_kept(
    sink: Sink, path: str, body: str, status: int
) -> None:
    assert request(sink.http_port, "POST", path, body)[0] == status
    assert sink.notifications == []


def email_message(subject: str) -> EmailMessage:
    """Build what Alertmanager sends: quoted-printable text, and HTML beside it."""
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = "alertmanager@example.com"
    message["To"] = "sre@customer-b.example, lead@customer-b.example"
    message.set_content("Burn rate 300 — übel\n", cte="quoted-printable")
    message.add_alternative("<p>Burn rate 300</p>", subtype="html", cte="quoted-printable")
    return message


def test_an_email_is_kept_with_its_subject_and_text_decoded(sink: Sink) -> None:
    with smtplib.SMTP("127.0.0.1", sink.smtp_port, local_hostname="localhost") as client:
        client.send_message(email_message("[FIRING:1] checkout — page"))
        client.send_message(email_message("[Resolved] checkout"))

    firing, resolved = sink.notifications
    assert firing.kind == "email"
    assert firing.destination == "sre@customer-b.example,lead@customer-b.example"
    assert firing.title == "[FIRING:1] checkout — page"
    assert firing.text == "Burn rate 300 — übel\n"
    assert firing.payload["from"] == "alertmanager@example.com"
    assert (firing.status, resolved.status) == ("firing", "resolved")


def test_an_email_without_plain_text_is_kept_as_html(sink: Sink) -> None:
    message = EmailMessage()
    message["Subject"] = "x"
    message.set_content("<p>Burn rate 300</p>", subtype="html")
    with smtplib.SMTP("127.0.0.1", sink.smtp_port, local_hostname="localhost") as client:
        client.send_message(message, "a@example.com", ["b@example.com"])

    assert sink.notifications[0].text == "<p>Burn rate 300</p>\n"


def test_waiting_ends_when_the_notification_arrives(sink: Sink) -> None:
    path, body = "/webhook/board", json.dumps(webhook_payload("firing"))
    later = threading.Timer(0.1, request, (sink.http_port, "POST", path, body))
    later.start()
    got = sink.wait_for(lambda notification: notification.kind == "webhook", timeout=5)
    later.join()

    assert [got] == sink.notifications


def test_waiting_in_vain_lists_what_came_instead(sink: Sink) -> None:
    request(sink.http_port, "POST", "/webhook/board", json.dumps(webhook_payload("firing")))

    with pytest.raises(
        TimeoutError, match=r"within 0\.05s:\n  22:13:20  firing    webhook    board"
    ):
        sink.wait_for(lambda notification: notification.kind == "slack", timeout=0.05)


def test_the_copy_of_the_notifications_is_the_callers_own(sink: Sink) -> None:
    sink.notifications.append(Notification(0, "slack", "", "firing", "", "", {}))

    assert sink.notifications == []


def test_nothing_is_left_open_after_exit_even_by_clients_that_never_speak() -> None:
    threads = threading.active_count()
    with Sink() as sink, Exporter() as exporter:
        mute = socket.create_connection(("127.0.0.1", sink.smtp_port), timeout=5)
        assert mute.recv(4) == b"220 "
        ports = (sink.http_port, sink.smtp_port, exporter.port)
        started = time.monotonic()
    stopped = time.monotonic()
    with mute:
        while mute.recv(1024):
            pass  # the rest of the greeting, then the end

    assert stopped - started < 60  # aiosmtpd itself would wait for 300 s
    assert threading.active_count() == threads
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
    gc.collect()  # an unclosed socket or loop would warn now, and fail the test


def test_a_port_that_is_taken_is_an_error_that_leaves_nothing_behind(sink: Sink) -> None:
    threads = threading.active_count()
    second = Sink(smtp=("127.0.0.1", sink.smtp_port))
    with pytest.raises(OSError, match="in use"), second:
        pass

    assert threading.active_count() == threads
    gc.collect()


@pytest.mark.processes
@pytest.mark.parametrize(
    ("script", "arguments", "answered"),
    [
        (
            exporter_module.__file__,
            ["--listen", "127.0.0.1:0"],
            r"serving http://127\.0\.0\.1:\d+/metrics",
        ),
        (
            sink_module.__file__,
            ["--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0"],
            r"http on 127\.0\.0\.1:\d+, smtp on 127\.0\.0\.1:\d+",
        ),
    ],
)
def test_each_runs_as_a_script_from_anywhere_until_it_is_terminated(
    tmp_path: Path, script: str, arguments: list[str], answered: str
) -> None:
    command = [sys.executable, "-W", "error", str(Path(script).resolve()), *arguments]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert re.fullmatch(answered, process.stdout.readline().strip())
        process.terminate()
        assert process.wait(timeout=10) == 0
