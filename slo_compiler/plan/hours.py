"""When a route is active: hours as Alertmanager's time intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from slo_compiler import naming
from slo_compiler.plan.routing_ir import Interval
from slo_compiler.resolve.hours import OpenHours


def time_intervals(used: Mapping[str, OpenHours]) -> Iterator[tuple[str, tuple[Interval, ...]]]:
    """Give the intervals of each use of hours, and of the days that are taken out of them."""
    for name, hours in used.items():
        yield (
            name,
            tuple(
                Interval(
                    entry.location,
                    weekdays=tuple(entry.weekdays),
                    times=tuple((span[:5], span[6:]) for span in entry.times),
                )
                for entry in hours.entries
            ),
        )
        if hours.holidays:
            yield naming.holidays(name), tuple(_holidays(hours))


def _holidays(hours: OpenHours) -> Iterator[Interval]:
    """Write days as months, one entry for each month of a year or of each year."""
    for year, month in dict.fromkeys((day.year, day.month) for day in hours.holidays):
        days = tuple(d.day for d in hours.holidays if (d.year, d.month) == (year, month))
        yield Interval(
            hours.location,
            days_of_month=days,
            months=(month,),
            years=(year,) if year else (),
        )
