"""Which SLOs read a counter, and which of them can therefore not be tested in one run."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Generic, TypeVar

from slo_compiler.promql import Selector
from slo_compiler.proofs.generate.raw import Series
from slo_compiler.proofs.generate.subject import SLOUnderTest

Reader = TypeVar("Reader", bound=Hashable)
_Texts = tuple[str, ...]


class SelectorIndex(Generic[Reader]):
    """Who selects a counter, found by its metric and its labels.

    A selector that requires one value of some labels, such as {job="checkout", tenant="a"}, is only
    tried on the counters with these values.
    """

    def __init__(self, entries: Iterable[tuple[Reader, Sequence[Selector]]]) -> None:
        # By metric and the names of the labels that are required, then by their values.
        self._found: dict[str, dict[_Texts, dict[_Texts, dict[Selector, dict[Reader, None]]]]] = {}
        for reader, selectors in entries:
            for selector in selectors:
                names, values = _required(selector)
                by_value = self._found.setdefault(selector.metric, {}).setdefault(names, {})
                readers = by_value.setdefault(values, {}).setdefault(selector, {})
                readers[reader] = None
        self._known: dict[Series, tuple[Reader, ...]] = {}

    def of(self, series: Series) -> tuple[Reader, ...]:
        """Give those that read a counter."""
        known = self._known.get(series)
        if known is None:
            known = self._known[series] = tuple(dict.fromkeys(self._search(series)))
        return known

    def _search(self, series: Series) -> Iterable[Reader]:
        labels = dict(series.labels)
        for names, by_value in self._found.get(series.metric, {}).items():
            values = tuple([labels.get(name, "") for name in names])
            for selector, readers in by_value.get(values, {}).items():
                if selector.selects(series.metric, labels):
                    yield from readers


class Readers(SelectorIndex[str]):
    """Which of some SLOs read a counter, by their labels."""

    def __init__(self, subjects: Iterable[SLOUnderTest]) -> None:
        self._subjects = tuple(subjects)
        super().__init__((subject.labels, subject.selectors) for subject in self._subjects)

    def sharing(self) -> dict[str, set[str]]:
        """Return for each SLO those that are not separate from it: one reads what the other counts.

        A composite shares with its parts.
        """
        found: dict[str, set[str]] = {subject.labels: set() for subject in self._subjects}
        for subject in self._subjects:
            others = {labels for one in subject.counters for labels in self.of(one)}
            for other in (others | {*subject.parts} & found.keys()) - {subject.labels}:
                found[subject.labels].add(other)
                found[other].add(subject.labels)
        return found

    def harmless(self, subject: SLOUnderTest, among: set[str]) -> list[Series]:
        """Give the decoys of an SLO that feed none of the others among some."""
        others = among - {subject.labels}
        return [decoy for decoy in subject.decoys if others.isdisjoint(self.of(decoy))]


def _required(selector: Selector) -> tuple[_Texts, _Texts]:
    """Return the labels of which a selector requires one value, in order, and these values."""
    found = sorted({(m.name, m.value) for m in selector.matchers if m.op == "="})
    return tuple([name for name, _ in found]), tuple([value for _, value in found])
