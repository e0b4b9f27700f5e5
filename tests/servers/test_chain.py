"""The real chain: exporter, Prometheus, rules, Alertmanager, and those who are to be notified.

One episode for each toolset, of about a minute and a half: customer-b burns while customer-c's
metrics are renamed, then both are healed. After that, many checks read what the sink has received;
they are one test, so that workers in parallel do not play the same episode twice.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import pytest
import yaml
from click.testing import CliRunner
from demo.history import INCIDENT, INCIDENT_BURN_RATE
from demo.scene import HEARTBEAT, PROJECT, Channel, Scene, scene
from demo.servers import get_json, wait_until
from demo.sink import Notification

from slo_compiler.cli import main
from slo_compiler.duration import Duration

BURNS, RENAMED = "customer-b", "customer-c"
PAGED = ("incident", "oncall", "sre", "board")  # customer-b's channels that a page reaches at once
TIERS = {"page-fast", "page-slow", "ticket-fast", "ticket-slow"}
PERIOD, WINDOW = Duration.of(days=30).seconds, 72
BUDGET, BURN_RATE = 0.001, 14.4  # of customer-b at 99.9 %, and of the tier page-fast
PATIENCE_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Episode:
    """What happened when, in Unix seconds; the scene is still on."""

    running: Scene
    error_ratio: float
    state: str  # what `status` prints while it burns
    empty: list[str]  # panels of dashboards that show nothing then
    broken_at: float
    healed_at: float
    inhibited_tiers: set[str]

    def got(
        self, tenant: str, since: float = 0.0, until: float = float("inf")
    ) -> list[tuple[Channel, Notification]]:
        """All that a tenant's channels received in a span of time, in order."""
        return [
            (channel, notification)
            for notification in self.running.sink.notifications
            if (channel := self.running.receiver(notification))
            and channel.tenant == tenant
            and since <= notification.at < until
        ]


def play(running: Scene, error_ratio: float) -> Episode:
    broken_at = time.time()
    running.exporter.set_error_ratio(BURNS, error_ratio)
    running.exporter.rename(RENAMED)
    await_all(running, "firing", broken_at)
    wait_until(lambda: firing_tiers(running) == TIERS, PATIENCE_SECONDS, what="all four tiers")
    settle(running)
    inhibited_tiers = {
        alert["labels"]["tier"]
        for alert in get_json(f"{running.alertmanager_url}/api/v2/alerts?active=false")
        if alert["labels"]["tenant"] == BURNS and alert["status"]["inhibitedBy"]
    }

    state = printed_state(running)
    empty = empty_panels(running)
    healed_at = time.time()
    running.exporter.heal(BURNS)
    running.exporter.heal(RENAMED)
    await_all(running, "resolved", healed_at)
    settle(running)
    return Episode(running, error_ratio, state, empty, broken_at, healed_at, inhibited_tiers)


def printed_state(running: Scene) -> str:
    """Run `status` after an edit of a manifest that is not deployed."""
    manifest = running.folder / "tenants/customer-e.yaml"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(f"{text}# edited\n", encoding="utf-8")
    project = str(running.folder / PROJECT)
    arguments = ["status", "--prometheus", running.prometheus_url, "--project", project]
    done = CliRunner().invoke(main, [*arguments, "--exit-code"], catch_exceptions=False)
    manifest.write_text(text, encoding="utf-8")
    assert done.exit_code == 1, done.output
    return done.stdout


def empty_panels(running: Scene) -> list[str]:
    """Ask the queries of the dashboards of all tenants and of the one that burns."""
    project = yaml.safe_load((running.folder / PROJECT).read_text(encoding="utf-8"))
    project["spec"]["targets"] = ["grafana"]
    file = running.folder / PROJECT.parent / "dashboards.yaml"
    file.write_text(yaml.safe_dump(project), encoding="utf-8")
    output = running.folder / "dashboards"
    arguments = ["compile", "--project", str(file), "-o", str(output)]
    done = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    empty = []
    for name in ("slos", f"slo-{BURNS}"):
        board = json.loads((output / f"grafana/{name}.json").read_text(encoding="utf-8"))
        for panel in board["panels"]:
            for target in panel["targets"]:
                expr = (
                    target["expr"].replace("$service", "checkout").replace("$slo", "availability")
                )
                if not running.query(expr):
                    empty.append(f"{name}: {panel['title']}: {expr}")
    return empty


