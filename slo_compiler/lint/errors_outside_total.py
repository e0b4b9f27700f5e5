"""The errors of a ratio, or its good events, are not a part of its total.

An error ratio is the errors' share of all events. Where `total` is of one job and `errors` of
another, because one of the names is misspelt, errors are missing; where `errors` lacks a matcher of
`total`, because the two are swapped or it was forgotten, other events are counted as errors.

Fails:

    ratio:
      errors: http_requests_total{job="prcing", code=~"5.."}
      total: http_requests_total{job="pricing"}

Passes:

    ratio:
      errors: http_requests_total{job="pricing", code=~"5.."}
      total: http_requests_total{job="pricing"}
"""

from collections.abc import Iterator, Sequence

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.queries import Part, PlacedMatcher, Query, sides
from slo_compiler.promql.places import Place
from slo_compiler.resolve.model import ResolvedTenant

ID = "errors-outside-total"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Compare the matchers of both sides, where each is one selector of the same metric."""
    # The compiler adds these to both sides, or refuses another value.
    ours = {*tenant.matchers, *tenant.isolating}
    for query, part, whole, total in sides(tenant):
        if query.text == whole.text:
            yield Finding(
                query.at(part.place),
                f"{query.key} and total are the same events",
                f'give {query.key} a matcher of its own, such as code=~"5.."',
            )
        else:
            yield from _compare(query, part, [m for m in total.matchers if m.name not in ours])


def _compare(query: Query, part: Part, total: Sequence[PlacedMatcher]) -> Iterator[Finding]:
    for matcher in total:
        own = [each for each in part.matchers if each.name == matcher.name]
        if not own:
            yield Finding(
                query.at(part.place),
                f"{query.key} has events that total lacks: only total has {matcher}",
                _advice(query, part, total, matcher),
            )
            return
        values = [each for each in own if each.op == "="]
        if values and matcher.decidable and not matcher.accepts({matcher.name: values[0].value}):
            place: Place = values[0].place
            yield Finding(
                query.at(place),
                f"no event of {query.key} is in total: it has {values[0]}, and total {matcher}",
                "write the same in both",
            )
            return


def _advice(
    query: Query, part: Part, total: Sequence[PlacedMatcher], missing: PlacedMatcher
) -> str:
    """Return what to write; where all that one side has is in the other, they may be swapped."""
    if {*map(str, part.matchers)} < {*map(str, total)}:
        return f"swap {query.key} and total if they are the wrong way round"
    return f"add {missing} to it, or take it from total"
