"""VictoriaMetrics and vmalert beside Prometheus: the scene of the examples' seven tenants.

One episode of about four minutes. The services of four tenants fail, so that their alerts must fire
in all engines at the same time; those of one disappear; two tenants lose most of their traffic,
which must not look like errors in any engine.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from demo.exporter import Exporter
from demo.servers import get_json
from side_by_side import EVALUATION, WINDOWS, Clock, Engine, Labels, side_by_side

from slo_compiler.duration import Duration

LOG = logging.getLogger(__name__)  # pytest --log-cli-level=INFO shows what was measured
SUITE = "forky"
APART = 30  # seconds between an alert of one engine and that of the other, at most
EQUAL = 1e-6

# Each service that fails: by which share, 40 times the error budget of its objective (payments and
# pages of customer-d: 40 and 80 times). The numbers make whole errors in each step of the clock.
FAILS = {
    ("customer-a", None): 0.02,
    ("customer-b", None): 0.04,
    ("customer-d", "web"): 0.4,
    ("customer-d", "api"): 0.04,
    ("customer-d", "payments"): 0.02,
    ("customer-e", None): 0.4,
    ("customer-f", None): 0.8,
}
# Error ratio, and what is left of the traffic. internal-api counts good events, customer-c those of
# a histogram's bucket: errors are a difference, and all of the lost traffic would be errors if its
# two sides were of different moments.
DROPS = {"customer-c": (0.04, 0.1), "internal-api": (0.0008, 0.5)}
VANISHES = ("customer-b", "customer-d", "customer-e", "customer-f")  # one of them

# When alerts fire. A service fails at F. A ratio over n evaluations is e * x / (n * 20 s), x after
# what is counted began to fail: its base samples reach back 20 s each, and there are 3 of them in
# 1m20s, 5 in 2m. So burn rates of 25 and 31 are exceeded at x = 37.5 and 77.5 s where a service
# burns 40 times its budget, and at half of that where it burns 80 times: by the 4th, 8th and 16th
# step of the exporter's clock, of 5 s, that it fails. The first of them is at most 5 s after F, so
# that the exporter shows enough of them at F + 20, 40 and 80 s, or up to 5 s before. All three are
# F modulo 20 s.
#
# An engine has it up to 5 s later (a scrape), VictoriaMetrics shows it up to 4 s after that. So the
# base rules of vmalert can read it from F - 5 s to F + 9 s on, modulo 20 s. They are evaluated at
# 0 s, and alerts 10 s later, in the third hop. With F at 8 s, or a second later as that is when
# this test looks, no evaluation lies amid (3 to 18 s), and vmalert's alerts fire at F + 12 + 10 s.
# Prometheus evaluates all at once, at a phase that depends on names and paths: from F - 5 s to
# F + 5 + 20 s. So vmalert is from 3 s earlier to 27 s later.
FAIL_AT = 8
FILL_SECONDS = 85  # before F: a window is full by then, or before it is exceeded
BURN_SECONDS = 140  # after F: windows of 2m are full of failures

# Alerts on data are evaluated once a minute, in Prometheus at a phase of its own, too. Metrics of a
# tenant disappear so that its data end in the middle of the longer of the two arcs between the
# phases: the engines' evaluations then follow each other by the shorter one, at most half a minute,
# and by much less as it is the tenant of which it is shortest. Data end 15 to 42 s afterwards.
DATA_END = 28
MINUTE = 60
PATIENCE = 330  # seconds

PARTS = ("tenant", "service", "slo", "tier")
# Fires from the start: a minute at most after that of each engine, which are not started at once.
WATCHDOG = ("alertname", "SLOWatchdog")
NO_PAGES, PAGES_SHORT = {"customer-f"}, "1m"  # who has no page, and a window of pages alone
TENANTS = {*(tenant for tenant, _ in FAILS), *DROPS}


@dataclass
class Episode:
    """What happens to the tenants, and when."""

    folder: Path
    exporter: Exporter
    engines: Sequence[Engine]
    started: float = field(default_factory=time.time)
    vanished: str = ""

    def play(self) -> None:
        """Let services fail, traffic drop and a tenant vanish; look until all alerts are seen."""
        self._watch(self.started + MINUTE + 2)  # each group of Prometheus was evaluated by then
        vanishes, shortest, data_end = min(
            ((name, *self._arc(name)) for name in VANISHES), key=lambda found: found[1]
        )
        assert shortest <= MINUTE / 2
        broken_at = _next(self.started + FILL_SECONDS, FAIL_AT, EVALUATION)
        until, broken, vanishes_at = broken_at + BURN_SECONDS, False, 0.0
        while time.time() < until or not (self.vanished and self._all_seen()):
            if not broken and time.time() >= broken_at:
                broken = True
                self._break(vanishes)
            if not vanishes_at and self._is_known(vanishes):
                vanishes_at = _next(time.time(), data_end - DATA_END, MINUTE)
            if not self.vanished and 0 < vanishes_at <= time.time():
                self.exporter.rename(vanishes)
                self.vanished = vanishes
            self._watch(time.time() + 1)
            if time.time() > self.started + PATIENCE:
                return

    def expected(self) -> set[tuple[str, ...]]:
        """Return the alerts that have to fire, by name, tenant, service, SLO and tier."""
        found = set()
        for path in sorted(self.folder.glob("prometheus/rules/*.yml")):
            groups = yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
            rules = [rule for group in groups for rule in group["rules"]]
            for rule in rules:
                labels = rule.get("labels", {})
                alert = rule.get("alert")
                burns = alert == "SLOErrorBudgetBurn" and "escalation" not in labels
                fails = path.stem in {tenant for tenant, _ in FAILS} - {self.vanished}
                if (burns and fails) or alert == "SLOWatchdog":
                    found.add((alert, *(labels[name] for name in PARTS)))
                if rule.get("record") == "slo_info" and path.stem == self.vanished:
                    found.add(("SLONoData", *(labels[name] for name in PARTS[:3]), "no-data"))
        return found

    def _all_seen(self) -> bool:
        return all(self.expected() <= set(map(named, each.seen)) for each in self.engines)

    def _watch(self, until: float) -> None:
        while True:
            for engine in self.engines:
                engine.look()
            if time.time() >= until:
                return
            time.sleep(max(0.0, min(1.0, until - time.time())))

    def _break(self, vanishes: str) -> None:
        for (tenant, job), ratio in FAILS.items():
            if tenant != vanishes:
                self.exporter.set_error_ratio(tenant, ratio, job=job)
        for tenant, (_, share) in DROPS.items():
            self.exporter.set_traffic(tenant, share)

    def _is_known(self, name: str) -> bool:
        """Whether each engine has recorded that the tenant's SLOs exist, which is done rarely."""
        return all(engine.query(f'slo_info{{tenant="{name}"}}') for engine in self.engines)

    def _arc(self, name: str) -> tuple[float, float]:
        """Return the shorter arc between evaluations of a tenant's data, and amid the longer."""
        one, other = sorted(self._phases(name))
        inner = other - one
        if inner >= MINUTE / 2:
            return MINUTE - inner, one + inner / 2
        return inner, (other + (MINUTE - inner) / 2) % MINUTE

    def _phases(self, name: str) -> tuple[float, float]:
        """Return at which second of a minute the engines look for missing data of a tenant."""
        groups = get_json(f"{self.engines[0].alerts_url}/api/v1/rules")["data"]["groups"]
        (health,) = (group for group in groups if group["name"] == f"slo-{name}-health-1")
        own = datetime.fromisoformat(health["lastEvaluation"]).timestamp() % MINUTE
        rules = self.folder / f"victoriametrics/rules/{name}.yml"
        (group,) = (
            group
            for group in yaml.safe_load(rules.read_text(encoding="utf-8"))["groups"]
            if any(rule.get("alert") == "SLONoData" for rule in group["rules"])
        )
        assert group["interval"] == "1m"
        return own, Duration.parse(group["eval_offset"]).ms / 1000


