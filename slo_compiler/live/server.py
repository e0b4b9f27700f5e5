"""Is the server the one that the project declares: its version, its retention, its scrapes?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from slo_compiler.diagnostics import Position, Report
from slo_compiler.duration import Duration
from slo_compiler.live.client import Client
from slo_compiler.live.presence import find
from slo_compiler.live.selectors import CheckedSLO
from slo_compiler.plan import PlannedTenant
from slo_compiler.plan.tenant import tier_windows
from slo_compiler.templating import render_expression

_OBSERVED = Duration.of(minutes=10)
_TOLERANCE = 1.25


def check_version(client: Client, declared: str, at: Position, report: Report) -> None:
    """Compare versions; front ends such as Mimir and Thanos have versions of their own."""
    build = client.status("buildinfo")
    match = re.match(r"([23])\.([0-9]+)\.", str(build.get("version")))
    if match is None or build.get("application"):
        return
    real = (int(match[1]), int(match[2]))
    wanted = tuple(int(part) for part in declared.split("."))[:2]
    if real < wanted:
        report.error(
            at,
            "live-version",
            f"the project declares Prometheus {declared}, but {client.url} is {real[0]}.{real[1]}",
            "declare the version that runs: it may lack what the rules use",
        )
    elif real[0] > wanted[0]:
        report.warning(
            at,
            "live-version",
            f"the project declares Prometheus {declared}, but {client.url} is {real[0]}.{real[1]}",
            "declare the version that runs",
        )


def check_retention(
    client: Client, subjects: Sequence[CheckedSLO], at: Position, report: Report
) -> None:
    """Compare the retention with the longest span that a rule reads."""
    # "15d", "10GiB", or "15d or 10GiB"; a limit of size has no time.
    setting = str(client.status("runtimeinfo").get("storageRetention", ""))
    try:
        retention = Duration.parse(setting.split(" or ", maxsplit=1)[0])
    except ValueError:
        return
    spans = [(max(s.slo.period.longest, *tier_windows([s.slo])), s) for s in subjects]
    short = [(span, subject) for span, subject in spans if span > retention]
    if short:
        longest, first = max(short, key=lambda pair: pair[0])
        others = f" and {len(short) - 1:,} more" if len(short) > 1 else ""
        report.error(
            at,
            "live-retention",
            f"{client.url} keeps samples for {retention}, but {first.name}{others} read up to "
            f"{longest}",
            f"start it with --storage.tsdb.retention.time={longest} or more",
        )


def check_look_back(
    client: Client, planned: Sequence[PlannedTenant], at: Position, report: Report
) -> None:
    """Compare how far a query looks back for a sample with how often the rules record one."""
    setting = str(client.status("flags").get("query.lookback-delta", ""))
    try:
        look_back = Duration.parse(setting)
    except ValueError:
        return
    slowest = max(
        (group.interval for tenant in planned for group in tenant.groups), default=look_back
    )
    if slowest > look_back:
        report.error(
            at,
            "live-look-back",
            f"{client.url} forgets a series {look_back} after its last sample, but rules record "
            f"theirs every {slowest}",
            f"start it with --query.lookback-delta={slowest} or more; its default is 5m",
        )


def check(client: Client, subject: CheckedSLO, report: Report) -> None:
    """Compare the scrape interval of an SLO's series with the project's."""
    declared = subject.timing.scrape
    for used in subject.asked:
        if used.errors or not used.counter or not find(client, used.selector).now:
            continue
        samples = client.number(
            render_expression("live/samples", selector=used.selector, range=_OBSERVED)
        )
        if not samples:
            continue
        observed = Duration(round(_OBSERVED.seconds / samples) * 1000)
        if declared.ms / _TOLERANCE <= observed.ms <= declared.ms * _TOLERANCE:
            continue
        report.warning(
            used.position,
            "live-scrape-interval",
            f"{used.selector.metric} has a sample every {observed} or so, but the "
            f"declared scrape_interval is {declared}: events do not count exactly once",
            "declare the interval that these targets are scraped at",
        )
