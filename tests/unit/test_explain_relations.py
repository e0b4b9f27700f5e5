"""`slo-compiler explain` names dependencies, former names, parts, exclusions and isolation."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from slo_compiler.cli import main
from slo_compiler.recurrence import DAY, WEEK, Pattern, upcoming

HEAD = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {name: shop, owner: sre}
spec:
  channels: [{name: hook, webhook: {url: "http://hooks.internal/shop"}}]
  escalation: [{severity: page, notify: [hook]}, {severity: ticket, notify: [hook]}]
"""
SLOS = """\
  slos:
    - name: web
      service: cart
      objective: 99
      sli: {ratio: {errors: 'errors_total{job="web"}', total: 'requests_total{job="web"}'}}
    - name: api
      service: cart
      objective: 99
      sli: {ratio: {errors: 'errors_total{job="api"}', total: 'requests_total{job="api"}'}}
"""
PROJECT = "apiVersion: slo-compiler/v1\nkind: Project\nspec:\n  sources: [shop.yaml]\n"


def explained(
    folder: Path, monkeypatch: pytest.MonkeyPatch, slo: str, manifest: str, project: str = ""
) -> tuple[list[str], dict[str, object]]:
    """Explain an SLO of a manifest; give the lines of the text, and its relations as JSON."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv(
        "SOURCE_DATE_EPOCH", str(int(datetime(2026, 11, 26, 10, tzinfo=UTC).timestamp()))
    )
    (folder / "shop.yaml").write_text(manifest, encoding="utf-8")
    (folder / "slo-compiler.yaml").write_text(PROJECT + project, encoding="utf-8")

    def run(*options: str) -> str:
        done = CliRunner().invoke(main, ["explain", slo, *options], catch_exceptions=False)
        assert done.exit_code == 0, done.stderr
        return done.stdout

    (found,) = json.loads(run("--format", "json"))
    return run().splitlines(), found["relations"]


def block(lines: list[str], start: str) -> list[str]:
    """Return the lines from the one that begins so to the next empty one."""
    first = next(n for n, line in enumerate(lines) if line.startswith(start))
    return lines[first : lines.index("", first)]


def test_explain_dependency_is_named_in_full_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, facts = explained(
        tmp_path, monkeypatch, "shop/cart/api", HEAD + SLOS + "      depends_on: [cart/web]\n"
    )
    assert block(lines, "  depends on") == [
        "  depends on, so that its own pages wait while one of these pages",
        "    shop/cart/web  shop.yaml:16",
    ]
    assert facts["depends_on"] == [{"slo": "shop/cart/web", "at": "shop.yaml:16"}]


@pytest.mark.parametrize(
    ("formerly", "expected"),
    [
        (
            "rest",
            ["  formerly shop/cart/rest  (shop.yaml:16)", "    the events of both names count"],
        ),
        (
            '{slo: basket/api, renamed: "2026-11-01"}',  # 30 days and one, as the lint counts
            [
                "  formerly shop/basket/api, renamed on 2026-11-01  (shop.yaml:16)",
                "    the events of both names count; from 2026-12-02 on, remove it",
            ],
        ),
    ],
)
def test_explain_renamed_slo_shows_its_old_name_and_until_when_it_matters(
    formerly: str, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = HEAD + SLOS + f"      formerly: {formerly}\n"
    lines, _ = explained(tmp_path, monkeypatch, "shop/cart/api", manifest)
    assert block(lines, "  formerly") == expected


def test_explain_composite_shows_parts_with_weights_and_which_is_excluded_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = (
        HEAD
        + '  exclusions: [{name: move, from: "2027-01-01 00:00", to: "2027-01-02 00:00", '
        + "slos: [cart/api]}]\n"
        + SLOS
        + "    - name: all\n      service: cart\n      objective: 99\n"
        + "      sli: {composite: {slos: [{slo: cart/web}, {slo: cart/api, weight: 2.5}]}}\n"
    )
    lines, facts = explained(tmp_path, monkeypatch, "shop/cart/all", manifest)
    assert block(lines, "  made of") == [
        "  made of these SLOs, by the weight of each event",
        "    1    cart/web  shop.yaml:20",
        "    2.5  cart/api  shop.yaml:20  excluded at times",
    ]
    assert facts["isolation"] is None


def test_explain_exclusions_are_in_words_with_zone_and_next_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2027 changes to summer time on March 28: the offset is the local one of each day."""
    manifest = (
        HEAD
        + '  exclusions:\n    - {name: move, from: "2026-11-26 08:00", to: "2026-11-26 12:00"}\n'
        + '    - {name: past, from: "2026-01-01 08:00", to: "2026-01-01 12:00"}\n'
        + SLOS
    )
    project = (
        "  exclusions:\n    - {name: patches, weekdays: [saturday], times: ['02:00-04:00'], "
        "from: '2027-03-21', until: '2027-04-03', location: Europe/Rome}\n"
    )
    lines, facts = explained(tmp_path, monkeypatch, "shop/cart/api", manifest, project)
    assert block(lines, "  excluded: patches") == [
        "  excluded: patches  (project, slo-compiler.yaml:6)",
        "    saturday 02:00-04:00, from 2027-03-21 until 2027-04-03, Europe/Rome, and 1m15s longer",
        "    next 2027-03-27 02:00+01:00 to 2027-03-27 04:00+01:00",
        "    next 2027-04-03 02:00+02:00 to 2027-04-03 04:00+02:00",
    ]
    assert block(lines, "  excluded: move") == [
        "  excluded: move  (tenant, shop.yaml:8)",
        "    once, from 2026-11-26 08:00 to 2026-11-26 12:00, UTC, and 1m15s longer",
        "    now  2026-11-26 08:00+00:00 to 2026-11-26 12:00+00:00",
    ]
    assert block(lines, "  excluded: past")[2:] == [
        "    over: it can be removed, and what it took out of the budget stays out"
    ]
    found = facts["exclusions"]
    assert isinstance(found, list)
    assert [(each["name"], each["declared_by"]) for each in found] == [
        ("patches", "project"),
        ("move", "tenant"),
        ("past", "tenant"),
    ]


