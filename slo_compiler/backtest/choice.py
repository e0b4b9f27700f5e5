"""Which SLOs do the names on a command line choose?"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from slo_compiler.diagnostics import nearest
from slo_compiler.plan.tenant import Identity


def unknown(words: Iterable[str], known: Iterable[Identity], parts: Collection[int]) -> str | None:
    """Return which word names no SLO, and what was probably meant; None if all name some.

    Args:
        words: names such as `customer-b/checkout`.
        known: all SLOs.
        parts: how many parts a name may have: 1 for a tenant, 2 with its service, 3 with its SLO.
    """
    names = {"/".join(_parts(each)[:length]) for each in known for length in parts}
    for word in words:
        if word not in names:
            alike = {name for name in names if name.count("/") == word.count("/")}
            return f'no SLO is of "{word}"; {nearest(word, alike or names)}'
    return None


def chosen(
    known: Iterable[Identity], tenants: Collection[str], slos: Iterable[str]
) -> list[Identity]:
    """Choose the SLOs of some tenants, and among those the named; no names mean all."""
    named = [tuple(each.split("/")) for each in slos] or [()]
    return [
        each
        for each in known
        if (not tenants or each.tenant in tenants)
        and any(_parts(each)[: len(name)] == name for name in named)
    ]


def _parts(identity: Identity) -> tuple[str, str, str]:
    return identity.tenant, identity.service, identity.slo
