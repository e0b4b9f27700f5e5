"""The proofs notice: every mutant of the rules or the routes fails some generated test.

A mutant is one small mistake in the output that somebody could make by hand. All of them are tried
on a tenant with several tiers, guards and an escalation, and the number killed is printed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cases import compiled, tool

from slo_compiler import naming, prove

TENANT = "customer-b"
RULES = naming.rules_file(TENANT)
Mutation = Callable[[str], str]


def once(pattern: str, replacement: str, nth: int = 0) -> Mutation:
    """Replace one occurrence of a pattern; that there is none is a mistake of this test."""

    def mutate(text: str) -> str:
        found = [*re.finditer(pattern, text)]
        assert len(found) > nth, f"{pattern} stands {len(found)} times"
        match = found[nth]
        return text[: match.start()] + match.expand(replacement) + text[match.end() :]

    return mutate


def swapped(one: str, two: str) -> Mutation:
    """Swap two texts everywhere."""

    def mutate(text: str) -> str:
        assert one in text
        assert two in text
        return text.replace(one, "\0").replace(two, one).replace("\0", two)

    return mutate


def rule_mutants() -> Iterator[tuple[str, Mutation]]:
    for nth, tier in enumerate(["page-fast", "page-fast-2", "page-slow", "page-slow-2"]):
        yield (
            f"and-to-or-{tier}",
            once(r"(?m)^          and\n(?=          slo:error_ratio)", "          or\n", nth),
        )
    yield (
        "and-to-or-ticket-fast",
        once(r"(?m)^          and\n(?=          slo:error_ratio)", "          or\n", 4),
    )
    yield (
        "and-to-or-ticket-slow",
        once(r"(?m)^          and\n(?=          slo:error_ratio)", "          or\n", 5),
    )
    for threshold in ("0.0144", "0.006", "0.003", "0.001"):
        for which in (0, 1):
            side = "long" if which == 0 else "short"
            yield f"{threshold}-{side}-lower", lowered(threshold, 0.9, which)
            yield f"{threshold}-{side}-higher", lowered(threshold, 1.1, which)
    yield "windows-5m-1h-swapped", swapped("[4m]", "[59m]")
    yield "windows-30m-6h-swapped", swapped("[29m]", "[5h59m]")
    yield "windows-2h-1d-swapped", swapped("[1h59m]", "[23h59m59s999ms]")
    yield "long-window-3d-is-1d", once(r"\[2d23h59m59s999ms\]", "[23h59m59s999ms]", 0)
    yield "short-window-of-page-fast-is-long", once("rate5m(?={.*> 0.0144)", "rate30m", 0)
    yield "long-window-of-page-fast-is-short", once("rate1h(?={.*> 0.0144)", "rate30m", 0)
    yield "long-window-of-ticket-slow-is-shorter", once("rate3d(?={.*> 0.001)", "rate1d", 0)
    yield "short-window-of-ticket-slow-is-shorter", once("rate6h(?={.*> 0.001)", "rate2h", 0)
    yield "events-without-job", once(r'job="checkout",', "", 0)
    yield "errors-without-job", once(r'job="checkout",', "", 1)
    yield "errors-without-code", once(r'code=~"5..",', "", 0)
    yield "events-of-all-tenants", once(r',tenant="customer-b"', "", 0)
    yield "errors-of-all-tenants", once(r',tenant="customer-b"', "", 1)
    yield "errors-read-as-events", once(r'code=~"5..",job', "job", 0)
    yield "budget-of-another-objective", once(r"vector\(0\.001\)", "vector(0.002)", 0)
    yield "remaining-without-one", once(r"(?m)^          1\n          -\n", "", 0)
    yield "exhaustion-of-another-period", once("2592000", "2419200", 0)
    yield (
        "no-data-never",
        once(r"slo_info{tenant=\"customer-b\"} unless", 'slo_info{tenant="x"} unless', 0),
    )
    yield "escalation-at-once", once(r"        for: 15m\n", "", 0)
    yield "escalation-too-late", once("for: 15m", "for: 30m", 0)
    yield (
        "zero-errors-are-missing",
        once(r"(?s)          or\n          0 \* sum.*?\n          \)\n", "", 0),
    )


def lowered(threshold: str, factor: float, side: int) -> Mutation:
    """Change one of an alert's two thresholds in all alerts that have it."""
    changed = f"{float(threshold) * factor:.5f}"

    def mutate(text: str) -> str:
        seen = 0

        def replace(match: re.Match[str]) -> str:
            nonlocal seen
            seen += 1
            return f"> {changed}" if (seen - 1) % 2 == side else match[0]

        result = re.sub(rf"> {re.escape(threshold)}(?=\n)", replace, text)
        assert seen >= 2
        return result

    return mutate


