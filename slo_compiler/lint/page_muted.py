"""Pages are muted at some hours, and no one else gets them.

Hours of one time zone that add up to the whole week leave nothing out.

Fails:

    escalation:
      - {severity: page, hours: business, notify: [chat]}
      - {severity: ticket, notify: [chat]}

Passes:

    channels:
      - {name: chat, webhook: {url: "http://chat.internal/"}}
      - {name: oncall, webhook: {url: "http://oncall.internal/"}}
    escalation:
      - {severity: page, hours: business, notify: [chat]}
      - {severity: page, notify: [oncall]}
      - {severity: ticket, notify: [chat]}
"""

from collections.abc import Iterator, Sequence

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.slo import rank
from slo_compiler.resolve.model import ResolvedStep, ResolvedTenant
from slo_compiler.schema.hours import DAYS

ID = "page-muted"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Give tenants where every step for pages has hours, and these leave some of the week out."""
    steps = [
        step
        for step in tenant.steps
        if step.spec.severity and rank(tenant, step.spec.severity) == 0 and not step.spec.firing_for
    ]
    if steps and all(step.hours for step in steps) and not _whole_week(steps):
        yield Finding(
            steps[0].position,
            f'alerts of severity "{steps[0].spec.severity}" of {tenant.name} reach nobody outside '
            "of: " + ", ".join(sorted({_hours(step) for step in steps})),
            "add a step for them without hours",
        )


def _hours(step: ResolvedStep) -> str:
    """Name the hours of a step, and that they do not count on some days."""
    holidays = step.hours is not None and step.hours.holidays
    return f"{step.spec.hours}" + (" (nor on their holidays)" if holidays else "")


def _whole_week(steps: Sequence[ResolvedStep]) -> bool:
    """Whether the hours of one time zone add up to all minutes of a week, on holidays, too."""
    minutes: dict[str, set[tuple[int, int]]] = {}
    always = (step.hours for step in steps if step.hours and not step.hours.holidays)
    for hours in (entry for open_hours in always for entry in open_hours.entries):
        covered = minutes.setdefault(hours.location, set())
        for days in hours.weekdays:
            first, _, last = days.partition(":")
            for times in hours.times:
                start, end = (int(t[:2]) * 60 + int(t[3:]) for t in times.split("-"))
                covered |= {
                    (day, minute)
                    for day in range(DAYS.index(first), DAYS.index(last or first) + 1)
                    for minute in range(start, end)
                }
    return any(len(covered) == len(DAYS) * 24 * 60 for covered in minutes.values())
