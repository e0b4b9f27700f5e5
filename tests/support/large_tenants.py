"""Tenants of many SLOs, steps or channels, by which limits are tested and measured."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import yaml

HOOK = {"name": "hook", "webhook": {"url": "http://hooks.internal/acme"}}
PAGE, TICKET = ({"severity": severity, "notify": ["hook"]} for severity in ("page", "ticket"))


def manifest(
    slos: int,
    escalation: Iterable[object] = (PAGE, TICKET),
    channels: Iterable[object] = (HOOK,),
    *,
    counter: str = "x{}_total",
) -> str:
    """Write a tenant; `{}` in the counter's name is for the SLO's number."""
    return yaml.safe_dump(
        {
            "apiVersion": "slo-compiler/v1",
            "kind": "Tenant",
            "metadata": {"name": "acme", "owner": "acme-sre"},
            "spec": {
                "channels": [*channels],
                "escalation": [*escalation],
                "slos": [
                    {
                        "name": f"s{n}",
                        "service": "web",
                        "objective": 99.9,
                        "sli": {
                            "ratio": {
                                "errors": f'{counter.format(n)}{{code="500"}}',
                                "total": counter.format(n),
                            }
                        },
                    }
                    for n in range(slos)
                ],
            },
        },
        sort_keys=False,
    )


def levels(number: int, channels: Iterable[str] = ("hook",)) -> list[object]:
    """Page at one minute, two minutes, and so on."""
    return [
        {"severity": "page", "firing_for": f"{n}m", "notify": [*channels]}
        for n in range(1, number + 1)
    ]


def budgets(number: int) -> list[object]:
    """Notify where less than 99 %, 98.9 %, and so on of the budget are left."""
    return [
        {"budget_below": f"{Decimal(99) - Decimal(n) / 10}%", "notify": ["hook"]}
        for n in range(number)
    ]


MANY = [
    HOOK,
    *({"name": f"c{n}", "webhook": {"url": f"http://h.internal/{n}"}} for n in range(500)),
]
