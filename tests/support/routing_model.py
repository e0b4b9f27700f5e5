"""Small Alertmanager configurations for the routing model, and matchers that are hard to read."""

from __future__ import annotations

import json
from collections.abc import Mapping

from alertmanagers import alert
from cases import ROOT, compiled, proofs_of

from slo_compiler.proofs.model import ExpectedRoute
from slo_compiler.routing import Config

SOURCE, TARGET = alert(s="1"), alert(t="1")

# What neither of Alertmanager's parsers of matchers reads.
UNREADABLE = [
    *("a", "'a'=b", 'a="b', 'a=b"', 'a="b"c"', '"a"=`b`', r'"a"="\q"', r'"a"="\xff"', '{"a"=b'),
    *('"a"=b c', '"a"=b,,c=d', '"a"=b}', '"a"="\n"', r'"a"="\ud800"', r'"a"="\777"', ",,"),
    r'a="x\,",b=c',  # the classic parser takes the quote after \, for an escaped one
]


def config(route: Mapping[str, object], **rest: object) -> Config:
    """Load a configuration with the fields of a root route, and others beside it."""
    return Config.load(json.dumps({"route": {"receiver": "root", **route}, **rest}))


def expected_routes(case: str) -> tuple[ExpectedRoute, ...]:
    """Return what routes.yml lists of the alerts of a golden case."""
    return tuple(proofs_of(compiled(case)).routes)


def golden_text(case: str) -> str:
    """Give the Alertmanager configuration of a golden case."""
    path = ROOT / "golden" / case / "alertmanager" / "alertmanager.yml"
    return path.read_text(encoding="utf-8")
