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

from slo_compiler import naming
from slo_compiler.proofs import run as prove

TENANT = "customer-b"
RULES = naming.rules_file(TENANT)
Mutation = Callable[[str], str]


def once(pattern: str, replacement: str, nth: int = 0) -> Mutation:
    """Replace one occurrence of a pattern; that there is none is a mistake of this test."""

    def mutate(text: str) -> str:
        found = [*re.finditer(pattern, text)]
        assert len(found) > nth, f"{pattern} is there {len(found)} times"
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
    yield "low-budget-too-early", once(r"< 0\.1\n", "< 0.12\n", 0)
    yield "low-budget-too-late", once(r"< 0\.1\n", "< 0.08\n", 0)
    yield "escalation-at-once", once(r"        for: 15m\n", "", 0)
    yield "escalation-too-late", once("for: 15m", "for: 30m", 0)
    for nth, tier in ((0, "page-fast"), (5, "ticket-slow")):
        guard = r"\n          and\n          slo:errors:increase.* > 4\.5"
        yield f"guard-of-{tier}-dropped", once(guard, "", nth)
        yield f"guard-of-{tier}-one-lower", once(r"> 4\.5", "> 3.5", nth)
        yield f"guard-of-{tier}-one-higher", once(r"> 4\.5", "> 5.5", nth)
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


# Mutants of the vocabulary's rules and routes: how each is made, by word and name.
ROUTES, BUDGETS = naming.ALERTMANAGER_FILE, naming.rules_file("budget-policies")
INGRESS_FAST = """slo="availability"', 'severity="page"', 'long_window="1h"'"""
CHECKOUT, PAYMENT = """'service="checkout"', """, """'service="payment"', """
WORD_MUTANTS: dict[tuple[str, str], tuple[str, Mutation]] = {
    ("budget-policies", "spent-budget-too-early"): (BUDGETS, once("<= 0\n", "<= 0.02\n")),
    ("budget-policies", "spent-budget-never"): (BUDGETS, once("<= 0\n", "<= -1\n")),
    ("budget-policies", "half-budget-reversed"): (BUDGETS, once(r"< 0\.5\n", "> 0.5\n")),
    ("budget-policies", "pace-too-slow"): (BUDGETS, once("< 14400\n", "< 14700\n")),
    ("budget-policies", "pace-too-fast"): (BUDGETS, once("< 14400\n", "< 14100\n")),
    ("budget-policies", "pace-of-another-step"): (BUDGETS, swapped("< 14400\n", "< 259200\n")),
    ("budget-policies", "paces-routed-alike"): (
        ROUTES,
        swapped("""'exhausted_within="3d"'""", """'exhausted_within="4h"'"""),
    ),
    ("holidays", "holidays-dropped"): (ROUTES, once(r"\n +mute_time_intervals: .*", "")),
    ("holidays", "a-holiday-too-few"): (ROUTES, once('"25", "26"', '"25"')),
    ("holidays", "a-holiday-too-many"): (ROUTES, once('"25", "26"', '"24", "25", "26"')),
    ("holidays", "a-holiday-of-each-year"): (ROUTES, once(r'\n +years: \["2026"\]', "")),
    ("holidays", "a-holiday-of-this-year-only"): (
        ROUTES,
        once(r'(?m)(months: \["5"\]$)', r'\1\n    years: ["2026"]'),
    ),
    ("holidays", "holidays-in-another-zone"): (
        ROUTES,
        once(r'(months: \["5"\]\n +location: )"Europe/Berlin"', r'\1"Pacific/Kiritimati"'),
    ),
    ("dependencies", "by-tickets"): (
        ROUTES,
        once(INGRESS_FAST, INGRESS_FAST.replace("page", "ticket")),
    ),
    ("dependencies", "by-another-window"): (
        ROUTES,
        once(INGRESS_FAST, INGRESS_FAST.replace("1h", "9h")),
    ),
    ("dependencies", "by-any-tenant"): (ROUTES, once("""'tenant="platform"', """, "", 1)),
    ("dependencies", "of-another-service"): (ROUTES, once(CHECKOUT, PAYMENT)),
    ("dependencies", "of-all-services"): (ROUTES, once(CHECKOUT, "", 2)),
    ("dependencies", "reversed"): (
        ROUTES,
        lambda text: (
            text.replace(f"{SOURCE} ['alertname", "\0")
            .replace(f"{TARGET} ['alertname", f"{SOURCE} ['alertname")
            .replace("\0", f"{TARGET} ['alertname")
        ),
    ),
    ("dependencies", "missing-data-inhibit"): (
        ROUTES,
        once(
            """'alertname="SLOErrorBudgetBurn"', ('tenant="platform".*), 'long_window="1h"'""",
            r"\1",
        ),
    ),
    ("dependencies", "missing-data-wait"): (
        ROUTES,
        once("""target_matchers: \\['alertname="SLOErrorBudgetBurn"', """, "target_matchers: ["),
    ),
}


@pytest.mark.parametrize(("word", "name"), WORD_MUTANTS)
def test_a_mutated_word_fails_a_proof(word: str, name: str, tmp_path: Path) -> None:
    file, mutate = WORD_MUTANTS[word, name]
    for artefact in compiled(word).artefacts:
        path = tmp_path / artefact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        text = mutate(artefact.text) if artefact.path == file else artefact.text
        assert (text != artefact.text) == (artefact.path == file)
        path.write_text(text, encoding="utf-8")
    if file == ROUTES:
        work = prove.route_jobs(
            tool("forky", "amtool"), tmp_path / file, tmp_path / naming.ROUTES_FILE
        )
    else:
        tests = [tmp_path / "prometheus" / "tests" / f"{word}_{at}.yml" for at in ("4m", "1m")]
        work = [prove.unit_job(tool("forky", "promtool"), test) for test in tests]
    assert any(job().failures for job in work), f"{name} survives"


def test_the_unmutated_rules_pass(output: Path) -> None:
    assert [job().failures for job in killers(output)] == [()] * 4
