"""Break one tenant's service; its pages arrive, and nobody else hears of it. Then heal it.

Starts a real Prometheus and a real Alertmanager on loopback, with the configuration that the
compiler makes of the examples, an exporter with the tenants' traffic, and a sink in place of
Slack, PagerDuty, mail and webhooks; stops all of it at the end. Exits 1 if any notification that
the manifests promise is missing, or one arrives that they do not.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

# A script finds what lies beside it, but not the package that it is a part of.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from demo.scene import HEARTBEAT, Scene, scene
from demo.servers import ServerError
from demo.sink import Notification, Status
from slo_compiler.duration import Duration
from slo_compiler.tools import ToolsError, version

TENANT = "customer-b"
ERROR_RATIO = 0.3
PAGED = ("incident", "oncall", "sre", "board")
"""The channels that its manifest pages at once; `lead` hears of it after 15 minutes only."""

TIERS = 4
PACE_SECONDS = 2.0
PATIENCE_SECONDS = 120.0

BURN_RATE = "slo:burn_rate:ratio"
COLUMNS = "{:<8}  {:<8}  {:>9}{:>9}{:>9}{:>9}  {:>11}  {:<10}  {}"
INDENT = " " * 10
INTERRUPTED = 130  # as shells have it


def main() -> int:
    """Play the demonstration; the exit code."""
    # A terminated process would leave its servers behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    say("Compiling the examples, and starting Prometheus and Alertmanager ...")
    try:
        with scene(on_notification=tell) as running:
            introduce(running)
            wrong = [*burn(running), *heal(running), *sum_up(running)]
            say("\nStopping all that was started ...")
    except KeyboardInterrupt:
        say("\nInterrupted: all that was started is stopped.")
        return INTERRUPTED
    except (ToolsError, ServerError, OSError, subprocess.CalledProcessError) as error:
        print(f"The demo cannot run: {error}", file=sys.stderr)
        return 1
    for line in wrong:
        say(f"WRONG: {line}")
    return 1 if wrong else 0


def introduce(running: Scene) -> None:
    """Say what runs, and how the tenant fares before anything happens."""
    binaries = running.toolset / "usr/bin"
    say(f"  Prometheus {version(binaries / 'prometheus'):<8} {running.prometheus_url}/alerts")
    say(
        f"  Alertmanager {version(binaries / 'prometheus-alertmanager'):<6} "
        f"{running.alertmanager_url}/#/alerts"
    )
    heartbeats = {
        n.payload["commonLabels"]["tenant"]
        for n in running.sink.notifications
        if n.destination == HEARTBEAT
    }
    say(f"  {len(heartbeats)} tenants, each with a heartbeat")
    say(f"  {TENANT}'s windows are those of the SRE Workbook, at 50 times the speed")
    say("")
    headline(running)
    watch(running, "healthy", lambda: False, seconds=2 * PACE_SECONDS)


def burn(running: Scene) -> list[str]:
    """Break the tenant until all of its alerts fire; what was missing."""
    announce(f"{ERROR_RATIO:.0%} of {TENANT}'s requests fail from now on")
    start = time.time()
    running.exporter.set_error_ratio(TENANT, ERROR_RATIO)
    paged = watch(running, "broken", lambda: all_told(running, "firing", start))
    if paged:
        announce(f"paged after {time.time() - start:.0f} s; the e-mail says:")
        sre = running.channel(TENANT, "sre")
        mail = next(n for n in running.sink.notifications if sre.got(n))
        for line in filter(None, mail.text.splitlines()):
            say(INDENT + line)
        announce("alerts with longer windows follow, and are inhibited: nobody is told twice")
        watch(running, "broken", lambda: len(firing_tiers(running)) == TIERS)
        watch(running, "broken", lambda: False, seconds=3 * PACE_SECONDS)
    told = Counter(name for name, _ in told_since(running, start))
    return [
        f"{TENANT}'s {name} was to get one notification, and got {told[name]}"
        for name in PAGED
        if told[name] != 1
    ]


def heal(running: Scene) -> list[str]:
    """Heal the tenant until its channels know; what was missing."""
    announce(f"{TENANT} is healed; page-fast ends first, and no longer inhibits page-slow")
    start = time.time()
    running.exporter.heal(TENANT)

    def ticket() -> bool:
        return any("ticket" in n.title for n in running.sink.notifications)

    watch(running, "healed", lambda: all_told(running, "resolved", start), pace=2 * PACE_SECONDS)
    announce("the page is over; a ticket remains for the budget that burned")
    watch(running, "healed", ticket)
    told = told_since(running, start)
    missing = [
        f"{TENANT}'s {name} was not told that it is over"
        for name in PAGED
        if (name, "resolved") not in told
    ]
    return missing if ticket() else [*missing, f"{TENANT} got no ticket"]


def sum_up(running: Scene) -> list[str]:
    """Say who got what; what nobody should have got."""
    announce("who got what:")
    counts: dict[str, dict[str, Counter[Status]]] = {
        tenant: {} for tenant in sorted({channel.tenant for channel in running.channels})
    }
    astray = []
    for notification in running.sink.notifications:
        channel = running.receiver(notification)
        if channel:
            of_tenant = counts[channel.tenant]
            of_tenant.setdefault(channel.name, Counter())[notification.status] += 1
        elif notification.destination != HEARTBEAT:
            astray.append(f"this reached no tenant's channel: {notification}")
    for name, got in counts[TENANT].items():
        channel = running.channel(TENANT, name)
        say(
            f"{INDENT}{TENANT}  {name:<9} {channel.kind:<10} {channel.destination:<26}"
            f"{got['firing']} firing, {got['resolved']} resolved"
        )
    others = [tenant for tenant in counts if tenant != TENANT]
    disturbed = [tenant for tenant in others if counts[tenant]]
    if not disturbed:
        say(f"{INDENT}the other {len(others)} tenants got nothing: {', '.join(others)}")
    astray += [f"{tenant} was to hear nothing of {TENANT}" for tenant in disturbed]
    unasked = sorted({*counts[TENANT]} - {*PAGED})
    return astray + [f"{TENANT}'s {name} was to hear nothing yet" for name in unasked]


def told_since(running: Scene, start: float) -> list[tuple[str, Status]]:
    """Tell which of the tenant's channels were told what."""
    return [
        (channel.name, notification.status)
        for notification in running.sink.notifications
        if notification.at >= start
        and (channel := running.receiver(notification))
        and channel.tenant == TENANT
    ]


