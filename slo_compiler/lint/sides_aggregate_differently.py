"""The two sides of a ratio are aggregated differently.

An average of errors beside a sum of all is no ratio of events. Labels that one side keeps and the
other does not, or that the SLI's `by` does not name, are summed up by the compiler and so mean
nothing; mostly, `by` was meant to name them.

Fails:

    ratio:
      errors: avg(rate(http_requests_total{code=~"5.."}[$window]))
      total: sum(rate(http_requests_total[$window]))

Passes:

    ratio:
      errors: sum(rate(http_requests_total{code=~"5.."}[$window]))
      total: sum(rate(http_requests_total[$window]))
"""

from collections.abc import Iterator, Sequence

import promql_parser as pp

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.lint.queries import Query, labels_by, queries
from slo_compiler.naming import RESERVED_LABELS
from slo_compiler.promql import unwrapped
from slo_compiler.promql.places import Place
from slo_compiler.resolve.model import ResolvedSLO, ResolvedTenant

ID = "sides-aggregate-differently"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Compare the outermost aggregations of errors or good with those of total, and with `by`."""
    sides: dict[int, dict[str, Query]] = {}
    for query in queries(tenant):
        sides.setdefault(id(query.slo), {})[query.key] = query
    for found in sides.values():
        part, total = found.get("errors") or found.get("good"), found.get("total")
        if part is None or total is None:
            continue
        ours, theirs = unwrapped(part.parsed.tree), unwrapped(total.parsed.tree)
        if isinstance(ours, pp.AggregateExpr) and isinstance(theirs, pp.AggregateExpr):
            if _text(ours) != _text(theirs):
                yield Finding(
                    part.at(_place(part)),
                    f"{part.key} is {_text(ours)}(...), but total is {_text(theirs)}(...)",
                    "aggregate both by the same labels: "
                    f"{_text(theirs, _operator(ours, theirs))}(...)",
                )
                continue
            extra = sorted({*labels_by(ours)} - {*part.slo.sources})
            if extra:
                yield Finding(
                    part.at(_place(part)),
                    f"both sides keep {', '.join(extra)}, but the SLI's by does not name it: "
                    "all are summed up",
                    f"add it to by, or leave it out: by: {_by(part.slo, extra)}",
                )


def _operator(ours: pp.AggregateExpr, theirs: pp.AggregateExpr) -> str:
    """Choose what both sides can be: a count, if one is, or else a sum."""
    names = (str(ours.op), str(theirs.op))
    return "count" if "count" in names else "sum"


def _by(slo: ResolvedSLO, extra: Sequence[str]) -> str:
    """Write `by` with more labels: those that the compiler sets get other names."""
    pairs = [*zip(slo.by, slo.sources, strict=True)]
    pairs += [(f"query_{name}" if name in RESERVED_LABELS else name, name) for name in extra]
    if all(new == old for new, old in pairs):
        return f"[{', '.join(new for new, _ in pairs)}]"
    return f"{{{', '.join(f'{new}: {old}' for new, old in pairs)}}}"


def _place(query: Query) -> Place:
    return next(p.place for p in query.parts if isinstance(p.node, pp.AggregateExpr))


def _text(node: pp.AggregateExpr, op: str = "") -> str:
    name = op or str(node.op)
    if node.modifier is None:
        return name
    word = "by" if node.modifier.type == pp.AggModifierType.By else "without"
    labels = ", ".join(sorted(node.modifier.labels))
    return f"{name} {word} ({labels})" if labels or word == "without" else name