def _next(after: float, phase: float, interval: float) -> float:
    """Return the next time of this phase."""
    return after + (phase - after) % interval


def named(labels: Labels) -> tuple[str, ...]:
    own = dict(labels)
    return tuple(own[name] for name in ("alertname", *PARTS))


def test_all_engines_fire_the_same_alerts_within_30_s_and_none_when_traffic_drops(
    tmp_path: Path,
) -> None:
    with Exporter(clock_ns=Clock()) as exporter:
        for tenant, (ratio, _) in DROPS.items():
            exporter.set_error_ratio(tenant, ratio)
        with side_by_side(tmp_path, exporter, SUITE, (SUITE,)) as engines:
            episode = Episode(tmp_path, exporter, engines)
            episode.play()
            first, *others = engines

            assert {*map(named, first.seen)} == episode.expected()
            for other in others:
                assert {*other.seen} == {*first.seen}  # with all labels, and so their routes
                LOG.info("%s: %s", other.name, "; ".join(differences(first, other)))
                for labels in first.seen:
                    apart = MINUTE + APART if WATCHDOG in labels else APART
                    late = other.seen[labels] - first.seen[labels]
                    assert abs(late) <= apart, (other.name, sorted(labels), late)
            for engine in engines:
                assert not [text for text in engine.summaries if "unknown" in text]

            for window in WINDOWS:
                # What has vanished is in the window still, cut off at each engine's own evaluation.
                ratios = first.ratios(window, without=episode.vanished)
                present = {dict(labels)["tenant"] for labels in ratios}
                recorded = TENANTS - NO_PAGES if window == PAGES_SHORT else TENANTS
                assert present == recorded - {episode.vanished}
                assert max(ratios.values()) > 0.01
                for other in others:
                    measured = other.ratios(window, without=episode.vanished)
                    assert measured == pytest.approx(ratios, abs=EQUAL)

            for engine in engines:
                assert [*wrong_ratios(engine)] == []
            for other in others:
                failed = (
                    "vmalert_recording_rules_errors_total",
                    "vmalert_alerting_rules_errors_total",
                )
                for metric in (*failed, "vmalert_iteration_missed_total"):
                    found = other.query(f'sum({metric}{{group=~"slo-.*"}})')
                    assert [float(each["value"][1]) for each in found] == [0.0]
                checked, missed = hops_missed(other)
                assert checked > 15
                assert len(missed) <= checked // 5, missed  # on a busy machine, now and then


