"""An explanation as text: short, aligned, and the numbers first."""

from __future__ import annotations

from collections.abc import Iterator

from slo_compiler import naming
from slo_compiler.report import percent, printable, table
from slo_compiler.view import related_text
from slo_compiler.view.explain import Explanation

_TIERS = (
    ("tier", "tier"),
    ("alert", "alert"),
    ("severity", "severity"),
    ("budget", "budget_share"),
    ("in", "long_window"),
    ("and within", "short_window"),
    ("burn rate", "burn_rate"),
    ("threshold", "threshold"),
    ("for", "wait"),
    ("at least", "guard"),
    ("fires at 100%", "fires_at_full_outage"),
    ("at 10x", "fires_at_ten_times"),
    ("ends", "ends"),
)


def as_text(slo: Explanation) -> str:
    """Return an SLO's explanation as text."""
    return "\n".join(printable(line).rstrip() for line in _lines(slo)) + "\n"


def _lines(slo: Explanation) -> Iterator[str]:
    made = f", made of {slo.template}" if slo.template else ""
    yield f"{slo.slo}  ({slo.at}{made})"
    if slo.description:
        yield f"  {slo.description}"
    if slo.shadow:
        yield f"  shadow: no alert is sent; what would fire is recorded as {naming.SHADOW_ALERT}"
    yield ""
    rows = [(v.key, v.value, f"{v.said_by:<8}  {v.at}") for v in slo.values]
    yield from (f"  {line}" for line in table(rows))
    yield ""
    yield f"  budget: {slo.budget_outage} of full outage, or {slo.budget_events} events"
    yield ""
    if slo.recorded_only:
        yield "  recorded only (alerting: none): ratios and budget are there, and no alert is"
    else:
        yield from _tiers(slo)
    yield from related_text.lines(slo.relations)
    yield ""
    for name, expr in slo.queries:
        yield f"  {name}"
        yield from (f"    {line}" for line in expr.splitlines())
    if slo.notified:
        yield ""
        yield "  notified"
    receivers: dict[tuple[str, str], list[str]] = {}
    for audience in slo.notified:
        who = ", ".join(audience.channels) or "nobody"
        receivers.setdefault((who, audience.hours), []).extend(audience.alerts)
    for (who, hours), alerts in receivers.items():
        yield f"    {who}{f', {hours}' if hours else ''}"
        yield f"      {', '.join(alerts)}"
    yield ""
    cost, each = slo.cost, f" for each {', '.join(slo.by)}" if slo.by else ""
    others = cost.shared_by_slos - 1
    shared = f"shared with {others} more SLO{'s' * (others != 1)}" if others else "of its tenant"
    yield (
        f"  costs {cost.own_recording_rules} recording rules and {cost.own_alerts} alerts of its "
        f"own, {cost.shared_recording_rules} recording rules {shared};"
    )
    yield f"  up to {cost.series} series{each}"
    yield (
        f"  about {cost.samples_per_second:,.0f} samples/s and {percent(cost.cpu_ratio)} of a core "
        "if each selector has one series (slo-compiler cost)"
    )


def _tiers(slo: Explanation) -> Iterator[str]:
    # Names are shown where the manifest sets them.
    named = any(tier.alert != naming.ALERT_BURN for tier in slo.tiers)
    columns = [(title, key) for title, key in _TIERS if named or key != "alert"]
    head = [title for title, _ in columns]
    tiers = ([getattr(tier, key) or "-" for _, key in columns] for tier in slo.tiers)
    yield from (f"  {line}" for line in table([head, *tiers]))
    yield "  From a clean history, at 100% errors and at 10 times the threshold; ends after a full"
    yield "  outage. Evaluation adds up to a minute; to windows above 6h, up to four."
