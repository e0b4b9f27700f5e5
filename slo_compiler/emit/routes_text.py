"""The file of expected routes: of each tenant's alerts the receivers, and what inhibits them.

Written without a template: a thousand SLOs have tens of thousands of lines of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slo_compiler.proofs.model import ExpectedHours, ExpectedRoute
from slo_compiler.templating import quoted, render


def routes_text(routes: Iterable[ExpectedRoute]) -> str:
    """Write the entries of one tenant's alerts."""
    return "".join(map(_entry, routes))


def routes_file(
    entries: Iterable[str], hours: Sequence[ExpectedHours], external: Sequence[str], *, waits: bool
) -> str:
    """Write the file.

    Args:
        entries: of the tenants.
        hours: the times at which time intervals must be active, or must not.
        external: external labels of Prometheus servers.
        waits: whether an alert is inhibited by those of other SLOs.
    """
    return render(
        "emit/routes.yml.j2",
        entries="".join(entries),
        all_hours=hours,
        external_labels=external,
        waits=waits,
    )


def _entry(route: ExpectedRoute) -> str:
    labels = ", ".join([f"{name}: {quoted(value)}" for name, value in route.labels])
    receivers = ", ".join(map(quoted, route.receivers))
    hours = inhibited = ""
    if any(route.hours):
        hours = f"    hours: [{', '.join(map(quoted, route.hours))}]\n"
    if route.inhibited_by:
        inhibited = f"    inhibited_by: [{', '.join(route.inhibited_by)}]\n"
    return (
        f"  - labels: {{{labels}}}\n    receivers: [{receivers}]\n{hours}{inhibited}"
        f"    manifest: {quoted(route.origin)}\n"
    )
