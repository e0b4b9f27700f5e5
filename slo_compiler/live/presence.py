"""Does each selector match series, and if not, what keeps them out?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches

from slo_compiler.decimals import plain
from slo_compiler.diagnostics import Position, Report
from slo_compiler.duration import Duration
from slo_compiler.live.client import Client
from slo_compiler.live.selectors import SUFFIXES, CheckedSLO, UsedSelector
from slo_compiler.promql import Matcher, Selector
from slo_compiler.schema.sli.latency import Latency
from slo_compiler.schema.sli.unit import TimeUnit
from slo_compiler.templating import render_expression

SHOWN = 5  # values in a message
SUMMED_SERIES = 500  # of more, an hour is read instead of a day


@dataclass(frozen=True, slots=True)
class Found:
    """What a selector matches: series now, or else how long ago the last sample was."""

    now: int
    seconds_ago: float | None = 0

    @property
    def ever(self) -> bool:
        """Whether it matched at any time of the last day."""
        return self.seconds_ago is not None

    @property
    def look_back(self) -> Duration:
        """How far a query over these series may reach back."""
        return Duration.of(days=1) if self.now <= SUMMED_SERIES else Duration.of(hours=1)


def find(client: Client, selector: Selector) -> Found:
    """Query whether a selector matches series now, or did within a day."""
    now = client.number(render_expression("live/series", selector=selector))
    if now:
        return Found(int(now))
    return Found(0, client.number(render_expression("live/last_seen", selector=selector)))


def check(client: Client, subject: CheckedSLO, report: Report) -> None:
    """Report each selector that matches nothing: never, or not any more."""
    for used in subject.asked:
        found = find(client, used.selector)
        if found.now:
            continue
        if found.seconds_ago is not None:
            report.warning(
                used.position,
                "live-gone",
                f"{used.selector} matches nothing now; its last sample is "
                f"{_age(found.seconds_ago)} old",
                "are its targets up?",
            )
        else:
            _explain(client, subject, used, report)


def _age(seconds: float) -> str:
    """Return how old a sample is, in whole hours or minutes."""
    unit = 3600 if seconds >= 3600 else 60  # noqa: PLR2004  (an hour)
    return str(Duration.of(seconds=max(1, int(seconds // unit)) * unit))


def _explain(client: Client, subject: CheckedSLO, used: UsedSelector, report: Report) -> None:
    """Find out why a selector matched nothing for a day: the metric, a matcher, or several."""
    selector = used.selector
    isolation = (*subject.tenant.matchers,)
    if not find(client, selector.only(*isolation)).ever:
        _no_metric(client, subject, used, report)
        return
    own = [m for m in selector.matchers if m.name not in isolation]
    excluding = [m for m in own if find(client, selector.without(m)).ever]
    if len(excluding) == 1 and excluding[0].name == "le":
        _no_bucket(client, subject, used, excluding[0], report)
    elif len(excluding) == 1:
        _excluded(client, subject, used, excluding[0], selector.without(*excluding), report)
    elif excluding:
        # Each has series beside all others but one: they only do not go together.
        helps = (
            f"{m.name} is {listed(client.label_values(m.name, str(selector.without(m))))} "
            "beside the others"
            for m in excluding
        )
        _add(
            used,
            report,
            f"no series of {selector.metric} has {' and '.join(map(str, excluding))} together",
            "; ".join(helps),
        )
    else:
        everything = selector.only(*isolation)
        alone = [m for m in own if not find(client, everything.having(m)).ever]
        for matcher in alone:
            _excluded(client, subject, used, matcher, everything, report)
        if not alone:
            _add(
                used,
                report,
                f"no series of {selector.metric} has {' and '.join(map(str, own))} together",
                "each of them alone has some: drop the one that is too much",
            )


def _add(
    used: UsedSelector, report: Report, message: str, help_: str, at: Position | None = None
) -> None:
    """Add an error; a warning where a missing series may mean that there was no error yet."""
    add = report.error if used.required else report.warning
    fine = "" if used.required else "; fine if there was no error yet"
    add(
        at or used.position,
        "live-no-series" if at is None else "live-matcher",
        message,
        help_ + fine,
    )


def _no_metric(client: Client, subject: CheckedSLO, used: UsedSelector, report: Report) -> None:
    """No series of the metric carries the tenant's matchers."""
    metric = used.selector.metric
    matchers = ",".join(str(Matcher(k, "=", v)) for k, v in subject.tenant.matchers.items())
    whose = f" with {matchers}" if matchers else ""
    names = client.label_values("__name__", f"{{{matchers}}}" if matchers else "")
    # Other tenants' series are not this tenant's business: only those of no tenant are named.
    unlabelled = Selector(metric, tuple(Matcher(k, "=", "") for k in subject.tenant.matchers))
    family = next((metric.removesuffix(s) for s in SUFFIXES if metric.endswith(s)), metric)
    close = get_close_matches(metric, names, n=1, cutoff=0.6)
    if matchers and find(client, unlabelled).ever:
        help_ = f"there are series without {', '.join(subject.tenant.matchers)}: label them when "
        help_ += "scraping, or name this tenant's matchers in the project's tenants"
    elif family != metric and family in names:
        help_ = f"{family} has no classic buckets: is it a native histogram?"
    elif used.native and f"{metric}_bucket" in names:
        help_ = f"{metric} is a classic histogram: scrape native ones, or do not ask for them"
    elif close:
        help_ = f'did you mean "{close[0]}"?'
    elif names:
        help_ = f"none of the {len(names):,} metrics{whose} has a name like it"
    else:
        help_ = f"there are no series at all{whose}"
    add: Callable[[Position, str, str, str], None] = report.error
    if not used.required and not close:  # a counter of errors may be born with the first one
        add, help_ = report.warning, f"{help_}; fine if there was no error yet"
    message = f"{metric}{whose} has had no series for a day"
    add(used.position, "live-no-series", message, help_)


