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


def as_text(told: Explanation) -> str:
    """Tell an SLO to a person."""
    return "\n".join(printable(line).rstrip() for line in _lines(told)) + "\n"


def _lines(told: Explanation) -> Iterator[str]:
    made = f", made of {told.template}" if told.template else ""
    yield f"{told.slo}  ({told.at}{made})"
    if told.description:
        yield f"  {told.description}"
    if told.shadow:
        yield f"  shadow: no alert is sent; what would fire is recorded as {naming.SHADOW_ALERT}"
    yield ""
    rows = [(v.key, v.value, f"{v.said_by:<8}  {v.at}") for v in told.values]
    yield from (f"  {line}" for line in table(rows))
    yield ""
    yield f"  budget: {told.budget_outage} of full outage, or {told.budget_events} events"
    yield ""
    if told.recorded_only:
        yield "  recorded only (alerting: none): ratios and budget are there, and no alert is"
    else:
        yield from _tiers(told)
    yield from related_text.lines(told.relations)
    yield ""
    for name, expr in told.queries:
        yield f"  {name}"
        yield from (f"    {line}" for line in expr.splitlines())
    if told.notified:
        yield ""
        yield "  heard by"
    heard: dict[tuple[str, str], list[str]] = {}
    for audience in told.notified:
        who = ", ".join(audience.channels) or "nobody"
        heard.setdefault((who, audience.hours), []).extend(audience.alerts)
    for (who, hours), alerts in heard.items():
        yield f"    {who}{f', {hours}' if hours else ''}"
        yield f"      {', '.join(alerts)}"
    yield ""
    cost, each = told.cost, f" for each {', '.join(told.by)}" if told.by else ""
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


def _tiers(told: Explanation) -> Iterator[str]:
    # Names are told where somebody chose them.
    named = any(tier.alert != naming.ALERT_BURN for tier in told.tiers)
    columns = [(title, key) for title, key in _TIERS if named or key != "alert"]
    head = [title for title, _ in columns]
    tiers = ([getattr(tier, key) or "-" for _, key in columns] for tier in told.tiers)
    yield from (f"  {line}" for line in table([head, *tiers]))
    yield "  From a clean history, at 100% errors and at 10 times the threshold; ends after a full"
    yield "  outage. Evaluation adds up to a minute; to windows above 6h, up to four."
