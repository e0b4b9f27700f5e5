"""Is all that a compile wrote for a tenant the tenant's own? Read from the text of the output."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import promql_parser as pp
import yaml

from slo_compiler.promql import metric_of, walk
from slo_compiler.routing.config import Config
from slo_compiler.routing.decide import inhibitors, routes_for

ALERTMANAGER, ROUTES = "alertmanager/alertmanager.yml", "alertmanager/routes.yml"
# Actions of the compiler's own in annotations: what they query is in a string, and is parsed.
_ACTION = re.compile(r"\{\{.*?\}\}")
_NAME = r"[a-zA-Z_][a-zA-Z0-9_]*"
_ESCAPED = r'(?: \| urlquery \| reReplaceAll "\[\+\]" "%20")?'
_PRINTED = r"(?: \| (?:first|value|humanize\w*|printf \"%\.\df\"))*"
_KNOWN = (
    re.compile(rf"\{{\{{ \$value{_ESCAPED}{_PRINTED} \}}\}}"),
    re.compile(rf"\{{\{{ \$labels\.{_NAME}{_ESCAPED} \}}\}}"),
    re.compile(rf"\{{\{{ \.{_PRINTED} \}}\}}"),
    re.compile(r"\{\{ (?:else|end) \}\}"),
)
_STRING = r'"((?:[^"\\]|\\.)*)"'
_QUERIES = (
    re.compile(rf"\{{\{{ with query {_STRING} \}}\}}"),
    re.compile(rf"\{{\{{ with printf {_STRING}(?: \$value| \$labels\.{_NAME})+ \| query \}}\}}"),
)


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str) -> Any:  # noqa: ANN401
    """Read a document in LibYAML, where it is there: rules are long."""
    return yaml.load(text, _LOADER)  # noqa: S506  (either is safe)


def rules_of(files: Mapping[str, str], tenant: str) -> Iterator[dict[str, Any]]:
    """Give the rules of a tenant's file."""
    for group in read_yaml(files[f"prometheus/rules/{tenant}.yml"])["groups"]:
        assert re.fullmatch(rf"slo-{tenant}-[a-z]+-[0-9]+", group["name"]), group["name"]
        yield from group["rules"]


def check_rules(files: Mapping[str, str], tenant: str) -> None:
    """Check that each rule of a tenant reads and writes the tenant's series only."""
    for rule in rules_of(files, tenant):
        expression = rule["expr"]
        check_query(expression, tenant)
        labels = rule.get("labels", {})
        assert labels.get("tenant", tenant) == tenant, rule
        if "tenant" not in labels:  # it is that of the series that the rule reads
            assert all(name.startswith("slo") for name in metrics(expression)), rule
        for text in (*labels.values(), *rule.get("annotations", {}).values()):
            check_text(text, tenant)
        assert not any("{{" in value for value in labels.values()), labels


def metrics(expression: str) -> list[str]:
    """Give the names of the metrics that an expression reads."""
    return [
        metric_of(node)
        for node in walk(pp.parse(expression))
        if isinstance(node, pp.VectorSelector)
    ]


def check_query(expression: str, tenant: str) -> None:
    """Check that each selector of an expression carries the tenant's matcher, and once."""
    for node in walk(pp.parse(expression)):
        if not isinstance(node, pp.VectorSelector):
            continue
        assert not node.matchers.or_matchers, expression
        found = [(m.name, m.op, m.value) for m in node.matchers.matchers]
        if metric_of(node).startswith("prometheus_rule_"):  # of the rules, by their groups' names
            ((name, op, value),) = found
            assert (name, op) == ("rule_group", pp.MatchOp.Re)
            assert value.startswith(f".*;slo-{tenant}-("), value
            continue
        own = [each for each in found if each[0] == "tenant"]
        assert own == [("tenant", pp.MatchOp.Equal, tenant)], expression


