"""Whether the platform's own Alertmanager configuration can take the generated part.

What would be lost or refused later is found here, at the line of the platform's file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import yaml

from slo_compiler import naming
from slo_compiler.diagnostics import Position, Report
from slo_compiler.plan.routing_ir import Pairs
from slo_compiler.proofs.model import ExpectedRoute
from slo_compiler.routing import ConfigError, InhibitRule, read_inhibit_rules
from slo_compiler.source import Document, Loc

_MERGE = "tag:yaml.org,2002:merge"
_NULL = "tag:yaml.org,2002:null"
LISTS = ("receivers", "inhibit_rules", "time_intervals")
TEMPLATES = "templates"


def item(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """Return the value of a mapping's key."""
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == key:
                found: yaml.Node = value
                return found
    return None


def items(node: yaml.Node | None, key: str) -> list[yaml.Node]:
    """Return the items of a list in a mapping."""
    found = item(node, key)
    return [*found.value] if isinstance(found, yaml.SequenceNode) else []


def write_merges_out(node: yaml.Node | None) -> None:
    """Replace a mapping's merges (<<) by the pairs that they give; its own pairs win."""
    if not isinstance(node, yaml.MappingNode):
        return
    own = [(key, value) for key, value in node.value if key.tag != _MERGE]
    known = {key.value for key, _ in own}
    for key, value in node.value:
        if key.tag != _MERGE:
            continue
        for part in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            write_merges_out(part)
            for pair in part.value if isinstance(part, yaml.MappingNode) else ():
                if pair[0].value not in known:
                    known.add(pair[0].value)
                    own.append(pair)
    node.value = own


def check_shape(base: Document, report: Report) -> bool:
    """Check that there is a default route, and that what we add to is a list."""
    route = item(base.node, "route")
    if item(route, "receiver") is None:
        at = base.locate(("route",))
        report.error(
            at,
            "base-config",
            "the base configuration has no route.receiver",
            "name the platform's own receiver: route: {receiver: NAME}",
        )
        return False
    good = True
    for loc in (*((key,) for key in LISTS), (TEMPLATES,), ("route", "routes")):
        found = item(route if len(loc) > 1 else base.node, loc[-1])
        if found is None or found.tag == _NULL or isinstance(found, yaml.SequenceNode):
            continue
        name = ".".join(loc)
        report.error(
            base.locate(loc), "base-config", f"{name} is not a list", f"write {loc[-1]}: [...]"
        )
        good = False
    return good


def check_inhibitions(
    base: Document, expected: Sequence[ExpectedRoute], external: Sequence[str], report: Report
) -> None:
    """Refuse rules of the platform by which one of our alerts inhibits another unwantedly."""
    nodes = items(base.node, "inhibit_rules")
    try:
        rules = read_inhibit_rules(
            yaml.serialize(yaml.SequenceNode("tag:yaml.org,2002:seq", nodes))
        )
    except ConfigError:
        return  # amtool will name what is wrong
    for number, rule in enumerate(rules):
        pair = _inhibited(rule, expected, external)
        if pair is None:
            if (named := _named_as_a_source(rule, expected)) is not None:
                _refuse_source(base, number, nodes[number], named, report)
            continue
        source, target = pair
        matcher = "'slo=\"\"'"
        present = item(nodes[number], "target_matchers") is not None
        report.error(
            base.locate(("inhibit_rules", number)),
            "base-inhibition",
            "this rule is about alerts of SLOs, too, where manifests do not want it: "
            f"{_shown(source)} would inhibit {_shown(target)}",
            f"add {matcher} to its target_matchers"
            if present
            else f"add to it: target_matchers: [{matcher}]",
        )


def _inhibited(
    rule: InhibitRule, expected: Sequence[ExpectedRoute], external: Sequence[str]
) -> tuple[Pairs, Pairs] | None:
    """Return two alerts of which one inhibits the other by this rule only, if there are any.

    With external labels each alert is there once more, as another Prometheus sends it.
    """
    here, there = (tuple((name, value) for name in external) for value in ("one", "another"))
    alerts = [
        (route, route.labels + route.others + more) for route in expected for more in {here, there}
    ]
    sources: dict[tuple[str, ...], list[tuple[ExpectedRoute, Pairs]]] = {}
    for route, labels in alerts:
        if rule.is_source(dict(labels)):
            sources.setdefault(rule.group(dict(labels)), []).append((route, labels))
    for target, labels in alerts:
        is_here = labels[len(labels) - len(here) :] == here
        if not is_here or not rule.is_target(dict(labels)):
            continue
        both = rule.is_source(dict(labels))
        for source, others in sources.get(rule.group(dict(labels)), ()):
            if source is target and others == labels:
                continue
            if both and rule.is_target(dict(others)):
                continue
            same_server = others[len(others) - len(here) :] == here
            if not same_server or not target.is_inhibited_by(source):
                return others, labels
    return None


def _named_as_a_source(
    rule: InhibitRule, expected: Sequence[ExpectedRoute]
) -> ExpectedRoute | None:
    """Return an alert that inhibits others than those of SLOs because of its given name.

    A rule that selects its sources by the label `slo`, or its targets among SLOs, is meant so.
    """
    targets_slos = not all(m.matches({}) for m in rule.target if m.name == naming.SLO)
    if targets_slos or any(matcher.name == naming.SLO for matcher in rule.source):
        return None
    for route in expected:
        labels = dict(route.labels + route.others)
        if labels["alertname"] in naming.ALERTS or not rule.is_source(labels):
            continue
        unnamed = {**labels, "alertname": naming.ALERT_BURN}
        if "alertname" in rule.equal or not rule.is_source(unnamed):
            return route
    return None


def _refuse_source(
    base: Document, number: int, node: yaml.Node, source: ExpectedRoute, report: Report
) -> None:
    matcher = "'slo=\"\"'"
    present = item(node, "source_matchers") is not None
    report.error(
        base.locate(("inhibit_rules", number)),
        "base-inhibition",
        f"by the name that {source.origin} gives it, {_shown(source.labels)} would inhibit alerts "
        "that are not of SLOs",
        f"add {matcher} to its source_matchers"
        if present
        else f"add to it: source_matchers: [{matcher}]",
    )


def _shown(labels: Pairs) -> str:
    own = dict(labels)
    return (
        f"{own['alertname']} of {'/'.join(own[name] for name in naming.IDENTITY)} "
        f"({own[naming.SEVERITY]})"
    )


def places(base: Document) -> Mapping[str, Position]:
    """Return where each key and each scalar of the configuration is first, for amtool's findings.

    A receiver is where a route names it: it is the name of a route's receiver that may be wrong.
    """
    found: dict[str, Position] = {}
    scalars = [*_scalars(base.node, ())]
    for loc, value, is_key in sorted(scalars, key=lambda each: "receiver" not in each[0][-1:]):
        if value not in found:
            found[value] = base.locate(loc, key=is_key)
    return found


def _scalars(node: yaml.Node, loc: Loc) -> Iterator[tuple[Loc, str, bool]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
                yield (*loc, key.value), key.value, True
                yield from _scalars(value, (*loc, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _scalars(value, (*loc, number))
    elif isinstance(node, yaml.ScalarNode):
        yield loc, node.value, False
