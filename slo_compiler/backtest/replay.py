"""Evaluate rules over history with vmalert, hop by hop, and refuse what is not complete.

`vmalert -replay` silently leaves a rule out whose input cannot be read yet. So each hop is a run of
its own, what it wrote is flushed before the next, and the samples of each rule are counted twice:
what its expression has, and what was recorded.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from slo_compiler import process
from slo_compiler.backtest.engine import STEPS, EngineError, HistoryEngine
from slo_compiler.backtest.moments import History, exact
from slo_compiler.backtest.scope import BacktestScope, ReplayedRule
from slo_compiler.duration import Duration
from slo_compiler.emit.prometheus import rules_text
from slo_compiler.promql import Matcher, Selector
from slo_compiler.render import Group, TenantRules

_SECONDS = 6 * 3600.0  # of one run
_NO_OFFSET = Duration(0)  # with it, a group's queries are not answered from a cache
_FLAGS = (
    "-replay.rulesDelay=0s",
    f"-replay.maxDatapointsPerQuery={STEPS}",
    "-replay.disableProgressBar",
    "-remoteWrite.flushInterval=200ms",
    "-remoteWrite.maxQueueSize=10000000",
    "-disableAlertgroupLabel",
    "-loggerLevel=WARN",
)
Progress = Callable[[str, int, int], None]


def replay(
    engine: HistoryEngine,
    vmalert: Path,
    scope: BacktestScope,
    whole: History,
    shown: History,
    folder: Path,
    progress: Progress,
) -> None:
    """Evaluate all rules: those that others sum over the whole history, the others later.

    Raises:
        EngineError: vmalert fails, or has not recorded what the expressions have.
    """
    wanted: Counter[str] = Counter()
    for number, hop in enumerate(scope.hops):
        progress("evaluating, step", number, len(scope.hops))
        for span, rules in ((whole, True), (shown, False)):
            chosen = [each for each in hop if each.summed is rules]
            if chosen:
                _run(engine, vmalert, chosen, span, folder)
        engine.flush()
        for each in hop:
            over = whole if each.summed else shown
            wanted[_selector(each)] += engine.evaluations(each.rule.expr, over, each.interval)
        for selector in dict.fromkeys(map(_selector, hop)):
            _compare(selector, wanted[selector], engine.recorded(selector, whole))


def _selector(each: ReplayedRule) -> str:
    """Select what rules of a name write."""
    if not each.rule.alert:
        return str(Selector(each.rule.name, ()))
    return str(Selector("ALERTS", (Matcher("alertname", "=", each.rule.name),)))


def _compare(selector: str, wanted: int, found: int) -> None:
    if wanted != found:
        raise EngineError(
            f"the replay is not complete: {selector} has {found:,} samples, its rules make "
            f"{wanted:,}",
            "run it again; a shorter span and fewer SLOs need less memory",
        )


def _run(
    engine: HistoryEngine, vmalert: Path, rules: Sequence[ReplayedRule], over: History, folder: Path
) -> None:
    file = folder / "rules.yml"
    text = rules_text(TenantRules("backtest", "the manifests", tuple(_groups(rules))))
    file.write_text(text, encoding="utf-8")
    command: list[str | Path] = [
        vmalert,
        f"-rule={file}",
        f"-datasource.url={engine.url}",
        f"-remoteWrite.url={engine.url}",
        f"-replay.timeFrom={exact(over.start)}",
        f"-replay.timeTo={exact(over.end)}",
        *_FLAGS,
    ]
    try:
        done = process.run(command, limit=_SECONDS)
    except process.ProcessError as error:
        raise EngineError(str(error)) from error
    if done.code != 0:
        engine.require_running()
        words = " ".join(done.output.splitlines()[-1:])[:400]
        raise EngineError(f"vmalert -replay ended with {done.code}: {words}")


def _groups(rules: Iterable[ReplayedRule]) -> Iterator[Group]:
    alike: dict[Duration, list[ReplayedRule]] = defaultdict(list)
    for each in rules:
        alike[each.interval].append(each)
    for interval, some in alike.items():
        texts = tuple(each.rule for each in some)
        yield Group(f"every-{interval}", interval, texts, _NO_OFFSET)
