"""Which SLOs read a counter, and which of them can therefore not be tested in one run."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Generic, TypeVar

from slo_compiler.promql import Selector
from slo_compiler.proofs.generate.raw import Series
from slo_compiler.proofs.generate.subject import SLOUnderTest

Reader = TypeVar("Reader", bound=Hashable)


class SelectorIndex(Generic[Reader]):
    """Whose selectors select a counter, found by its metric and its labels.

    A selector that asks for one value of a label, such as job="checkout", is only tried on the
    counters with that value.
    """

    def __init__(self, entries: Iterable[tuple[Reader, Sequence[Selector]]]) -> None:
        entries = tuple(entries)
        values: dict[tuple[str, str], set[str]] = {}  # that are asked for, by metric and label
        for _, selectors in entries:
            for selector in selectors:
                for name, value in _equals(selector):
                    values.setdefault((selector.metric, name), set()).add(value)
        self._names: dict[str, dict[str, None]] = {}  # labels that are looked up, by metric
        self._found: dict[tuple[str, str, str], dict[Selector, dict[Reader, None]]] = {}
        for reader, selectors in entries:
            for selector in selectors:
                # The label that tells most selectors of the metric apart.
                name, value = max(
                    _equals(selector),
                    key=lambda pair: (len(values[selector.metric, pair[0]]), pair),
                    default=("", ""),
                )
                self._names.setdefault(selector.metric, {})[name] = None
                readers = self._found.setdefault((selector.metric, name, value), {})
                readers.setdefault(selector, {})[reader] = None
        self._known: dict[Series, tuple[Reader, ...]] = {}

    def of(self, series: Series) -> tuple[Reader, ...]:
        """Give those that read a counter."""
        known = self._known.get(series)
        if known is None:
            known = self._known[series] = tuple(dict.fromkeys(self._search(series)))
        return known

    def _search(self, series: Series) -> Iterable[Reader]:
        labels = dict(series.labels)
        for name in self._names.get(series.metric, ()):
            key = (series.metric, name, labels.get(name, ""))
            for selector, readers in self._found.get(key, {}).items():
                if selector.selects(series.metric, labels):
                    yield from readers


class Readers(SelectorIndex[str]):
    """Which of some SLOs read a counter, by their labels."""

    def __init__(self, subjects: Iterable[SLOUnderTest]) -> None:
        self._subjects = tuple(subjects)
        super().__init__((subject.labels, subject.selectors) for subject in self._subjects)

    def sharing(self) -> dict[str, set[str]]:
        """Give for each SLO those that cannot be told from it: one reads what the other counts.

        A composite shares with its parts.
        """
        found: dict[str, set[str]] = {subject.labels: set() for subject in self._subjects}
        for subject in self._subjects:
            others = {labels for one in subject.counters for labels in self.of(one)}
            for other in (others | {*subject.parts} & found.keys()) - {subject.labels}:
                found[subject.labels].add(other)
                found[other].add(subject.labels)
        return found

    def harmless(self, subject: SLOUnderTest) -> list[Series]:
        """Give the decoys of an SLO that feed none of the others."""
        return [decoy for decoy in subject.decoys if {subject.labels}.issuperset(self.of(decoy))]


def _equals(selector: Selector) -> list[tuple[str, str]]:
    return [(m.name, m.value) for m in selector.matchers if m.op == "="]