def await_all(running: Scene, status: str, since: float) -> None:
    """Wait until everyone who is to be notified has been notified."""

    def arrived(channel: Channel, notification: Notification) -> bool:
        return (
            channel.got(notification)
            and notification.status == status
            and notification.at >= since
            and "(ticket)" not in notification.title
        )

    channels = [running.channel(BURNS, name) for name in PAGED]
    for channel in (*channels, running.channel(RENAMED, "chat")):
        running.sink.wait_for(partial(arrived, channel), PATIENCE_SECONDS)


def firing_tiers(running: Scene) -> set[str]:
    firing = f'ALERTS{{tenant="{BURNS}",alertstate="firing",escalation="",long_window!=""}}'
    return {alert["metric"]["tier"] for alert in running.query(firing)}


def settle(running: Scene) -> None:
    """Give Alertmanager the time for what it should not send: two rounds of its groups."""
    project = yaml.safe_load((running.folder / PROJECT).read_text(encoding="utf-8"))
    time.sleep(2 * Duration.parse(project["spec"]["alertmanager"]["group_interval"]).seconds)


def evidence(notification: Notification) -> tuple[float, float, float]:
    """Read burn rate, budget left and seconds to exhaustion, wherever the kind carries them."""
    if notification.kind == "webhook":
        (alert,) = notification.payload["alerts"]
        names = ("burn_rate", "budget_remaining", "time_to_exhaustion")
        rate, left, exhaustion = (alert["annotations"][name] for name in names)
    else:
        pattern = (
            r"Burning (.*)x too fast: .*\n"
            r"Error budget left: (.*); at this pace it is spent in (.*)\n"
        )
        found = re.search(pattern, notification.text)
        assert found, notification.text
        rate, left, exhaustion = found.groups()
    units = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    parts = re.findall(r"(\d+)([dhms])", exhaustion)
    assert " ".join(number + unit for number, unit in parts) == exhaustion
    return (
        float(rate),
        float(left.removesuffix("%")) / 100,
        sum(int(number) * units[unit] for number, unit in parts),
    )


def seconds(text: str) -> float:
    """Read a moment of a payload, in Unix seconds."""
    return datetime.fromisoformat(text).timestamp()


def every_tenants_heartbeat_arrives(episode: Episode) -> None:
    tenants = {
        notification.payload["commonLabels"]["tenant"]
        for notification in episode.running.sink.notifications
        if notification.destination == HEARTBEAT
    }
    assert tenants == {channel.tenant for channel in episode.running.channels}
    assert len(tenants) == 7


def each_channel_of_the_page_is_notified_once_and_no_other(episode: Episode) -> None:
    notified = episode.got(BURNS, since=episode.broken_at, until=episode.healed_at)
    assert Counter(channel.name for channel, _ in notified) == dict.fromkeys(PAGED, 1)
    assert {notification.status for _, notification in notified} == {"firing"}


def longer_windows_fire_too_and_are_inhibited(episode: Episode) -> None:
    assert episode.inhibited_tiers == TIERS - {"page-fast"}
    for _, notification in episode.got(BURNS, until=episode.healed_at):
        texts = notification.text + str(notification.payload)
        assert [tier for tier in sorted(TIERS) if f"{tier} fires above" in texts] == ["page-fast"]


