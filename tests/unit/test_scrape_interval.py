"""The scrape interval of a tenant's metrics: its base, and no other tenant's, follows from it."""

from __future__ import annotations

import pytest
from cases import ROOT, Whole, compile_whole

from slo_compiler import pipeline
from slo_compiler.diagnostics import CompileError, Report
from slo_compiler.proofs.generate import shared_unit_tests, tenant_proofs
from slo_compiler.source import SourceFile

TEXT = (ROOT / "tests/support/manifests/ratio-errors.yaml").read_text(encoding="utf-8")


def scraped(interval: str, text: str = TEXT) -> str:
    return text.replace("  slos:\n", f"  defaults: {{scrape_interval: {interval}}}\n  slos:\n")


def compiled(*texts: str) -> Whole:
    report = Report()
    settings = pipeline.read_project(None, report)
    files = [SourceFile(f"{n}.yaml", f"{n}.yaml", text.encode()) for n, text in enumerate(texts)]
    return compile_whole(settings, files, report)


def expressions(found: Whole, tenant: str) -> dict[str, str]:
    own = found.rules[[one.name for one in found.tenants].index(tenant)]
    return {rule.name: rule.expr for group in own.groups for rule in group.rules}


@pytest.mark.processes
def test_base_is_four_scrapes_and_its_range_one_more() -> None:
    """At 1m scrapes: 4m, read over 5m, so that a window of 30m sums base samples of 26m."""
    found = expressions(compiled(scraped("1m")), "acme")
    assert "[5m]" in found["slo:events:rate"]
    assert "[26m]" in found["slo:error_ratio:rate30m"]


@pytest.mark.processes
def test_other_tenants_keep_the_interval_of_the_project() -> None:
    other = TEXT.replace("name: acme", "name: other")
    alone, beside = (
        expressions(compiled(*texts), "other") for texts in ([other], [other, scraped("1m")])
    )
    assert alone == beside
    assert "[1m15s]" in beside["slo:events:rate"]


@pytest.mark.processes
def test_isolation_test_has_samples_for_the_tenant_that_is_scraped_most_often() -> None:
    other = TEXT.replace("name: acme", "name: other").replace("http_requests", "other_requests")
    found = compiled(other, scraped("1m"))
    made = [tenant_proofs(planned, found.tenants).isolation for planned in found.plan.tenants]
    intervals = {str(test.interval) for file in shared_unit_tests(made) for test in file.tests}
    assert intervals == {"15s"}


@pytest.mark.parametrize("interval", ["1s", "16m", "0s", "often"])
def test_interval_out_of_bounds_is_refused(interval: str) -> None:
    with pytest.raises(CompileError) as raised:
        compiled(scraped(interval))
    assert "duration" in {d.id for d in raised.value.diagnostics}


def test_interval_at_which_windows_hold_too_few_samples_is_refused() -> None:
    with pytest.raises(CompileError) as raised:
        compiled(scraped("3m"))
    assert {d.id for d in raised.value.diagnostics} >= {"window-too-short"}
