"""Hours do not count on holidays: in the compiled intervals, and on real servers today."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from alertmanagers import every_version, running
from cases import compile_whole, compiled, proofs_of
from demo.servers import wait_until
from demo.sink import Sink

from slo_compiler import naming, pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.lint import page_muted
from slo_compiler.lint.base import Context
from slo_compiler.routing import Config, is_active, notified, routes_for
from slo_compiler.source import SourceFile

BERLIN = ZoneInfo("Europe/Berlin")
EACH_YEAR = {(1, 1), (1, 6), (5, 1), (12, 25), (12, 26)}
ONCE = {date(2026, 4, 3), date(2026, 4, 6)}


def test_the_intervals_of_the_example_are_its_hours_at_any_quarter_of_an_hour_of_two_years() -> (
    None
):
    (text,) = (a.text for a in compiled("holidays").artefacts if a.path == naming.ALERTMANAGER_FILE)
    model = Config.load(text)
    labels = (("tenant", "holidays"), ("slo", "availability"), ("severity", "ticket"))
    (match,) = routes_for(model, labels)
    assert match.receiver == "slo/holidays/ticket/office"
    at, count = datetime(2026, 1, 1, tzinfo=UTC), 0
    while at.year < 2028:
        local = at.astimezone(BERLIN)
        day, clock = local.date(), (local.hour, local.minute)
        closed = (day.month, day.day) in EACH_YEAR or day in ONCE
        if day.isoweekday() <= 4:
            during = (8, 0) <= clock < (12, 0) or (13, 0) <= clock < (17, 0)
        else:
            during = day.isoweekday() == 5 and (8, 0) <= clock < (14, 0)
        assert is_active(model, match, at) == (during and not closed), at
        count += during and closed
        at += timedelta(minutes=15)
    # In quarters of an hour: the 8 hours of 2026-01-01, 01-06, 04-06 and 2027-01-06, and the 6 of
    # the Fridays 2026-04-03, 05-01, 12-25 and 2027-01-01; all others are at weekends.
    assert count == 4 * (4 * 8 + 4 * 6)


MANIFESTS = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {{name: acme, owner: sre}}
spec:
  holidays: {{now: [{today}], then: [{other}, "{next_year}"], yearly: ["{month_day}"]}}
  hours:
    shut: [{{{always}, holidays: now}}]
    open: [{{{always}, holidays: then}}]
    never: [{{{always}, holidays: yearly}}]
  channels:
    - {{name: shut, webhook: {{url: "http://hooks.internal/shut"}}}}
    - {{name: open, webhook: {{url: "http://hooks.internal/open"}}}}
    - {{name: never, webhook: {{url: "http://hooks.internal/never"}}}}
  escalation:
    - {{severity: page, hours: shut, notify: [shut]}}
    - {{severity: page, hours: open, notify: [open]}}
    - {{severity: page, hours: never, notify: [never]}}
    - {{severity: ticket, notify: [open]}}
  slos:
    - name: availability
      service: web
      objective: 99.9
      sli: {{ratio: {{errors: e_total, total: t_total}}}}
"""


def test_pages_that_no_step_gets_on_holidays_are_a_warning() -> None:
    done = compiled("holidays")
    (tenant,) = done.tenants
    page, ticket, _budget = tenant.steps
    hours = {"hours": ticket.spec.hours, "notify": ["office"]}
    muted = replace(page, spec=page.spec.model_copy(update=hours), hours=ticket.hours)
    tenant = replace(tenant, steps=(muted,))
    found = page_muted.check(tenant, Context(done.settings.spec, None, [tenant]))
    message = (
        'alerts of severity "page" of holidays reach nobody outside of: office (nor on their '
        "holidays)"
    )
    assert [finding.message for finding in found] == [message]


def far_from_midnight(now: datetime) -> str:
    """Choose a location whose day does not change while the test runs."""
    zones = ("Pacific/Kiritimati", "UTC", "America/Los_Angeles")
    return next(zone for zone in zones if 1 <= now.astimezone(ZoneInfo(zone)).hour < 23)


@every_version
def test_on_a_holiday_a_real_server_notifies_only_those_whose_hours_do_not_know_it(
    suite: str, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    zone = far_from_midnight(now)
    today = now.astimezone(ZoneInfo(zone)).date()
    report = Report()
    manifest = MANIFESTS.format(
        today=today,
        other=today + timedelta(days=1),
        next_year=f"{today.year + 1}-{today:%m-%d}"
        if (today.month, today.day) != (2, 29)
        else "03-01",
        month_day=f"{today:%m-%d}",
        always=f'weekdays: ["sunday:saturday"], times: ["00:00-24:00"], location: {zone}',
    )
    source = SourceFile("acme.yaml", "acme.yaml", manifest.encode())
    settings = pipeline.read_project(None, report)
    done = compile_whole(settings, [source], report)
    (text,) = (a.text for a in done.artefacts if a.path == naming.ALERTMANAGER_FILE)
    text = text.replace("group_wait: 30s", "group_wait: 100ms")
    firing = next(r.labels for r in proofs_of(done).routes if ("tier", "page-fast") in r.labels)
    receivers = notified(Config.load(text), [firing], now)[firing]
    assert receivers == {"slo/acme/page/open"}
    with Sink() as sink, running(suite, tmp_path) as real:
        address = f"http://127.0.0.1:{sink.http_port}/webhook/"
        real.load(text.replace("http://hooks.internal/", address))
        real.fire([firing])
        wait_until(lambda: sink.notifications, 15, what="the notification")
        time.sleep(1)  # whoever is not to be notified would have been by now
        assert [n.destination for n in sink.notifications] == ["open"]
