"""Do the events have the `by` labels, and how many series do they make?"""

from __future__ import annotations

from difflib import get_close_matches

from slo_compiler.diagnostics import Report
from slo_compiler.live.client import Client
from slo_compiler.live.presence import find, listed
from slo_compiler.live.selectors import CheckedSLO
from slo_compiler.render.base import events_expression

MANY = 100  # series of one SLO


def check(client: Client, subject: CheckedSLO, report: Report) -> None:
    """Evaluate what the rule of the events will, with nothing of other rules in it."""
    events = [used for used in subject.asked if not used.errors]
    if not events or not all(find(client, used.selector).now for used in events):
        return
    expr = events_expression(subject.tenant, subject.slo, subject.timing, subject.timing.base_range)
    if expr is None:
        return
    series = [sample.labels for sample in client.vector(expr)]
    if not series:
        if any(used.native for used in events):  # that they are none is reported by kinds.py
            return
        report.error(
            events[0].position,
            "live-no-result",
            f"there are series, but no events: none has two samples within "
            f"{subject.timing.base_range}",
            f"the project declares that they are scraped every {subject.timing.scrape}",
        )
        return
    for label, source in zip(subject.slo.by, subject.slo.sources, strict=True):
        lacking = sum(not labels.get(label) for labels in series)
        if not lacking:
            continue
        at = subject.slo.at_by(label)
        if lacking == len(series):
            names = client.label_names(str(events[0].selector))
            close = get_close_matches(source, names, n=1)
            hint = f'did you mean "{close[0]}"?' if close else f"they have {listed(names)}"
            report.error(at, "live-by", f'no event has the label "{source}"', hint)
        else:
            report.warning(
                at,
                "live-by",
                f'{lacking:,} of {len(series):,} series of events have no label "{source}"',
                "their events share a budget of their own",
            )
    if len(series) > MANY:
        report.warning(
            subject.at("by"),
            "live-cardinality",
            f"{', '.join(subject.slo.by)} make {len(series):,} series of this SLO, each with "
            "windows, a budget and alerts",
            "leave out a label, or give an SLO to what matters",
        )
