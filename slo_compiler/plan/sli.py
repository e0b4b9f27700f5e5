"""How each SLI type becomes its base pair: isolated rates of events and of errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from slo_compiler.diagnostics import Position, Report
from slo_compiler.duration import Duration
from slo_compiler.manifest.resolve import ResolvedSLO, ResolvedTenant
from slo_compiler.manifest.sli.latency import Latency
from slo_compiler.manifest.sli.ratio import Ratio
from slo_compiler.promql import QueryError, prepare, selector
from slo_compiler.templating import promql_string


@dataclass(frozen=True, slots=True)
class BaseRates:
    """Isolated expressions, in events per second, and the template that makes errors of them."""

    events: str
    errors: str
    errors_template: str
    events_origin: Position
    errors_origin: Position


def base_rates(
    tenant: ResolvedTenant, slo: ResolvedSLO, window: Duration, report: Report
) -> BaseRates | None:
    """Isolate the queries of an SLO; None if any is refused, each told at its own token."""

    def isolated(field: str, make: Callable[[str, Mapping[str, str]], str]) -> str:
        body = slo.spec.sli.body
        query: str = getattr(body, field)
        loc = (*slo.loc, "sli", body.KIND, field)
        try:
            return make(query, tenant.matchers)
        except QueryError as error:
            at = slo.document.within(loc, error.offset, error.width)
            report.error(at, error.id, error.message, error.help)
            return ""

    def rate(query: str, matchers: Mapping[str, str]) -> str:
        return prepare(query, matchers, window)

    match slo.spec.sli.body:
        case Ratio() as ratio:
            field = "errors" if ratio.errors is not None else "good"
            template = "errors" if ratio.errors is not None else "errors_from_good"
            events, errors = isolated("total", rate), isolated(field, rate)
            fields = ("total", field)
        case Latency() as latency:
            threshold = Decimal(latency.threshold.ms) / 1000

            def count(query: str, matchers: Mapping[str, str]) -> str:
                return f"rate({selector(query, matchers, '_count', '')}[{window}])"

            def bucket(query: str, matchers: Mapping[str, str]) -> str:
                chosen = selector(query, matchers, "_bucket", bucket_matcher(threshold))
                return f"rate({chosen}[{window}])"

            template = "errors_from_bucket"
            events, errors = isolated("histogram", count), isolated("histogram", bucket)
            fields = ("histogram", "threshold")
    if not events or not errors:
        return None
    kind = slo.spec.sli.body.KIND
    return BaseRates(
        events, errors, template, slo.at("sli", kind, fields[0]), slo.at("sli", kind, fields[1])
    )


def bucket_matcher(bound: Decimal) -> str:
    """Match a bucket's `le` however it is spelled.

    Clients write 1 as `1` or `1.0`, a million as `1e+06` or `1000000.0`; Prometheus 3 rewrites them
    to the float's shortest form with a decimal point, 2.x keeps what was scraped.
    """
    plain = format(bound, "f")
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    spellings = {plain}
    if "." not in plain:
        spellings.add(f"{plain}.0")
    sign, digits, exponent = bound.normalize().as_tuple()
    assert not sign  # noqa: S101  (durations are positive)
    scientific = int(exponent) + len(digits) - 1
    if scientific < -4 or scientific >= 6:  # noqa: PLR2004  (Go's %g and Python's repr)
        mantissa = str(digits[0]) + ("." + "".join(map(str, digits[1:])) if digits[1:] else "")
        spellings.add(f"{mantissa}e{scientific:+03d}")
    if len(spellings) == 1:
        return f"le={promql_string(plain)}"
    pattern = "|".join(sorted(spellings)).replace(".", "[.]").replace("+", "[+]")
    return f"le=~{promql_string(pattern)}"