def _excluded(
    client: Client,
    subject: CheckedSLO,
    used: UsedSelector,
    matcher: Matcher,
    rest: Selector,
    report: Report,
) -> None:
    """One matcher keeps all series out that the rest selects; show which values they have."""
    values = client.label_values(matcher.name, str(rest))
    if values:
        close = get_close_matches(matcher.value, values, n=1, cutoff=0.6)
        help_ = f"they have {matcher.name} {listed(values)}"
        help_ += f': did you mean "{close[0]}"?' if close else ""
    else:
        close = get_close_matches(matcher.name, client.label_names(str(rest)), n=1)
        help_ = f'they have no label "{matcher.name}"'
        help_ += f': did you mean "{close[0]}"?' if close else ""
    _add(
        used,
        report,
        f"{matcher} excludes all {used.selector.metric} of the last day",
        help_,
        subject.matcher_at(used, matcher),
    )


def _no_bucket(
    client: Client, subject: CheckedSLO, used: UsedSelector, matcher: Matcher, report: Report
) -> None:
    """The histogram has no bucket at the threshold: show its bounds."""
    bounds = client.label_values("le", str(used.selector.without(matcher)))
    body = subject.slo.spec.sli.body
    latency = body if isinstance(body, Latency) else None
    report.error(
        subject.at("threshold") if latency else used.position,
        "live-bucket",
        f"{used.selector.metric} has no bucket at "
        + (f"the threshold {latency.threshold}" if latency else str(matcher)),
        bounds_near(bounds, latency),
    )


_SHORT = {
    TimeUnit.SECONDS: "s",
    TimeUnit.MILLISECONDS: "ms",
    TimeUnit.MICROSECONDS: "us",
    TimeUnit.NANOSECONDS: "ns",
    TimeUnit.MINUTES: "m",
}


def bounds_near(values: Iterable[str], latency: Latency | None) -> str:
    """Name the bounds around a threshold, or the unit in which it is one of them."""
    bounds = sorted({bound for value in values if (bound := _decimal(value)) is not None})
    if latency is None:
        near, unit = bounds, "s"
    else:
        for other in TimeUnit:
            if latency.model_copy(update={"unit": other.value}).bound in bounds:
                return f"its bounds look like {other}: write unit: {other}"
        near = [b for b in bounds if b < latency.bound][-1:]
        near += [b for b in bounds if b > latency.bound][:1]
        unit = _SHORT[latency.measured_in]
    if not near:
        return "it has no bounds but +Inf"
    shown = " and ".join(f"{plain(b)}{unit}" for b in near)
    return f"the nearest bounds are {shown}: take one of them"


def _decimal(value: str) -> Decimal | None:
    try:
        bound = Decimal(value)
    except InvalidOperation:
        return None
    return bound if bound.is_finite() else None


def listed(values: Sequence[str]) -> str:
    """List a few values."""
    more = len(values) - SHOWN
    shown = ", ".join(f'"{value}"' for value in values[:SHOWN])
    return shown + (f" and {more:,} more" if more > 0 else "")
