"""Which SLOs are tested in one run: those that do not feed each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from slo_compiler.proofs.generate.readers import Readers
from slo_compiler.proofs.generate.subject import MAX_ROUNDS, Round, Subject


def rounds_of(subjects: Sequence[Subject]) -> Iterator[Round]:
    """Split the SLOs into rounds."""
    index = Readers(subjects)
    rounds, left = _apart(subjects, index, MAX_ROUNDS)
    # Fed their base pair, those that are left share no counter.
    pairs = [replace(subject, raw=None) for subject in left]
    rounds += _apart(pairs, Readers(pairs), len(left))[0]
    for round_ in rounds:
        within = {subject.labels for subject in round_}
        reading = {labels for one in round_ for fed in one.series for labels in index.of(fed)}
        readers = (
            s
            for s in subjects
            if s.labels not in within and (s.labels in reading or not within.isdisjoint(s.parts))
        )
        yield Round(tuple(round_), tuple(readers))


def _apart(
    subjects: Sequence[Subject], index: Readers, most: int
) -> tuple[list[list[Subject]], list[Subject]]:
    """Put SLOs into rounds in which none shares anything, and give what is left of them."""
    enemies = index.sharing()
    rounds: list[list[Subject]] = []
    members: list[set[str]] = []
    left: list[Subject] = []
    for subject in subjects:
        apart = enemies[subject.labels]
        for round_, names in zip(rounds, members, strict=True):
            alike = subject.slo.shadow == round_[0].slo.shadow
            if alike and apart.isdisjoint(names):
                round_.append(subject)
                names.add(subject.labels)
                break
        else:
            if len(rounds) < most:
                rounds.append([subject])
                members.append({subject.labels})
            else:
                left.append(subject)
    return rounds, left
