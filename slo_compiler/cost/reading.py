"""How many samples one evaluation of an expression reads, and for which SLOs."""

from __future__ import annotations

from dataclasses import dataclass, field

import promql_parser as pp

from slo_compiler import naming
from slo_compiler.cost.catalogue import Catalogue, Counts
from slo_compiler.cost.model import Assumed, Load, Owner
from slo_compiler.duration import Duration
from slo_compiler.promql import children, parsed, selector_of

_SELECTING = ("topk", "bottomk", "limitk", "limit_ratio", "count_values")
_OF_SERVER = ("prometheus_rule_", "vmalert_")  # a server's metrics on its own rules
_FROM_NOTHING = ("vector", "absent", "absent_over_time")


@dataclass(slots=True)
class Reader:
    """Walks one expression; `loads` is what it reads, by SLO."""

    catalogue: Catalogue
    assumed: Assumed
    owner: Owner  # of what the rule reads that no rule records
    combinations: float  # that `by` has, of the rule's SLO
    scrape: Duration
    evaluation: Duration
    groups: int  # of the tenant: its rules on rules read a series for each
    loads: dict[Owner, Load] = field(default_factory=dict)

    def read(self, expr: str) -> dict[Owner, Load]:
        """Count what one evaluation reads; nothing, if the emitter will refuse it."""
        try:
            tree = parsed(expr)
        except ValueError:
            return {}
        self._value(tree, 1, counted=True)
        return self.loads

    def _value(  # noqa: PLR0911  (a table)
        self, node: pp.Expr, steps: float, *, counted: bool
    ) -> Counts:
        """Count what a part of the expression reads in some steps; give its number of results."""
        match node:
            case pp.VectorSelector():
                return self._selected(node, steps, counted=counted)
            case pp.MatrixSelector():
                return self._range(node, steps, counted=counted)
            case pp.SubqueryExpr():
                return self._subquery(node, steps, counted=counted)
            case pp.AggregateExpr():
                return self._aggregated(node, self._value(node.expr, steps, counted=counted))
            case pp.BinaryExpr():
                left = self._value(node.lhs, steps, counted=counted)
                right = self._value(node.rhs, steps, counted=counted)
                return _combined(str(node.op), left, right)
            case _:
                found = [self._value(part, steps, counted=counted) for part in children(node)]
                name = str(node.func.name) if isinstance(node, pp.Call) else ""
                if name == "scalar":
                    return {}
                if name in _FROM_NOTHING:
                    return {self.owner: 1}
                return max(found, key=lambda each: sum(each.values()), default={})

    def _load(self, owner: Owner) -> Load:
        return self.loads.setdefault(owner, Load())

    def _counts(self, node: pp.VectorSelector) -> tuple[Counts, Duration]:
        selector = selector_of(node)
        interval = self.catalogue.interval(selector.metric)
        if interval is not None:
            return self.catalogue.select(selector), interval
        if selector.metric.startswith(_OF_SERVER):
            return {self.owner: self.groups}, self.scrape
        return {self.owner: self.assumed.matched(selector)}, self.scrape

    def _selected(self, node: pp.VectorSelector, steps: float, *, counted: bool) -> Counts:
        counts, _ = self._counts(node)
        for owner, number in counts.items():
            load = self._load(owner)
            load.series += number
            if counted:
                load.samples += number
                load.reads += number
            else:
                load.steps += number * (1 if node.at else steps)
        return counts

    def _range(self, node: pp.MatrixSelector, steps: float, *, counted: bool) -> Counts:
        counts, interval = self._counts(node.vector_selector)
        samples = node.range.total_seconds() / interval.seconds
        for owner, number in counts.items():
            load = self._load(owner)
            load.series += number
            if counted:
                load.samples += number * samples
            load.reads += number * samples * (1 if node.vector_selector.at else steps)
        return counts

    def _subquery(self, node: pp.SubqueryExpr, steps: float, *, counted: bool) -> Counts:
        step = node.step.total_seconds() if node.step else self.evaluation.seconds
        assert node.range is not None  # noqa: S101  (each subquery has one)
        samples = node.range.total_seconds() / step
        counts = self._value(node.expr, samples * (1 if node.at else steps), counted=False)
        if counted:
            for owner, number in counts.items():
                self._load(owner).samples += number * samples
        return counts

    def _aggregated(self, node: pp.AggregateExpr, counts: Counts) -> Counts:
        modifier = node.modifier
        if str(node.op) in _SELECTING or (modifier is not None and not _is_by(modifier)):
            return counts
        if modifier is None or {*modifier.labels} <= {*naming.IDENTITY}:
            return {owner: min(number, 1) for owner, number in counts.items()}
        return {owner: min(number, self.combinations) for owner, number in counts.items()}


def _is_by(modifier: pp.AggModifier) -> bool:
    return bool(modifier.type == pp.AggModifierType.By)


def _combined(op: str, left: Counts, right: Counts) -> Counts:
    """Give the results of an operator: those of the left side, if there is a vector there."""
    if op == "or":
        owners = dict.fromkeys((*left, *right))
        return {owner: max(left.get(owner, 0), right.get(owner, 0)) for owner in owners}
    return left or right