MUTANTS = dict(rule_mutants())


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("output")
    for artefact in compiled("examples").artefacts:
        path = folder / artefact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artefact.text, encoding="utf-8")
    return folder


def killers(output: Path) -> Iterator[prove.Job]:
    tests = sorted((output / "prometheus" / "tests").glob(f"{TENANT}_*.yml"))
    for file in sorted(tests, key=lambda path: path.name != f"{TENANT}_1m.yml"):
        yield prove.unit_job(tool("forky", "promtool"), file)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutated_rule_fails_a_unit_test(name: str, output: Path) -> None:
    rules = output / RULES
    original = rules.read_text(encoding="utf-8")
    mutated = MUTANTS[name](original)
    assert mutated != original
    rules.write_text(mutated, encoding="utf-8")
    try:
        assert any(job().failures for job in killers(output)), f"{name} survives"
    finally:
        rules.write_text(original, encoding="utf-8")


PAGE_B, PAGE_A = '"slo/customer-b/page"', '"slo/customer-a/page"'
SOURCE, TARGET = "source_matchers:", "target_matchers:"
ROUTE_MUTANTS: dict[str, Mutation] = {
    "two-receivers-of-a-tenant-swapped": swapped(PAGE_B, '"slo/customer-b/ticket/business"'),
    "receivers-of-two-tenants-swapped": once(f"(?<=receiver: ){PAGE_B}", PAGE_A, 1),
    "tenant-routed-to-another": swapped("""'tenant="customer-a"'""", """'tenant="customer-b"'"""),
    "escalation-to-the-first": once(
        """'severity="page"', 'escalation="2"'""", """'severity="page"'"""
    ),
    "inhibition-reversed": swapped(SOURCE, TARGET),
    "one-inhibition-reversed": lambda text: (
        text.replace(SOURCE, "\0", 1).replace(TARGET, SOURCE, 1).replace("\0", TARGET, 1)
    ),
    "inhibition-across-slos": once(r"equal: \[tenant, service, slo, ", "equal: [tenant, service, "),
    "inhibition-across-tenants": once(r"equal: \[tenant, service, slo, ", "equal: [service, slo, "),
    "inhibition-by-tickets": once(
        """'severity="page"', 'long_window="1h"'""", """'severity="ticket"', 'long_window="1d"'"""
    ),
    "inhibition-dropped": once(
        """'severity="page"', 'long_window="1h"'""", """'severity="page"', 'long_window="9h"'"""
    ),
    "continue-added": once(
        r'(?m)(?P<line>^( +)receiver: "slo/customer-b/page/after-15m"\n)',
        r"\g<line>\g<2>continue: true\n",
    ),
    "hours-start-later": once('start_time: "09:00"', 'start_time: "10:00"'),
    "hours-in-another-zone": once('location: "Europe/Berlin"', 'location: "UTC"'),
    "hours-on-sundays": once('"monday:friday"', '"sunday:friday"'),
    "hours-dropped": once(r'\n +active_time_intervals: \["slo/customer-b/business"\]', ""),
}


@pytest.mark.parametrize("name", ROUTE_MUTANTS)
def test_a_mutated_route_fails_a_routing_test(name: str, output: Path) -> None:
    config = output / naming.ALERTMANAGER_FILE
    original = config.read_text(encoding="utf-8")
    mutated = ROUTE_MUTANTS[name](original)
    assert mutated != original
    config.write_text(mutated, encoding="utf-8")
    try:
        work = prove.route_jobs(tool("forky", "amtool"), config, output / naming.ROUTES_FILE)
        assert any(job().failures for job in work), f"{name} survives"
    finally:
        config.write_text(original, encoding="utf-8")


def test_the_unmutated_rules_pass(output: Path) -> None:
    assert [job().failures for job in killers(output)] == [()] * 3
