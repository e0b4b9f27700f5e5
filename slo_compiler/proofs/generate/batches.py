"""Which SLOs are tested in one run: those that do not feed each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from slo_compiler.proofs.generate.readers import Readers
from slo_compiler.proofs.generate.subject import MAX_BATCHES, SLOUnderTest, TestBatch


def batches_of(subjects: Sequence[SLOUnderTest]) -> Iterator[TestBatch]:
    """Split the SLOs into rounds."""
    index = Readers(subjects)
    rounds, left = _apart(subjects, index, MAX_BATCHES)
    # Fed their base pair, those that are left share no counter.
    pairs = [replace(subject, raw=None) for subject in left]
    rounds += _apart(pairs, Readers(pairs), len(left))[0]
    inputless = tuple(subject for subject in subjects if subject.without_input)
    for batch in rounds:
        within = {subject.labels for subject in batch}
        reading = {labels for one in batch for fed in one.series for labels in index.of(fed)}
        readers = (
            s
            for s in subjects
            if s.labels not in within and (s.labels in reading or not within.isdisjoint(s.parts))
        )
        decoys = {subject.labels: index.harmless(subject, within) for subject in batch}
        yield TestBatch(tuple(batch), tuple(readers), inputless, decoys)


def _apart(
    subjects: Sequence[SLOUnderTest], index: Readers, most: int
) -> tuple[list[list[SLOUnderTest]], list[SLOUnderTest]]:
    """Put SLOs into rounds in which none shares anything, and give what is left of them."""
    enemies = index.sharing()
    rounds: list[list[SLOUnderTest]] = []
    members: list[set[str]] = []
    left: list[SLOUnderTest] = []
    for subject in subjects:
        apart = enemies[subject.labels]
        for batch, names in zip(rounds, members, strict=True):
            alike = subject.slo.stage == batch[0].slo.stage
            if alike and apart.isdisjoint(names):
                batch.append(subject)
                names.add(subject.labels)
                break
        else:
            if len(rounds) < most:
                rounds.append([subject])
                members.append({subject.labels})
            else:
                left.append(subject)
    return rounds, left
