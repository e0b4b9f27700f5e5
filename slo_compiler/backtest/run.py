"""A backtest from its questions to its result: fetch, evaluate, read what fired."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from slo_compiler.backtest import engine as engines
from slo_compiler.backtest.engine import EnginePrograms
from slo_compiler.backtest.episodes import Episode, budget, episodes_of
from slo_compiler.backtest.fetch import FetchedSelector, fetch
from slo_compiler.backtest.moments import History, floored
from slo_compiler.backtest.replay import replay
from slo_compiler.backtest.scope import BacktestScope
from slo_compiler.backtest.store import ChunkStore
from slo_compiler.duration import Duration
from slo_compiler.live.client import Client, Headers
from slo_compiler.plan.slo import PlannedSLO
from slo_compiler.plan.tenant import Identity

_WHOLE = Duration.of(hours=1)  # evaluations begin at whole hours, as those of all intervals do
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class HistorySource:
    """A Prometheus, the headers of its queries, and where its answers are kept."""

    client: Client
    headers: Headers
    store: ChunkStore


@dataclass(frozen=True, slots=True)
class SLOBacktest:
    """What came of an SLO."""

    slo: PlannedSLO
    budget_at_end: float | None
    first: int | None  # its first sample, in milliseconds
    missing: tuple[str, ...]  # selectors that have no sample


@dataclass(frozen=True, slots=True)
class Backtest:
    """What came of one state of the manifests."""

    span: History
    needed: Duration  # of history before it, for whole windows and periods
    slos: tuple[SLOBacktest, ...]
    episodes: tuple[Episode, ...]
    evaluated_every: tuple[Duration, ...]  # the intervals of the alerts
    sampled_every: tuple[Duration, ...]  # of the selectors
    samples: int

    def of(self, slo: Identity) -> list[Episode]:
        """Give the episodes of an SLO."""
        return [each for each in self.episodes if each.slo == slo]


class NoHistoryError(Exception):
    """The Prometheus has no sample of anything that the rules read."""


def backtest(
    source: HistorySource,
    programs: EnginePrograms,
    scope: BacktestScope,
    span: History,
    progress: Progress,
) -> Backtest:
    """Evaluate the rules of a state over a span of history.

    Raises:
        NoHistoryError: there is no sample.
        EngineError: VictoriaMetrics or vmalert fails, or leaves something out.
        ServerError: no Prometheus answers.
        RefusedError: it refuses a query.
        OSError: a folder cannot be written.
    """
    lead = History(floored(span.start - scope.lead.ms, _WHOLE), span.end)
    whole = History(floored(lead.start - scope.reach.ms, _WHOLE), span.end)
    with TemporaryDirectory(prefix="slo-compiler-") as temporary:
        folder = Path(temporary)
        texts = [each.text for each in scope.selectors]
        scratch = ChunkStore(folder / "young")
        fetched = fetch(
            source.client, source.headers, texts, whole, source.store, scratch, progress
        )
        if not any(each.samples for each in fetched):
            raise NoHistoryError
        first = min(each.first for each in fetched if each.first is not None)
        # Before its first sample nothing can be recorded, so nothing is evaluated either.
        whole = History(max(whole.start, floored(first, _WHOLE)), whole.end)
        lead = History(max(lead.start, whole.start), lead.end)
        with engines.started(programs.store, folder) as engine:
            for each in fetched:
                engine.write(each.chunks)
            engine.flush()
            replay(engine, programs.vmalert, scope, whole, lead, folder, progress)
            progress("reading what fired", 0, 0)
            episodes = episodes_of(engine, scope, span)
            budgets = {s.identity: budget(engine, s.identity, span.end) for s in scope.slos}
    return Backtest(
        span,
        Duration(scope.reach.ms),
        tuple(_outcome(slo, budgets[slo.identity], scope, fetched) for slo in scope.slos),
        tuple(episodes),
        tuple(sorted({e.interval for hop in scope.hops for e in hop if e.rule.alert})),
        tuple(sorted({each.every for each in fetched if each.every is not None})),
        sum(each.samples for each in fetched),
    )


def _outcome(
    slo: PlannedSLO,
    left: float | None,
    scope: BacktestScope,
    fetched: Sequence[FetchedSelector],
) -> SLOBacktest:
    by_text: Mapping[str, FetchedSelector] = {each.selector: each for each in fetched}
    identities = {slo.identity, *(p.identity for p in slo.components)}
    own = [by_text[each.text] for each in scope.selectors if identities & {*each.slos}]
    return SLOBacktest(
        slo,
        left,
        min((each.first for each in own if each.first is not None), default=None),
        tuple(each.selector for each in own if not each.samples),
    )
