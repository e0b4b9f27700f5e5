"""Which proofs are run: those of some tenants, of one SLO, or of one kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from slo_compiler import naming

_MORE = re.compile(r" and [0-9]+ more$")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The proofs to run; by default all."""

    tenants: frozenset[str] = frozenset()
    slo: str = ""  # tenant/service/slo
    routes: bool = True
    unit_tests: bool = True

    @property
    def all(self) -> bool:
        """Whether nothing is left out."""
        return self == Wanted()

    def tenant(self, name: str) -> bool:
        """Whether proofs of a tenant are wanted."""
        if self.slo:
            return name == self.slo.partition("/")[0]
        return not self.tenants or name in self.tenants

    def test(self, name: str) -> bool:
        """Whether a unit test is wanted: its name begins with its SLOs, `web/availability: ...`.

        A test of many SLOs does not name them all (`... and 12 more`); it may be about any.
        """
        own, names = self.slo.partition("/")[2], name.partition(": ")[0]
        return not own or own in names.split(", ") or _MORE.search(names) is not None

    def route(self, labels: Mapping[str, str]) -> bool:
        """Whether the route of an alert is wanted."""
        if self.slo:
            return "/".join(labels.get(name, "") for name in naming.IDENTITY) == self.slo
        return self.tenant(labels.get(naming.TENANT, ""))
