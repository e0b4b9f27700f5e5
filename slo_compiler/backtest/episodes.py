"""When an alert fired: the moments at which it did, joined into episodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from slo_compiler import naming
from slo_compiler.backtest.engine import HistoryEngine
from slo_compiler.backtest.moments import History
from slo_compiler.backtest.scope import BacktestScope
from slo_compiler.duration import Duration
from slo_compiler.plan.tenant import Identity
from slo_compiler.promql import Matcher, Selector

# Alertmanager's default group_interval: an alert that is back sooner does not notify again.
PAUSE = Duration.of(minutes=5)
_NOT_OWN = frozenset(
    {
        *(*naming.IDENTITY, naming.SEVERITY, naming.TIER, naming.ESCALATION),
        *(naming.LONG_WINDOW, naming.SHORT_WINDOW, "alertname", "alertstate", "__name__"),
    }
)


@dataclass(frozen=True, slots=True)
class Episode:
    """An alert that fired, from one evaluation to another."""

    slo: Identity
    tier: str
    severity: str
    escalation: str  # 2 and more of alerts that fire later, for others
    by: Mapping[str, str]  # labels of the series, of an SLO with `by`
    start: int
    end: int  # the first evaluation at which it does not fire
    before: bool  # whether it fired already when the span began
    open: bool  # whether it still fires when the span ends
    shadow: bool = False  # its alert does not notify
    budget_at_start: float | None = None
    budget_at_end: float | None = None

    @property
    def first(self) -> bool:
        """Whether it is an alert of the first level: those of an escalation fire beside it."""
        return not self.escalation or self.escalation == "1"


def joined(moments: Sequence[int], interval: Duration) -> Iterator[tuple[int, int]]:
    """Give the first and the last of moments that are at most a pause apart.

    Args:
        moments: at which an alert fired, in order.
        interval: at which it is evaluated.
    """
    gap = max(PAUSE, interval).ms
    start = last = None
    for at in moments:
        if start is None or last is None:
            start = last = at
        elif at - last > gap:
            yield start, last
            start = last = at
        else:
            last = at
    if start is not None and last is not None:
        yield start, last


def episodes_of(engine: HistoryEngine, scope: BacktestScope, span: History) -> list[Episode]:
    """Read the alerts that fired in a span, the earliest first, with what was left of budgets."""
    wanted = {slo.identity: slo for slo in scope.slos}
    firing = Selector("ALERTS", (Matcher("alertstate", "=", "firing"),))
    found: list[Episode] = []
    lead = History(span.start - scope.lead.ms, span.end)
    for selector in (str(firing), naming.SHADOW_ALERT):
        for labels, moments in engine.series(selector, lead):
            identity = Identity(*(labels.get(name, "") for name in naming.IDENTITY))
            if identity not in wanted:
                continue
            name = labels.get("alertname", selector)
            by = {k: v for k, v in labels.items() if k in wanted[identity].by}
            interval = scope.interval_of(name, labels)
            shadow = selector == naming.SHADOW_ALERT
            found += _episodes(labels, by, identity, moments, interval, span, shadow=shadow)
    found.sort(key=lambda each: (each.start, each.slo.labels, each.tier, each.escalation))
    return [_with_budgets(each, engine) for each in found]


def _episodes(
    labels: Mapping[str, str],
    by: Mapping[str, str],
    identity: Identity,
    moments: Sequence[int],
    interval: Duration,
    span: History,
    *,
    shadow: bool,
) -> Iterable[Episode]:
    for start, last in joined(moments, interval):
        end = last + interval.ms
        if end <= span.start:
            continue
        yield Episode(
            slo=identity,
            tier=labels.get(naming.TIER, labels.get("alertname", "")),
            severity=labels.get(naming.SEVERITY, ""),
            escalation=labels.get(naming.ESCALATION, ""),
            by=by,
            start=max(start, span.start),
            end=min(end, span.end),
            before=start < span.start,
            open=end > span.end,
            shadow=shadow,
        )


def _with_budgets(each: Episode, engine: HistoryEngine) -> Episode:
    return replace(
        each,
        budget_at_start=budget(engine, each.slo, each.start),
        budget_at_end=budget(engine, each.slo, each.end),
    )


def budget(engine: HistoryEngine, slo: Identity, at: int) -> float | None:
    """Query what is left of an SLO's budget; of the worst series, where it has several."""
    matchers = tuple(Matcher(name, "=", value) for name, value in slo.labels)
    return engine.number(f"min({Selector(naming.BUDGET_REMAINING, matchers)})", at)
