"""Hours with their holidays looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from slo_compiler import naming
from slo_compiler.diagnostics import Position, Report, nearest
from slo_compiler.schema.hours import Hours


class Locate(Protocol):
    """Places of the project file's parts."""

    def __call__(self, *path: str | int, key: bool = False) -> Position:
        """Place of the value at a path, or of its key."""


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day; without a year, that day of each year."""

    month: int
    day: int
    year: int | None = None

    @classmethod
    def parse(cls, text: str) -> Holiday:
        """Read a manifest's day, which has been validated."""
        *year, month, day = (int(part) for part in text.split("-"))
        return cls(month, day, *year)

    def is_on(self, day: date) -> bool:
        """Whether a date is this day."""
        return (self.month, self.day, self.year or day.year) == (day.month, day.day, day.year)


@dataclass(frozen=True, slots=True)
class OpenHours:
    """Entries of hours that add up, but for the days on which none of them counts."""

    entries: tuple[Hours, ...]
    holidays: tuple[Holiday, ...] = ()

    @property
    def location(self) -> str:
        """Where the holidays are: the same for all entries, if there are any."""
        return self.entries[0].location


def open_hours(entries: Sequence[Hours], holidays: Mapping[str, Sequence[str]]) -> OpenHours:
    """Look the holidays up; missing names are reported by `check_hours`."""
    days = {Holiday.parse(day) for e in entries for day in holidays.get(e.holidays or "", ())}
    return OpenHours(
        tuple(entries), tuple(sorted(days, key=lambda d: (d.year or 0, d.month, d.day)))
    )


def check_hours(
    hours: Mapping[str, Sequence[Hours]],
    holidays: Mapping[str, object],
    at: Locate,
    report: Report,
) -> None:
    """Check the holidays of a document's hours: they are there, and the same for all entries."""
    for name, entries in hours.items():
        if name.startswith(naming.WAIT_PREFIX):
            report.error(
                at("spec", "hours", name, key=True),
                "hours",
                f'the hours "{name}" would be taken for a step with firing_for',
                f"choose a name that does not begin with {naming.WAIT_PREFIX}",
            )
        for index, entry in enumerate(entries):
            loc = ("spec", "hours", name, index)
            if entry.holidays is not None and entry.holidays not in holidays:
                report.error(
                    at(*loc, "holidays"),
                    "undefined-holidays",
                    f'no holidays "{entry.holidays}"',
                    nearest(entry.holidays, holidays) or "define them in spec.holidays",
                )
            first = entries[0]
            differs = entry.holidays != first.holidays or entry.location != first.location
            if differs and (entry.holidays or first.holidays):
                report.error(
                    at(*loc, "holidays") if entry.holidays else at(*loc),
                    "mixed-holidays",
                    f'the entries of "{name}" do not all have the same holidays and location',
                    "give them names of their own, and a step to each: Alertmanager mutes a route "
                    "on a day, not one of its hours",
                )