def check_text(text: str, tenant: str) -> None:
    """Check that of an annotation Prometheus runs what the compiler wrote, and nothing else."""
    for action in _ACTION.findall(text.replace("\n", " ")):
        if any(known.fullmatch(action) for known in _KNOWN):
            continue
        found = next(filter(None, (one.fullmatch(action) for one in _QUERIES)), None)
        assert found, action
        printed = json.loads(f'"{found[1]}"').replace("%v", "1").replace("%q", '"a"')
        check_query(printed, tenant)


def check_routing(files: Mapping[str, str], tenant: str, other: str) -> None:
    """Check that a tenant's alerts reach its receivers, and keep none of another's back."""
    config = Config.load(files[ALERTMANAGER])
    alerts: dict[str, list[tuple[tuple[str, str], ...]]] = {tenant: [], other: []}
    for route in read_yaml(files[ROUTES])["routes"]:
        alerts[route["labels"]["tenant"]].append(tuple(route["labels"].items()))
    assert alerts[other]
    for name, own in alerts.items():
        for alert in own:
            receivers = {route.receiver for route in routes_for(config, alert)}
            foreign = [
                r
                for r in receivers
                if not r.startswith((f"slo/{name}/", "slo-heartbeat", "slo-shadow"))
            ]
            assert not foreign, (alert, foreign)
    for alert in alerts[other]:
        assert not inhibitors(config, alert, alerts[tenant]), alert


def parts_of(files: Mapping[str, str], tenant: str) -> dict[str, Any]:
    """Give what a compile wrote for a tenant, which no other tenant's manifest may change."""
    top = read_yaml(files[ALERTMANAGER])
    subtree = top["route"]["routes"][0]
    own = {name: text for name, text in files.items() if re.search(rf"/{tenant}[._]", name)}
    prefix = f"slo/{tenant}/"
    return {
        **own,
        "routes": [r for r in subtree["routes"] if r["matchers"] == [f'tenant="{tenant}"']],
        "receivers": [r for r in top["receivers"] if r["name"].startswith(prefix)],
        "times": [t for t in top.get("time_intervals", ()) if t["name"].startswith(prefix)],
        "expected": [
            route
            for route in read_yaml(files[ROUTES])["routes"]
            if route["labels"]["tenant"] == tenant
        ],
        "around": (
            {key: top["route"][key] for key in top["route"] if key != "routes"},
            {key: subtree[key] for key in subtree if key != "routes"},
            {*top} - {"time_intervals", "inhibit_rules"},
        ),
    }


def check_shared(files: Mapping[str, str], tenant: str, other: str) -> None:
    """Check that receivers, routes and times of the shared configuration have one owner each."""
    top = read_yaml(files[ALERTMANAGER])
    owned = (f"slo/{tenant}/", f"slo/{other}/")
    for receiver in top["receivers"]:
        name = receiver["name"]
        if name in ("slo-unrouted", "slo-shadow"):
            assert receiver == {"name": name}, receiver
            continue
        assert name == "slo-heartbeat" or name.startswith(owned), name
        paths = [v for k, v in _scalars(receiver) if k.endswith("_file")]
        owner = name.split("/")[1] if "/" in name else ""
        assert all(p.startswith(f"/etc/alertmanager/secrets/{owner}/") for p in paths), paths
    assert all(t["name"].startswith(owned) for t in top.get("time_intervals", ()))
    for rule in top.get("inhibit_rules", ()):
        targets = rule["target_matchers"]
        assert "tenant" in rule.get("equal", ()) or f'tenant="{tenant}"' in targets, rule
        assert all(
            any(matcher.startswith("slo") for matcher in rule[side])
            for side in ("source_matchers", "target_matchers")
        ), rule


def _scalars(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, each in value.items():
            if isinstance(each, str):
                yield key, each
            yield from _scalars(each)
    elif isinstance(value, list):
        for each in value:
            yield from _scalars(each)
