"""The worlds that the oracle plays: scenarios, compiled rules, and what the rules recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import yaml
from oracle.engine import Engine, Replay, engine
from oracle.sloth import planned
from oracle.streams import DAY, HOUR, MINUTE, SECOND, Scenario, Stream, burst_loss, random_loss

from slo_compiler import pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.render import TenantRules
from slo_compiler.source import SourceFile

ORIGIN = 1_700_006_400_000  # midnight in UTC
SCRAPE, EVALUATION = 15 * SECOND, 30 * SECOND  # what most installations have
MONTH = 31 * DAY  # a window of 30 days can lie anywhere in the last one

LOOK = (DAY + 4 * HOUR + 37 * MINUTE, MONTH - 1, 26_400 * SECOND)  # from, to, every 7h20m

# When each of a tenant's groups is evaluated, from the tenant's name. Prometheus derives a group's
# phase from its file and name, so that any may happen.
Phase = Callable[[int], int]  # from the group's place among the tenant's to milliseconds
PHASES: Mapping[str, Phase] = {
    "aligned": lambda _group: 0,  # on the minute, as in promtool
    "offset": lambda group: 7_301 + 33_107 * group,
}
MORE_PHASES: Mapping[str, Phase] = {
    **PHASES,
    "early": lambda group: 14_000 + 10 * group,  # each right after the one that it reads
    "late": lambda group: 14_000 - 10 * group,  # each right before, so that it reads the oldest
    "any-1": lambda group: 5_303 + 31_676 * group,
    "any-2": lambda group: 10_606 + 39_595 * group,
    "any-3": lambda group: 15_909 + 47_514 * group,
}


def _diurnal(at: int) -> int:
    """Give events per second: 200 at noon, 20 at midnight."""
    return 20 + 15 * (12 - abs(12 - at // HOUR % 24))


def _night(day: int, minutes: int, share: Fraction) -> tuple[int, int, Fraction]:
    start = day * DAY + 2 * HOUR + 13 * MINUTE + 21_700
    return start, start + minutes * MINUTE + 11_300, share


_NIGHTS = tuple(
    _night(day, minutes, share)
    for day, minutes, share in (
        (2, 187, Fraction(2, 5)),
        (9, 47, Fraction(1)),
        (16, 3, Fraction(1)),
        (23, 305, Fraction(1, 20)),
        (29, 61, Fraction(3, 10)),
    )
)
_DAYTIME = Stream(MONTH, _diurnal, Fraction(1, 5000), _NIGHTS)
_STEADY = Stream(MONTH, lambda _at: 100, Fraction(1, 1000))
_IDLE = Stream(MONTH, lambda at: 50 if 8 <= at // HOUR % 24 < 18 else 0, Fraction(1, 700))
_LATE = Stream(
    MONTH,
    lambda _at: 40,
    Fraction(0),
    [(25 * DAY + 5 * HOUR + 777, 25 * DAY + 11 * HOUR, Fraction(1, 50))],
)
_SPARSE = Stream(MONTH, lambda _at: Fraction(1, 3600), Fraction(1, 10))
_HUGE = Stream(MONTH, lambda _at: 100_000, Fraction(1, 900), _NIGHTS)
_RESTARTS = tuple(day * DAY + 3 * HOUR + 47 * MINUTE + 4_100 for day in range(1, 31))
_GAPS = tuple((d * DAY + 7 * HOUR + 33_000, d * DAY + 7 * HOUR + 633_000) for d in (11, 22))

SCENARIOS = (
    Scenario("steady", _STEADY),
    Scenario("diurnal", _DAYTIME),
    Scenario("diurnal-good", _DAYTIME, form="good", metric="oracle_good_requests_total"),
    Scenario("diurnal-zero", _DAYTIME, initial=0, zeroed=False),
    Scenario("idle-hours", _IDLE),
    Scenario("late-error", _LATE, zeroed=True),
    Scenario("late-error-unborn", _LATE, zeroed=False),
    Scenario("late-error-good", _LATE, form="good", zeroed=False),
    Scenario("resets", _DAYTIME, resets=_RESTARTS),
    Scenario("pods", _DAYTIME, pods=3, pod_life=12 * HOUR, initial=0),
    Scenario("sparse", _SPARSE),
    Scenario("sparse-zero", _SPARSE, initial=0),
    Scenario("huge", _HUGE, initial=0),
    Scenario("lost-random", _DAYTIME, lost=random_loss(1)),
    Scenario("lost-bursts", _DAYTIME, lost=burst_loss(480, 6)),
    Scenario("restarts", _DAYTIME, down=_GAPS),
)

# On the minute it is the edges of ranges that may go wrong, so that these will do.
ON_THE_MINUTE = ("diurnal", "late-error-unborn", "resets", "pods", "lost-random", "restarts")

_ERROR_RATIOS = (Fraction(1), Fraction(1, 5), Fraction(1, 20), Fraction(1, 50))
OUTAGE_WORLD = 4 * DAY
OUTAGE = (3 * DAY + 2 * HOUR + 13_700, 3 * DAY + 9 * HOUR + 13_700)  # longer than short windows
OUTAGES = tuple(
    Scenario(
        f"outage-{share.denominator}",
        Stream(OUTAGE_WORLD, lambda _at: 500, Fraction(0), [(*OUTAGE, share)], every=DAY),
    )
    for share in _ERROR_RATIOS
)

SPIKE_WORLD = 20 * HOUR
SPIKE = Scenario(  # errors for 20s: weighed wrongly, they do not average out
    "spike",
    Stream(
        SPIKE_WORLD,
        lambda _at: 40,
        Fraction(0),
        [(3 * HOUR + 13 * MINUTE + 7_300, 3 * HOUR + 13 * MINUTE + 27_300, Fraction(1))],
    ),
)


def compiled(
    tenants: Iterable[str],
    scenarios: tuple[Scenario, ...],
    scrape: int,
    evaluation: int,
    spec: Mapping[str, object] = MappingProxyType({}),
    slo: Mapping[str, object] = MappingProxyType({}),
) -> tuple[TenantRules, ...]:
    """Compile each scenario as an SLO of each tenant; tenants differ in nothing but the name.

    `spec` and `slo` are more keys of the tenants' manifests and of each SLO.
    """
    report = Report()
    prometheus = {
        "scrape_interval": str(Duration(scrape)),
        "evaluation_interval": str(Duration(evaluation)),
    }
    project = {
        "apiVersion": "slo-compiler/v1",
        "kind": "Project",
        "spec": {"isolation": "none", "prometheus": prometheus, "targets": ["prometheus"]},
    }
    file = SourceFile("p.yaml", "p.yaml", yaml.safe_dump(project).encode())
    settings = pipeline.parse_project(file, Path(__file__).parent, report)
    sources = []
    for tenant in tenants:
        hook = {"name": "hook", "webhook": {"url": "http://hooks.internal/oracle"}}
        slos = [
            {
                "name": scenario.name,
                "service": "oracle",
                "objective": 99.9,
                "sli": yaml.safe_load(scenario.sli),
                **slo,
            }
            for scenario in scenarios
        ]
        manifest = {
            "apiVersion": "slo-compiler/v1",
            "kind": "Tenant",
            "metadata": {"name": tenant, "owner": "oracle"},
            "spec": {
                "channels": [hook],
                "escalation": [
                    {"severity": severity, "notify": ["hook"]} for severity in ("page", "ticket")
                ],
                "slos": slos,
                **spec,
            },
        }
        name = f"{tenant}.yaml"
        sources.append(SourceFile(name, name, yaml.safe_dump(manifest).encode()))
    return pipeline.plan_project(settings, sources, report).rules


@dataclass(frozen=True, slots=True)
class World:
    """What is written and queried: a past of `length`, and the rules of several phases over it."""

    scenarios: tuple[Scenario, ...]
    phases: Mapping[str, Phase]
    length: int
    scrape: int = SCRAPE
    evaluation: int = EVALUATION
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by phase; else all
    sloth: bool = False  # rules of Sloth's shape in place of ours

    @contextmanager
    def played(self, binary: Path, folder: Path) -> Iterator[dict[str, Replay]]:
        """Write the counters and record the rules, half a day at a time, then give the replays."""
        down = {
            scenario.name: tuple((ORIGIN + start, ORIGIN + end) for start, end in scenario.down)
            for scenario in self.scenarios
        }
        with engine(binary, folder) as server:
            replays = {
                phase: Replay(server, self._rules(phase), ORIGIN, self.phases[phase], down)
                for phase in self.phases
            }
            for start in range(0, self.length, DAY // 2):
                end = min(start + DAY // 2, self.length)
                self._scrape(server, start, end)
                for replay in replays.values():
                    replay.advance(ORIGIN + end - 1)
            yield replays

    def of(self, phase: str) -> tuple[Scenario, ...]:
        """Give the scenarios that are played in a phase."""
        only = self.only.get(phase)
        return tuple(each for each in self.scenarios if only is None or each.name in only)

    def _rules(self, phase: str) -> TenantRules:
        if self.sloth:
            return planned(phase, self.of(phase), self.evaluation)
        (rules,) = compiled([phase], self.of(phase), self.scrape, self.evaluation)
        return rules

    def _scrape(self, server: Engine, start: int, end: int) -> None:
        server.write(
            (labels, [(ORIGIN + at, value) for at, value in samples])
            for scenario in self.scenarios
            for labels, samples in scenario.counters(start, end, self.scrape)
        )
