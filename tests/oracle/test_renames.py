"""What a renamed SLO counted under its old name: all of it, once."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from pathlib import Path

import pytest
from cases import ROOT, tool
from oracle.engine import STALE, Replay, Steps, engine
from oracle.streams import DAY, HOUR, MINUTE, Scenario, Stream
from oracle.truth import BEHIND, row
from oracle.worlds import EVALUATION, ORIGIN, PHASES, SCRAPE, compiled

from slo_compiler import pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.source import SourceFile

LENGTH = 2 * DAY
# Within tiles of 10m; a whole number of evaluations, so that groups keep their phases.
RENAMED = 27 * HOUR + 12 * MINUTE + 30_000
STREAM = Stream(
    LENGTH,
    lambda _at: 100,
    Fraction(1, 1000),
    # So that what is counted twice, or not at all, is seen.
    [(RENAMED - HOUR, RENAMED + HOUR, Fraction(1, 2))],
    every=DAY,
)
OLD, NEW = (Scenario(name, STREAM, metric="oracle_requests_total") for name in ("old", "new"))
SLI = {"ratio": {"errors": 'oracle_requests_total{code="500"}', "total": "oracle_requests_total"}}


@pytest.mark.parametrize(("suite", "phase"), [("bookworm", "offset"), ("forky", "aligned")])
@pytest.mark.parametrize("twice", [0, 5])
def test_the_seam_of_a_rename_counts_once(
    suite: str, phase: str, twice: int, tmp_path: Path
) -> None:
    """A reload ends the old series; after a restart their last sample lives on for five minutes.

    Of two hours of errors these five minutes may then count twice, and nothing else does.
    """
    before, after = (
        compiled(["acme"], (scenario,), SCRAPE, EVALUATION, slo={"sli": SLI, **more})[0]
        for scenario, more in ((OLD, {}), (NEW, {"formerly": "old"}))
    )
    with engine(tool(suite, "prometheus"), tmp_path) as server:
        server.write(
            (labels, [(ORIGIN + at, value) for at, value in samples])
            for labels, samples in OLD.counters(0, LENGTH, SCRAPE)
        )
        old = Replay(server, before, ORIGIN, PHASES[phase])
        old.advance(ORIGIN + RENAMED - 1)
        new = Replay(server, after, ORIGIN + RENAMED, PHASES[phase])
        if not twice:
            at = ORIGIN + RENAMED + PHASES[phase](1) % EVALUATION  # the group of the base pair
            names = ("slo:events:rate", "slo:errors:rate")
            labels = {"tenant": "acme", "service": "oracle", "slo": "old"}.items()
            server.write(
                (tuple(sorted((*labels, ("__name__", name)))), [(at, STALE)]) for name in names
            )
        for end in range(RENAMED + DAY // 4, LENGTH, DAY // 4):
            new.advance(ORIGIN + end - 1)
        last = ORIGIN + end - 1
        looked = new.look(ORIGIN + RENAMED + 3 * HOUR, last, HOUR)
        results = {rule.name: result for rule, result in looked.items() if not rule.alert}
        assert not server.ask("slo:events:rate{slo='old'}", Steps(last, last, MINUTE))
    for number, of in enumerate(("events", "errors")):
        counted = row(results[f"slo:{of}:increase30d"], "new")
        assert len(counted) > 5
        for at, value in counted:
            ends = range(at - 10 * MINUTE - BEHIND, at + 1, 10_000)
            exact = [STREAM.within(0, end)[number] for end in ends]
            a_minute = 60 * 100 // (1, 2)[number]
            assert min(exact) - a_minute <= value <= max(exact) + a_minute * (1 + twice), (of, at)
    # A page's windows do not begin anew, either.
    ratios = row(results["slo:error_ratio:rate6h"], "new")
    assert ratios[0][0] < RENAMED + 5 * HOUR
    for at, value in ratios:
        events, errors = STREAM.within(at - 6 * HOUR, at)
        assert value == pytest.approx(errors / events, rel=0.02)


@pytest.mark.parametrize(("today", "expected"), [("2026-07-01", 0), ("2026-07-02", 1)])
def test_a_name_whose_period_has_passed_is_reported(
    today: str, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Renamed on 1 June, a budget of 30 days reaches back to the old name until 1 July."""
    seconds = int(datetime.fromisoformat(f"{today}T12:00+00:00").timestamp())
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(seconds))
    former = '{slo: uptime, renamed: "2026-06-01"}'
    text = (ROOT / "tests/support/manifests/ratio-errors.yaml").read_text(encoding="utf-8")
    text = text.replace("      service: web\n", f"      service: web\n      formerly: {former}\n")
    report = Report()
    file = SourceFile("acme.yaml", "acme.yaml", text.encode())
    pipeline.compile_project(pipeline.read_project(None, report), [file], report)
    found = [d for d in report.diagnostics if d.id == "formerly-expired"]
    assert len(found) == expected
    for finding in found:
        assert (finding.position.line, finding.position.column) == (12, 17)
        assert finding.message == (
            "the period of 30d no longer reaches back to 2026-06-01, when the SLO was called "
            '"uptime"'
        )
