"""How many series a real Prometheus has for the selectors of SLOs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from slo_compiler import live
from slo_compiler.cost import Assumed
from slo_compiler.live.client import Client, RefusedError
from slo_compiler.live.selectors import CheckedSLO
from slo_compiler.plan import PlannedTenant
from slo_compiler.plan.tenant import Identity, identity
from slo_compiler.promql import Selector
from slo_compiler.render.base import events_expression
from slo_compiler.templating import render_expression

KeyT = TypeVar("KeyT")


def count_series(client: Client, planned: Sequence[PlannedTenant], assumed: Assumed) -> Assumed:
    """Query how many series each selector matches now, and how many each SLO with `by` has.

    What the server refuses stays as it is assumed.

    Raises:
        ServerError: no Prometheus answers.
    """
    client.connect()
    counted: dict[Selector, float] = {}
    combinations: dict[Identity, float] = {}
    for subject in live.subjects(planned):
        for used in subject.asked:
            _query(client, str(used.selector), counted, used.selector)
        expr = _events(subject)
        if expr is not None:
            _query(client, expr, combinations, identity(subject.tenant, subject.slo))
    for tenant in planned:
        for slo in tenant.slos:
            parts = [combinations.get(each.identity, assumed.values) for each in slo.components]
            if slo.by and parts:
                combinations[slo.identity] = max(parts)
    return Assumed(assumed.series, assumed.values, counted, combinations)


def _events(subject: CheckedSLO) -> str | None:
    if not subject.slo.by:
        return None
    timing = subject.timing
    return events_expression(subject.tenant, subject.slo, timing, timing.base_range)


def _query(client: Client, expr: str, found: dict[KeyT, float], key: KeyT) -> None:
    try:
        found[key] = client.number(render_expression("live/series", selector=expr)) or 0
    except RefusedError:
        return
