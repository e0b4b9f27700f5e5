"""Planned maintenance that no budget pays for."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar, Self

from pydantic import Field, model_validator

from slo_compiler.recurrence import Pattern
from slo_compiler.schema.base import OneOf, invalid
from slo_compiler.schema.hours import (
    DAYS,
    Location,
    Times,
    Weekdays,
)
from slo_compiler.schema.moment import Moment, every_week, once
from slo_compiler.schema.texts import Name, Text


class Exclusion(OneOf):
    """Planned maintenance that no budget pays for: once up to `to`, or each week up to `until`."""

    ONE_OF: ClassVar = ("to", "until")

    name: Name
    from_: Moment = Field(alias="from")
    to: Moment | None = None
    until: Moment | None = None
    weekdays: list[Weekdays] = Field(default=["sunday:saturday"], min_length=1, max_length=7)
    times: list[Times] = Field(default=[], max_length=24)
    location: Location = "UTC"

    @model_validator(mode="after")
    def _is_some_time(self) -> Self:
        for key in self.model_fields_set & {"weekdays", "times"}:
            if self.to:
                message = f"`{key}` is for what recurs, which ends with `until`, not with `to`"
                raise invalid("exclusion", message, "", key)
        if self.until and not self.times:
            message = "what recurs needs times"
            raise invalid("exclusion", message, 'add times: ["02:00-04:00"]', "until")
        if self.to or self.until:
            _ = self.patterns
        return self

    @cached_property
    def patterns(self) -> tuple[Pattern, ...]:
        """When it is active."""
        if self.to:
            return once(self.from_, self.to, self.location)
        assert self.until is not None  # noqa: S101  (narrows the type)
        ends = [[DAYS.index(day) for day in days.split(":")] for days in self.weekdays]
        weekdays = {day for end in ends for day in range(end[0], end[-1] + 1)}
        times = [(int(s[:2]) * 60 + int(s[3:5]), int(s[6:8]) * 60 + int(s[9:])) for s in self.times]
        return every_week(weekdays, times, self.from_, self.until, self.location)


class TenantExclusion(Exclusion):
    """An exclusion of one tenant, for all of its SLOs or some: `service/name`."""

    slos: list[Text] | None = Field(default=None, min_length=1, max_length=1000)