@pytest.mark.parametrize(
    ("project", "expected"),
    [
        ("", ['  isolation: every selector gets tenant="shop"']),
        (
            "  isolation: {label: customer}\n",
            ['  isolation: every selector gets customer="shop"'],
        ),
        (
            "  tenants: {shop: {extra_matchers: {az: a}}}\n",
            ['  isolation: every selector gets tenant="shop", az="a"  (slo-compiler.yaml:5)'],
        ),
        (
            "  tenants: {shop: {matchers: {cluster: prod}}}\n",
            [
                '  isolation: every selector gets cluster="prod"  (slo-compiler.yaml:5)',
                '    these replace tenant="shop": series of all tenants with them are read',
            ],
        ),
        (
            "  isolation: none\n",
            ["  isolation: none, selectors get no matcher  (slo-compiler.yaml:5)"],
        ),
    ],
)
def test_explain_isolation_shows_added_matchers_and_a_dropped_label(
    project: str, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, _ = explained(tmp_path, monkeypatch, "shop/cart/api", HEAD + SLOS, project)
    assert block(lines, "  isolation") == expected


def test_explain_shadow_slo_says_that_no_alert_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, _ = explained(
        tmp_path, monkeypatch, "shop/cart/api", HEAD + SLOS + "      stage: shadow\n"
    )
    assert lines[1] == (
        "  shadow: no alert is sent; what would fire is recorded as slo:shadow_alert:error_ratio"
    )
    assert "  notified" not in lines


def test_upcoming_spans_that_touch_are_one_and_past_ones_are_left_out() -> None:
    """Two halves of each day are no end for three days; a week's span at 10 is over at 15."""
    halves = [Pattern(0, DAY // 2, DAY, 3), Pattern(DAY // 2, DAY // 2, DAY, 3)]
    assert upcoming(halves, 0, 2) == [(0, 3 * DAY)]
    weekly = [Pattern(10, 5, WEEK, 4)]
    assert upcoming(weekly, 14, 2) == [(10, 15), (WEEK + 10, WEEK + 15)]
    assert upcoming(weekly, 15, 2) == [(WEEK + 10, WEEK + 15), (2 * WEEK + 10, 2 * WEEK + 15)]
    assert upcoming(weekly, 3 * WEEK + 15, 2) == []
