"""SLOs that were replaced: whose history a new name would cut off, as the last compile knows."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from slo_compiler.diagnostics import Position, Report
from slo_compiler.resolve.dependencies import Key
from slo_compiler.unit import Interface


def record(interfaces: Iterable[Interface]) -> dict[str, list[str]]:
    """Give the SLOs of each tenant, `service/name`, for the audit record."""
    return {
        tenant.name: sorted(f"{service}/{name}" for (_, service, name), _ in tenant.slos)
        for tenant in sorted(interfaces, key=lambda tenant: tenant.name)
    }


def check(recorded: object, interfaces: Sequence[Interface], report: Report) -> None:
    """Point out a new SLO that may be an old one, renamed without `formerly`.

    Args:
        recorded: the SLOs of each tenant at the last compile, as they are in its record.
        interfaces: the tenants of this one.
        report: takes the findings.
    """
    before = set(_keys(recorded))
    now = {key: at for tenant in interfaces for key, at in tenant.slos}
    kept = {former for tenant in interfaces for former in tenant.formers}
    continued = {key for tenant in interfaces for key in tenant.continuing}
    new = {key: at for key, at in now.items() if key not in before and key not in continued}
    for gone in sorted(before - now.keys() - kept):
        found = _successor(gone, new)
        if found is not None:
            _, service, name = gone
            former = name if found[1] == service else f"{service}/{name}"
            report.warning(
                new.pop(found),
                "slo-replaced",
                f"{'/'.join(gone)} is gone and this SLO is new: its budget begins afresh",
                f"if it is the same SLO, write formerly: {former} to keep its history",
            )


def _keys(recorded: object) -> Iterator[Key]:
    """Read the identities of a record; anyone may have edited it."""
    for tenant, slos in recorded.items() if isinstance(recorded, Mapping) else ():
        for each in slos if isinstance(slos, list) else ():
            service, _, name = str(each).partition("/")
            yield tenant, service, name


def _successor(gone: Key, new: Mapping[Key, Position]) -> Key | None:
    """Give the new SLO of the same service, or else of the same name, that is most alike."""
    tenant, service, name = gone
    own = [key for key in new if key[0] == tenant]
    alike = [key for key in own if key[1] == service] or [key for key in own if key[2] == name]
    likeness = difflib.SequenceMatcher(a="/".join(gone))

    def like(key: Key) -> float:
        likeness.set_seq2("/".join(key))
        return likeness.ratio()

    return max(alike, key=like, default=None)
