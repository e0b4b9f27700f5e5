"""The report in a real Chromium: search, filters, keyboard, themes, accessibility, hostile text.

The browser is the system's (`make browser` installs Debian's). Where there is none these tests are
skipped; in CI they fail.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from cases import ROOT, VOCABULARY
from click.testing import CliRunner
from playwright.sync_api import Browser, Page, expect, sync_playwright
from reports import MARKUP, write_hostile

from slo_compiler import status
from slo_compiler.cli import main
from slo_compiler.status import FiringAlert, SLOStatus, Status

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 390, "height": 844}
SLO = "#/slo/customer-b/checkout/availability"
VIEWS = ("#/", SLO, "#/routing", "#/dependencies", "#/cost", "#/findings")


def write_report(folder: Path, project: Path, *more: str) -> str:
    """Write the report of a project; give its address."""
    path = folder / "report.html"
    done = CliRunner().invoke(main, ["report", "--project", str(project), "-o", str(path), *more])
    assert done.exit_code == 0, done.stderr
    return path.as_uri()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the report of the examples."""
    return write_report(tmp_path_factory.mktemp("report"), ROOT / "examples/slo-compiler.yaml")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, headless."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None and not os.environ.get("CI"):
        pytest.skip("no Chromium here: make browser")
    assert found is not None, "no Chromium: run make browser"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A wide window in which any message of the console, error or request is a failure."""
    opened = browser.new_page(viewport=WIDE, color_scheme="light")
    opened.set_default_timeout(10_000)
    wrong: list[str] = []
    opened.on("console", lambda message: wrong.append(message.text))
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    opened.on("request", lambda sent: sent.url.startswith("file:") or wrong.append(sent.url))
    yield opened
    opened.close()
    assert wrong == []


def names(page: Page) -> list[str]:
    return page.locator(".slos tbody tr:visible th a").all_text_contents()


def test_search_and_filters_show_the_slos_that_fit_and_their_number(
    page: Page, report: str
) -> None:
    page.goto(report)
    expect(page.locator("#count")).to_have_text("10 SLOs")
    page.get_by_label("Search").fill("CHECKOUT customer-b-sre")
    assert names(page) == ["checkout/availability"]
    expect(page.locator("#count")).to_have_text("1 of 10 SLOs")
    page.get_by_label("Search").fill("no such thing")
    assert names(page) == []
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#count")).to_have_text("10 SLOs")
    for label, value, expected in (
        ("Tenant", "customer-c", ["search/latency"]),
        ("Channel", "board (webhook)", ["checkout/availability"]),
        ("Policy", "batch", ["batch/success"]),
        ("Type", "latency", ["search/latency"]),
    ):
        page.locator("#filters").get_by_label(label, exact=True).select_option(value)
        assert names(page) == expected
        page.get_by_role("button", name="Clear").click()
        expect(page.locator("#count")).to_have_text("10 SLOs")


def test_columns_sort_by_number_both_ways(page: Page, report: str) -> None:
    page.goto(report)
    column = page.get_by_role("button", name="Budget, full outage")
    column.click()
    assert (names(page)[0], names(page)[-1]) == ("users/availability", "batch/success")
    column.click()
    assert (names(page)[0], names(page)[-1]) == ("batch/success", "users/availability")
    expect(page.locator("th[aria-sort=descending]")).to_have_text("Budget, full outage")


def test_keyboard_alone_finds_an_slo_opens_it_and_returns(page: Page, report: str) -> None:
    page.goto(report)
    page.keyboard.press("/")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.type("checkout")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('tbody') !== null"):
            break
    page.keyboard.press("Enter")
    heading = page.get_by_role("heading", level=1, name="checkout/availability")
    expect(heading).to_be_focused()
    assert page.title() == "customer-b/checkout/availability – SLO report"  # noqa: RUF001
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", level=1, name="Catalogue")).to_be_visible()
    assert names(page) == ["checkout/availability"]


def test_address_of_an_slo_opens_it_with_its_charts(page: Page, report: str) -> None:
    page.goto(report + SLO)
    chart = page.get_by_role("img", name="Time until each tier fires")
    expect(chart).to_be_visible()
    assert "page-fast fires above 1.44%, at a full outage after 52s" in str(
        chart.get_attribute("aria-label")
    )
    assert chart.locator("polyline").count() == 4
    outage = page.get_by_role("img", name="A full outage: page-fast after 52s")
    expect(outage).to_be_visible()
    assert outage.locator("title").first.text_content() == "escalates after 15m more"
    paths = page.locator(".path").first
    expect(paths).to_contain_text('severity="page" notifies incident (slack)')
    page.get_by_role("button", name="ticket-slow").click()
    expect(paths).to_contain_text('severity="ticket" notifies sre (email) · at Monday to Friday')
    expect(page.get_by_text("Does not notify while one of these fires: page-fast")).to_be_visible()


def test_tree_shows_the_routes_of_one_tenant(page: Page, report: str) -> None:
    page.goto(report + "#/routing")
    everyone = page.locator("#tree rect").count()
    page.locator("#tree-tenant").select_option("customer-b")
    assert 0 < page.locator("#tree rect").count() < everyone
    expect(page.locator("#tree")).to_contain_text('budget_below="10%"')
    expect(page.locator("#tree")).not_to_contain_text('tenant="customer-a"')


def test_theme_follows_the_system_until_it_is_chosen(page: Page, report: str) -> None:
    page.goto(report)
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(ground)
    assert light != dark
    button = page.locator("#theme")
    button.click()
    expect(button).to_have_text("Theme: light")
    assert page.evaluate(ground) == light
    page.reload()
    expect(button).to_have_text("Theme: light")
    button.click()
    page.emulate_media(color_scheme="light")
    assert page.evaluate(ground) == dark


def test_views_have_no_violation_of_accessibility_in_both_themes(page: Page, report: str) -> None:
    page.goto(report)
    axe = Axe()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for view in VIEWS:
            page.evaluate("(view) => { location.hash = view }", view)
            found = axe.run(page).response["violations"]
            assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in found] == [], view
    page.locator("main").evaluate("(main) => main.append(document.createElement('button'))")
    assert axe.run(page).violations_count > 0  # it does find one that is there


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_window_scrolls_only_down(page: Page, report: str, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": NARROW["width"], "height": NARROW["height"]})
    page.goto(report)
    for view in VIEWS:
        page.evaluate("(view) => { location.hash = view }", view)
        expect(page.locator("main > section:visible")).to_have_count(1)
        assert page.evaluate("document.documentElement.scrollWidth") == NARROW["width"], view


def test_print_shows_the_slo_without_controls(page: Page, report: str) -> None:
    page.goto(report + SLO)
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.locator("nav").is_visible()
    assert not page.locator("#theme").is_visible()
    assert page.get_by_role("heading", name="Error budget").is_visible()


def test_costs_are_those_of_the_command_and_sort_by_number(page: Page, report: str) -> None:
    done = CliRunner().invoke(
        main, ["cost", "--format", "json", "--project", str(ROOT / "examples/slo-compiler.yaml")]
    )
    costs = json.loads(done.stdout)
    page.goto(f"{report}#/cost")
    tenants = page.locator(".costs tbody th")
    assert tenants.all_text_contents() == [each["tenant"] for each in costs["tenants"]]
    series = page.locator('.costs tfoot [data-label="Series"]')
    expect(series).to_have_text(f"{costs['total']['series']:,.0f}")
    page.get_by_role("button", name="Series").click()
    found = page.locator('.costs tbody [data-label="Series"]').all_text_contents()
    assert [*map(int, found)] == sorted(round(each["series"]) for each in costs["tenants"])
    page.goto(report + SLO)
    (slo,) = (s for t in costs["tenants"] for s in t["slos"] if t["tenant"] == "customer-b")
    card = page.locator(".card", has=page.get_by_role("heading", name="Cost of evaluation"))
    expect(card).to_contain_text(f"{slo['samples_per_second']:,.1f}")
    card.get_by_role("link", name="All tenants").click()
    expect(page.get_by_role("heading", name="Cost", exact=True)).to_be_visible()


def test_page_without_script_has_the_catalogue_and_the_findings(
    browser: Browser, report: str
) -> None:
    opened = browser.new_page(java_script_enabled=False)
    opened.goto(report)
    assert opened.locator(".slos tbody tr").count() == 10
    assert not opened.locator("#filters").is_visible()
    expect(opened.get_by_role("heading", name="Findings")).to_be_visible()
    opened.close()


def test_hostile_texts_are_shown_and_nothing_of_them_runs(page: Page, tmp_path: Path) -> None:
    write_hostile(tmp_path)
    address = write_report(tmp_path, tmp_path / "slo-compiler.yaml")
    slo = "#/slo/acme/checkout/availability"
    for view in ("#/", slo, "#/routing", "#/dependencies", "#/cost", "#/findings"):
        page.goto("about:blank")
        page.goto(address + view)
        assert page.locator("img").count() == 0
        assert page.locator("script").count() == 2
    page.goto("about:blank")
    page.goto(address + slo)
    expect(page.locator(".lead:visible")).to_contain_text(MARKUP)
    expect(page.locator(".facts").first).to_contain_text(MARKUP)
    page.goto(address + "#/routing")
    expect(page.locator("#tree title").first).to_contain_text(MARKUP)
    hrefs = page.locator("a").evaluate_all("(links) => links.map((link) => link.protocol)")
    assert {*hrefs} <= {"file:", "https:", "http:"}


def test_link_that_is_no_web_address_is_text(page: Page, report: str) -> None:
    page.goto(report)
    made = "(url) => { const made = link(url, url); return made.href ?? `text ${made}` }"
    assert page.evaluate(made, "javascript:alert(1)") == "text javascript:alert(1)"
    assert page.evaluate(made, "data:text/html,x") == "text data:text/html,x"
    assert page.evaluate(made, "HTTPS://a.example/") == "https://a.example/"


def test_dependencies_are_a_graph_whose_boxes_lead_to_their_slos(
    page: Page, tmp_path: Path
) -> None:
    source = str(VOCABULARY / "tenants/dependencies.yaml")
    address = write_report(tmp_path, VOCABULARY / "slo-compiler.yaml", source)
    page.goto(address + "#/dependencies")
    boxes = page.locator("#graph svg a")
    assert boxes.count() == 3
    assert page.locator("#graph path").count() == 3
    boxes.locator("text", has_text="shop/checkout/availability").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("checkout/availability")
    expect(page.get_by_role("heading", name="Dependencies")).to_be_visible()


def test_live_state_is_in_the_table_and_at_the_slo(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alert = FiringAlert("SLOErrorBudgetBurn", "page", "page-fast", "")
    slo = SLOStatus(
        *("customer-b", "checkout", "availability", "99.9", "30d", "live", 5.0, 0.3, 0.0004),
        burn_rates={"1h": 259.2, "6h": 40.0},
        budget_remaining=0.2,
        exhaustion=600.0,
        alerts=[alert],
    )
    monkeypatch.setattr(status, "ask", lambda *_: Status([slo], {}, None, 9))
    project = ROOT / "examples/slo-compiler.yaml"
    address = write_report(tmp_path, project, "--prometheus", "http://127.0.0.1:9")
    page.goto(address)
    row = page.get_by_role("row", name="checkout/availability")
    expect(row).to_contain_text("page: page-fast")
    expect(row).to_contain_text("20%")
    expect(page.locator(".lead").first).to_contain_text(re.compile(r"State of 20\d\d-.* UTC"))
    page.get_by_label("State").select_option("page")
    assert names(page) == ["checkout/availability"]
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", name="State of 20")).to_be_visible()
    expect(page.get_by_role("cell", name="259×")).to_be_visible()  # noqa: RUF001
    assert Axe().run(page).violations_count == 0