def all_told(running: Scene, status: Status, start: float) -> bool:
    """Tell whether every channel that is paged has been told so since then."""
    return {*told_since(running, start)} >= {(name, status) for name in PAGED}


def watch(
    running: Scene,
    phase: str,
    until: Callable[[], bool],
    *,
    pace: float = PACE_SECONDS,
    seconds: float = PATIENCE_SECONDS,
) -> bool:
    """Show how the tenant fares every few seconds, until it is as wanted; whether it came so."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        show(running, phase)
        shown = time.monotonic()
        while time.monotonic() < min(shown + pace, deadline):
            if until():
                return True
            time.sleep(0.1)
    return False


def headline(running: Scene) -> None:
    """Head the columns."""
    windows = [str(window) for window in burn_rates(running)]
    say(f"{INDENT}{TENANT}'s burn rate over")
    say(COLUMNS.format("time", "", *windows, "budget left", "gone in", "firing"))


def show(running: Scene, phase: str) -> None:
    """Print one line of the tenant's figures."""
    of_tenant = f'{{tenant="{TENANT}"}}'
    left = running.query(f"slo:error_budget_remaining:ratio{of_tenant}")
    gone = running.query(f"slo:error_budget_exhaustion:seconds{of_tenant}")
    say(
        COLUMNS.format(
            clock(),
            phase,
            *(f"{rate:.2f}" for rate in burn_rates(running).values()),
            f"{float(left[0]['value'][1]):.1%}" if left else "-",
            span(float(gone[0]["value"][1])) if gone else "-",
            " ".join(firing_tiers(running)) or "-",
        )
    )


def burn_rates(running: Scene) -> dict[Duration, float]:
    """Ask for the burn rates over the long windows, shortest first."""
    answer = running.query(f'{{__name__=~"{BURN_RATE}.+",tenant="{TENANT}"}}')
    rates = {
        Duration.parse(rate["metric"]["__name__"].removeprefix(BURN_RATE)): float(rate["value"][1])
        for rate in answer
    }
    return dict(sorted(rates.items()))


def firing_tiers(running: Scene) -> list[str]:
    """Ask which tiers fire, the most urgent first."""
    firing = f'ALERTS{{tenant="{TENANT}",alertstate="firing",long_window!="",escalation=""}}'
    labels = [alert["metric"] for alert in running.query(firing)]
    labels.sort(key=lambda label: Duration.parse(label["long_window"]))
    return [label["tier"] for label in labels]


def span(seconds: float) -> str:
    """Print the two largest units of a span: `1d 2h`."""
    parts: list[str] = []
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, length)
        if count or parts:
            parts.append(f"{count:.0f}{unit}")
    return " ".join(parts[:2]) or "0s"


def tell(notification: Notification) -> None:
    """Print a notification as it arrives; heartbeats are counted later."""
    if notification.destination != HEARTBEAT:
        say(str(notification))


def announce(text: str) -> None:
    """Print what happens now, apart from the rest."""
    say(f"\n{clock()}  {text}")


def clock() -> str:
    """Print the time as the notifications do."""
    return f"{datetime.now(UTC):%H:%M:%S}"


def say(line: str) -> None:
    """Print at once, for whoever reads along through a pipe."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
