"""Rules of the shape that Sloth documents, for the same SLOs: what else would page, and when.

From slok/sloth, examples/_gen/getting-started.yml: groups of windows and of alerts that name no
interval, and an alert for each severity. Here each half of that alert's `or` is one of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from oracle.streams import Scenario

from slo_compiler import naming
from slo_compiler.diagnostics import Position
from slo_compiler.duration import Duration
from slo_compiler.render import Group, Rule, TenantRules

_WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
_TIERS = (
    ("page", "14.4", "5m", "1h"),
    ("page", "6", "30m", "6h"),
    ("ticket", "3", "2h", "1d"),
    ("ticket", "1", "6h", "3d"),
)
_NOWHERE = Position("sloth")
ALERT = "SlothBurnAlert"


def planned(service: str, scenarios: tuple[Scenario, ...], evaluation: int) -> TenantRules:
    """Give the rules of an SLO of 99.9 % for each scenario, in two groups."""
    parts = {
        "sli-recordings": [rule for s in scenarios for rule in _recordings(s, service)],
        "alerts": [rule for s in scenarios for rule in _alerts(s, service)],
    }
    groups = (
        Group(f"sloth-slo-{part}-{service}", Duration(evaluation), tuple(rules))
        for part, rules in parts.items()
    )
    return TenantRules(service, "sloth", tuple(groups))


def _recordings(scenario: Scenario, service: str) -> Iterator[Rule]:
    total = f'{scenario.metric}{{scenario="{scenario.name}"'
    for window in _WINDOWS:
        expr = (
            f'(sum(rate({total},code="500"}}[{window}])))\n/\n(sum(rate({total}}}[{window}])) > 0)'
        )
        labels = (*_identity(scenario, service), ("sloth_window", window))
        yield Rule(f"slo:sli_error:ratio_rate{window}", expr, _NOWHERE, labels)


def _alerts(scenario: Scenario, service: str) -> Iterator[Rule]:
    own = ",".join(f'{name}="{value}"' for name, value in _identity(scenario, service))
    for severity, factor, *windows in _TIERS:
        expr = " and ignoring (sloth_window) ".join(
            f"(slo:sli_error:ratio_rate{window}{{{own}}} > ({factor} * 0.001))"
            for window in windows
        )
        labels = (*_identity(scenario, service), (naming.SEVERITY, severity))
        yield Rule(ALERT, expr, _NOWHERE, labels, alert=True)


def _identity(scenario: Scenario, service: str) -> tuple[tuple[str, str], ...]:
    return (("sloth_id", f"{service}-{scenario.name}"), (naming.SLO, scenario.name))