def differences(first: Engine, other: Engine) -> Iterator[str]:
    """Describe how much later an engine's alerts were than Prometheus'."""
    late: dict[str, list[float]] = {}
    for labels, at in first.seen.items():
        late.setdefault(dict(labels)["alertname"], []).append(other.seen[labels] - at)
    for name, each in sorted(late.items()):
        yield f"{name}: {len(each)}, {min(each):.0f} to {max(each):.0f} s later"


def wrong_ratios(engine: Engine) -> Iterator[tuple[str, str, float, float]]:
    """Compare all error ratios that were recorded of tenants whose traffic dropped."""
    for tenant, (expected, _) in DROPS.items():
        for window in WINDOWS:
            name = f"slo:error_ratio:rate{window}"
            (series,) = engine.query(f'{name}{{tenant="{tenant}"}}[6m]')
            assert len(series["values"]) > 8
            for at, value in series["values"]:
                if abs(float(value) - expected) > EQUAL:
                    yield tenant, name, float(at), float(value)


def hops_missed(engine: Engine) -> tuple[int, list[tuple[str, float, float, float]]]:
    """Evaluate recorded ratios and burn rates again, when all that they read is there.

    Gives how many there are, and those that were something else then: what they read was not there.
    """
    again = {
        "slo:error_ratio:rate2m": "sum_over_time(slo:errors:rate[100s]) / "
        "(sum_over_time(slo:events:rate[100s]) > 0)",
        "slo:burn_rate:ratio2m": "slo:error_ratio:rate2m / on (tenant, service, slo) group_left "
        "slo:error_budget:ratio",
    }
    checked, missed = 0, []
    for name, expression in again.items():
        (series,) = engine.query(f'{name}{{tenant="customer-a"}}[4m]')
        for at, value in series["values"]:
            results = engine.query(expression, at)
            (now,) = (
                float(r["value"][1]) for r in results if r["metric"]["tenant"] == "customer-a"
            )
            checked += 1
            if now != pytest.approx(float(value), rel=1e-6):
                missed.append((name, at, float(value), now))
    return checked, missed
