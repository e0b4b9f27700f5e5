"""How a tenant spells the names of its SLOs and services: each in one way."""

from __future__ import annotations

from slo_compiler.naming import normalised
from slo_compiler.schema import SLO


class SpelledNames:
    """The names of a tenant so far, by what they are compared by."""

    def __init__(self) -> None:
        self._services: dict[str, str] = {}
        self._slos: dict[tuple[str, str], str] = {}

    def taken(self, slo: SLO) -> str:
        """Add an SLO's names; return what is wrong if one differs from another only by spelling."""
        key = normalised(slo.service), normalised(slo.name)
        service = self._services.setdefault(key[0], slo.service)
        name = self._slos.setdefault(key, slo.name)
        if service != slo.service:
            return f'the service "{slo.service}" is "{service}" elsewhere'
        if name != slo.name:
            return f'the service "{service}" has both SLOs "{name}" and "{slo.name}"'
        return ""
