"""Hostile texts for hypothesis: manifests, project files, templates, policies and PromQL.

Documents are the examples and those of the tests, with one to three nodes of their tree replaced,
removed, moved, or the text damaged. Queries are of a grammar, and may be damaged, too.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from cases import ROOT, VOCABULARY
from escapes import HOSTILE, MANIFEST, PROJECT, other
from hypothesis import strategies as st

POLICY = """\
apiVersion: slo-compiler/v1
kind: AlertPolicy
metadata: {name: relaxed}
spec:
  period: 30d
  tiers:
    - {name: page, severity: page, budget_share: 5%, long_window: 6h, short_window: 30m}
    - {name: ticket, severity: ticket, burn_rate: 1, long_window: 3d, short_window: 6h, for: 5m}
"""
FILES = {
    "slo-compiler.yaml": PROJECT + "  sources: [tenants]\n  templates: [templates]\n"
    "  policies: [policies]\n",
    "tenants/alpha.yaml": MANIFEST,
    "tenants/beta.yaml": other(),
    "templates/http.yaml": (VOCABULARY / "templates/http.yaml").read_text(encoding="utf-8"),
    "policies/relaxed.yaml": POLICY,
}
TENANT, PROJECT_FILE = "tenants/alpha.yaml", "slo-compiler.yaml"
QUERIES = {"errors", "good", "total", "minus", "query", "error_ratio", "gauge", "histogram"}
_WORDS = yaml.safe_load(Path(__file__).with_name("fuzz_words.yaml").read_text(encoding="utf-8"))
ATOMS, TOKENS = ([word for line in _WORDS[key] for word in line] for key in ("atoms", "tokens"))


@cache
def manifests() -> tuple[str, ...]:
    """Give manifests of good will, all of tenant alpha."""
    paths = sorted(
        [*(VOCABULARY / "tenants").glob("*.yaml"), *(ROOT / "examples/tenants").glob("*")]
    )
    return (MANIFEST, *map(_of_alpha, paths))


def _of_alpha(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    name = re.search(r"(?m)^metadata: *\{?\s*name: ([a-z-]+)", text)
    assert name, path
    text = text.replace(name[0], name[0].replace(name[1], HOSTILE), 1)
    return re.sub(r"/secrets/[a-z-]+/", f"/secrets/{HOSTILE}/", text)


@cache
def _trees() -> tuple[Any, ...]:
    texts = (*manifests(), *FILES.values())
    return tuple(map(_first, texts))


@cache
def _first(text: str) -> object:
    """Read the first document of a text; it is shared, and is not changed."""
    return next(iter(yaml.safe_load_all(text)))


@cache
def _keys() -> tuple[str, ...]:
    return tuple(sorted({str(key) for tree in _trees() for _, key in _places(tree)}))


def _places(tree: object) -> Iterator[tuple[Any, Any]]:
    """Give each container of a tree with each of its keys."""
    if isinstance(tree, dict | list):
        for key in tree if isinstance(tree, dict) else range(len(tree)):
            yield tree, key
            yield from _places(tree[key])


def written_queries() -> list[str]:
    """Give the queries of all documents of good will."""
    places = (place for tree in _trees() for place in _places(tree))
    return [str(container[key]) for container, key in places if key in QUERIES]


_SELDOM = (*(False,) * 9, True)
metrics = st.sampled_from(
    ("requests_total", "up", "slo:events:rate", "http_seconds", "ALERTS", "le")
)
labels = st.sampled_from(
    (*("job", "code") * 5, "tenant", '"tenant"', '"a b"', "__name__", "le", "or", "slo")
)
values = st.sampled_from(
    (
        *("a", "b", "5..") * 15,
        "a",
        "beta",
        "alpha",
        ".*",
        "5..",
        "",
        'a\\"} or x{',
        "\\n",
        "\\u0022",
        "(x+x+)+y",
        "(?=a)",
        "[",
    )
)
spans = st.sampled_from(
    (
        *("$window",) * 25,
        "$window",
        "5m",
        "1h30m",
        "1d",
        "0s",
        "99999d",
        "inf",
        "$window:1m",
        "1h:",
        "1d:1s",
    )
)
steps = st.sampled_from((*("$window:1m", "1h:") * 5, "$window", "5m", "1d:1s", "1d:$window", ":"))
numbers = st.sampled_from(("1", "0", "-1", "1e999", "0x1f", "NaN", "Inf", "1_000", ".5", "5m"))


@st.composite
def selectors(draw: st.DrawFn) -> str:
    """A selector, with or without a name, matchers, a range, an offset and an @."""
    operators = st.sampled_from(("=", "!=", "=~", "!~"))
    pairs = st.lists(st.tuples(labels, operators, st.sampled_from("\"'`"), values), max_size=3)
    joined = st.sampled_from((*(",",) * 25, ", ", " or ", ",,", ""))
    inside = draw(joined).join(f"{n}{o}{q}{v}{q}" for n, o, q, v in draw(pairs))
    name = "" if draw(st.sampled_from(_SELDOM)) else draw(metrics)
    text = f"{name}{{{inside}}}" if inside or draw(st.booleans()) else name
    text += f"[{draw(spans)}]" if draw(st.sampled_from(_SELDOM)) else ""
    after = (
        *("",) * 20,
        " offset 5m",
        " offset -1h",
        " @ end()",
        " @ 17",
        " offset $window",
        " @ up",
    )
    return text + draw(st.sampled_from(after))


def _larger(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    binary = (
        "+",
        "/",
        "or",
        "and",
        "unless",
        "> bool",
        "* on (job) group_left (tenant)",
        "^",
        "atan2",
    )
    calls = (
        *("sum",) * 5,
        "sum by (tenant)",
        "max without (job)",
        "absent",
        "scalar",
        "vector",
        "info",
    )
    calls += (
        "histogram_quantile",
        "abs",
        "sort",
        "nope",
    )
    written = (*("job",) * 10, "tenant", "slo", "__name__", "te\\u006eant")
    replace = 'label_replace({}, "{}", "x", "", "")'.format
    return st.one_of(
        st.builds("{} {} {}".format, parts, st.sampled_from(binary), parts),
        st.builds("{}({})".format, st.sampled_from(calls), parts),
        st.builds("({})".format, parts),
        st.builds("-{}".format, parts),
        st.builds("max_over_time(({})[{}])".format, parts, steps),
        st.builds("topk({}, {})".format, st.one_of(numbers, parts), parts),
        st.builds(replace, parts, st.sampled_from(written)),
        st.builds('count_values("{}", {})'.format, st.sampled_from(written), parts),
        st.builds("{} # {}".format, parts, parts),
    )


rates = st.builds(
    "{}({}[{}])".format,
    st.sampled_from(("rate", "increase", "sum_over_time")),
    selectors(),
    spans,
)
leaves = st.one_of(rates, rates, selectors(), selectors(), numbers)
exact_queries = st.recursive(leaves, _larger, max_leaves=8)


@st.composite
def damaged(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """A text into which tokens are put, or from which a part is taken."""
    text = draw(texts)
    for _ in range(draw(st.sampled_from((0, 0, 0, 0, 0, 1, 2)))):
        at, width = draw(st.integers(0, len(text))), draw(st.sampled_from((0, 0, 1, 5, 40)))
        text = text[:at] + draw(st.sampled_from(TOKENS)) + text[at + width :]
    return text


queries = damaged(exact_queries)


@st.composite
def documents(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """A document whose tree was changed in up to three places, and whose text may be damaged."""
    text = draw(texts)
    changes = draw(st.sampled_from((0, 1, 1, 1, 2, 3)))
    if changes:
        tree = copy.deepcopy(_first(text))
        for _ in range(changes):
            _change(draw, tree)
        text = yaml.safe_dump(tree, sort_keys=False, allow_unicode=draw(st.booleans()))
    return draw(damaged(st.just(text)))


def _change(draw: st.DrawFn, tree: object) -> None:
    places = [*_places(tree)]
    if not places:
        return
    inner = [place for place in places if place[0] is not tree]
    places = inner if inner and not draw(st.sampled_from(_SELDOM)) else places
    asked = [place for place in places if place[1] in QUERIES]
    container, key = draw(st.sampled_from(asked if asked and draw(st.booleans()) else places))
    kinds = ("atom", "atom", "query", "other", "remove", "twice", "rename", "key", "wrap")
    kind = "query" if key in QUERIES and draw(st.booleans()) else draw(st.sampled_from(kinds))
    if kind == "query":
        container[key] = draw(queries)
    elif kind == "other":
        from_ = [*_places(draw(st.sampled_from(_trees())))]
        there, name = draw(st.sampled_from(from_))
        container[key] = copy.deepcopy(there[name])
    elif kind == "remove":
        del container[key]
    elif kind == "wrap":
        container[key] = draw(st.sampled_from(([container[key]], {"x": container[key]})))
    elif isinstance(container, list) and kind in ("twice", "rename"):
        container.append(copy.deepcopy(container[key]))
    elif isinstance(container, dict) and kind == "rename":
        container[draw(st.sampled_from(_keys()))] = container.pop(key)
    elif isinstance(container, dict) and kind == "key":
        container[draw(st.sampled_from(_keys()))] = copy.deepcopy(draw(st.sampled_from(ATOMS)))
    else:
        container[key] = copy.deepcopy(draw(st.sampled_from(ATOMS)))


@dataclass(frozen=True)
class Project:
    """The files of a project, one of which was changed."""

    changed: str
    files: dict[str, str]


@st.composite
def projects(draw: st.DrawFn) -> Project:
    """A project with a hostile manifest, or now and then another hostile file."""
    rest = ("slo-compiler.yaml", "templates/http.yaml", "policies/relaxed.yaml")
    changed = draw(st.sampled_from((*(TENANT,) * 5, *rest)))
    if changed == TENANT:
        text = draw(documents(st.sampled_from(manifests())))
        return Project(changed, FILES | {TENANT: text})
    tenant = draw(st.sampled_from(manifests()))
    text = draw(documents(st.just(FILES[changed])))
    return Project(changed, FILES | {TENANT: tenant, changed: text})