def no_other_tenant_is_notified(episode: Episode) -> None:
    undisturbed = {channel.tenant for channel in episode.running.channels} - {BURNS, RENAMED}
    assert len(undisturbed) == 5
    assert [notification for tenant in undisturbed for notification in episode.got(tenant)] == []
    assert [
        notification
        for notification in episode.running.sink.notifications
        if notification.destination != HEARTBEAT and not episode.running.receiver(notification)
    ] == []


def nothing_is_notified_before_anything_happens(episode: Episode) -> None:
    assert episode.got(BURNS, until=episode.broken_at) == []
    assert episode.got(RENAMED, until=episode.broken_at) == []


def every_page_is_right(episode: Episode) -> None:
    """The window has nothing but errors of a known ratio, since a known time, and health.

    In the month before, an incident of 6 h at a burn rate of 30 took 6 x 30 / 720 = 25 % of the
    budget, and health, 1 error in 100,000, another 1 % of the rest.
    """
    for _, notification in episode.got(BURNS, episode.broken_at, episode.healed_at):
        assert_true(episode, notification)


def assert_true(episode: Episode, notification: Notification) -> None:
    rate, left, exhaustion_seconds = evidence(notification)

    # The base series has a sample each second, and no more of them may hold errors than these.
    broken_seconds = notification.at - episode.broken_at
    samples = f'count_over_time(slo:events:rate{{tenant="{BURNS}"}}[{WINDOW}s] @ {notification.at})'
    (counted,) = episode.running.query(samples)
    utmost = episode.error_ratio / BUDGET * broken_seconds / int(counted["value"][1])
    assert BURN_RATE <= rate <= utmost  # it is rounded, and may be printed as the threshold

    incident_share = INCIDENT.seconds * INCIDENT_BURN_RATE / PERIOD
    assert incident_share == 0.25
    left_before = 1 - incident_share - 0.01 * (1 - INCIDENT.seconds / PERIOD)
    # What burns now counts from the next tile on.
    burned = episode.error_ratio * broken_seconds / PERIOD / BUDGET
    assert left_before - burned - 0.0005 <= left <= left_before + 0.0005

    # At this pace: both are of one evaluation, or of two in a row, in which the rate may treble.
    assert 0.3 < exhaustion_seconds / (PERIOD * left / rate) < 3.5


def the_short_window_measures_the_exporters_error_ratio(episode: Episode) -> None:
    ratio = f'slo:error_ratio:rate6s{{tenant="{BURNS}"}} @ {episode.healed_at}'
    (measured,) = episode.running.query(ratio)
    assert float(measured["value"][1]) == pytest.approx(episode.error_ratio, rel=0.02)


def each_channel_of_the_page_is_notified_when_it_is_over(episode: Episode) -> None:
    """page-slow outlasts page-fast, and notifies once it is no longer inhibited.

    It may notify twice: Alertmanager passes the end of page-fast to its inhibition and to its
    groups one after the other, and a group that is flushed between the two is flushed once more.
    """
    after = episode.got(BURNS, since=episode.healed_at)
    assert {channel.name for channel, _ in after} == {*PAGED}
    for name in PAGED:
        *before, last = (
            notification
            for channel, notification in after
            if channel.name == name and "(ticket)" not in notification.title
        )
        assert last.status == "resolved"
        assert len(before) <= 2
        if last.kind == "webhook":  # it has the start of each alert: none fired again
            for notification in (*before, last):
                began = [seconds(alert["startsAt"]) for alert in notification.payload["alerts"]]
                assert began
                assert max(began) < episode.healed_at


def a_ticket_remains_when_the_page_is_over(episode: Episode) -> None:
    (ticket,) = (
        notification
        for channel, notification in episode.got(BURNS)
        if channel.name == "sre" and "(ticket)" in notification.title
    )
    assert ticket.at > episode.healed_at
    assert ticket.status == "firing"


def a_renamed_metric_notifies_its_own_tenant_only(episode: Episode) -> None:
    notified = episode.got(RENAMED)
    assert [(channel.name, notification.status) for channel, notification in notified] == [
        ("chat", "firing"),
        ("chat", "resolved"),
    ]
    assert "No events are measured any more" in notified[0][1].text
    fired = 'max_over_time(ALERTS{alertname="SLONoData",alertstate="firing"}[1h])'
    assert {a["metric"]["tenant"] for a in episode.running.query(fired)} == {RENAMED}


def status_shows_what_burns_what_is_missing_and_what_is_not_deployed(episode: Episode) -> None:
    head, burning, missing, *rest = episode.state.splitlines()
    assert head.split("  ")[0] == "SLO"
    found = re.fullmatch(
        r"customer-b/checkout/availability +99.9% 30d +([0-9.]+)% .* in 1m12s .* "
        r"page: page-fast, page-slow; ticket: ticket-fast, ticket-slow",
        burning,
    )
    assert found
    assert float(found[1]) / 100 == pytest.approx(episode.error_ratio, rel=0.1)
    assert re.fullmatch(r"customer-c/search/latency +99% 30d  +- .* page: no-data", missing)
    silent, behind = rest[: rest.index("")], rest[rest.index("") + 1 :]
    assert len(silent) == 8
    assert all(line.endswith("%") for line in silent)  # of a budget, and no alert
    (late,) = behind
    assert re.fullmatch(
        r"customer-e: the rules that run are of customer-e.yaml sha256:[0-9a-f]{12}; "
        r"here it is customer-e.yaml sha256:[0-9a-f]{12}",
        late,
    )


def no_panel_of_the_dashboards_is_empty(episode: Episode) -> None:
    assert episode.empty == []


def a_received_page_is_explained_by_its_manifest(episode: Episode) -> None:
    page = next(
        notification
        for channel, notification in episode.got(BURNS)
        if channel.name == "board" and notification.kind == "webhook"
    )
    project = str(episode.running.folder / PROJECT)
    done = CliRunner().invoke(
        main,
        ["explain", "--alert", "-", "--project", project],
        input=json.dumps(page.payload),
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    first, _, rule, measured, *rest = done.stdout.splitlines()
    assert first.startswith("customer-b/checkout/availability  page-fast (page)  since ")
    assert rule.startswith("  rule      error ratio above 0.0144 over 1m12s and 6s")
    assert re.fullmatch(r"  measured  [0-9.]+% of events failed over 1m12s: burn rate .*", measured)
    assert any(re.fullmatch(r"  manifest  .*customer-b.yaml:\d+, as it is now", r) for r in rest)
    assert any(re.fullmatch(r"  notified  .*board \(webhook\)", line) for line in rest)


def no_rule_fails(episode: Episode) -> None:
    (failures,) = episode.running.query("sum(prometheus_rule_evaluation_failures_total)")
    assert failures["value"][1] == "0"


CHECKS = (
    every_tenants_heartbeat_arrives,
    each_channel_of_the_page_is_notified_once_and_no_other,
    longer_windows_fire_too_and_are_inhibited,
    no_other_tenant_is_notified,
    nothing_is_notified_before_anything_happens,
    every_page_is_right,
    the_short_window_measures_the_exporters_error_ratio,
    each_channel_of_the_page_is_notified_when_it_is_over,
    a_ticket_remains_when_the_page_is_over,
    a_renamed_metric_notifies_its_own_tenant_only,
    status_shows_what_burns_what_is_missing_and_what_is_not_deployed,
    no_panel_of_the_dashboards_is_empty,
    a_received_page_is_explained_by_its_manifest,
    no_rule_fails,
)


@pytest.mark.parametrize(("suite", "error_ratio"), [("bookworm", 1.0), ("forky", 0.3)])
def test_the_right_people_get_the_right_notifications(
    suite: str, error_ratio: float, subtests: pytest.Subtests
) -> None:
    with scene(suite) as running:
        episode = play(running, error_ratio)
        for check in CHECKS:
            with subtests.test(check.__name__):
                check(episode)
