"""Imports point one way."""

from __future__ import annotations

import ast

from cases import ROOT

# From the ground up. Lints come after the plan, because they need its arithmetic.
LAYERS = (
    ("process", "characters", "decimals", "clock", "bounded"),
    ("diagnostics", "duration", "recurrence", "regex", "revision", "tools", "templating"),
    ("period",),
    ("naming",),
    ("source", "report", "yaml_syntax"),
    ("documents",),
    ("schema", "reading"),
    ("frontend",),
    ("settings",),
    ("resolve",),
    ("promql",),
    ("plan",),
    ("lint", "routing", "render", "importing"),
    ("proofs",),
    ("emit",),
    ("cost",),
    ("write", "unit", "workers", "cache", "filling"),
    ("link", "history", "project", "toolcheck"),
    ("pipeline", "init", "live", "view"),
    ("status", "backtest"),
    ("catalogue",),
    ("cli", "api"),
)
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}


def test_imports_point_one_way() -> None:
    package = ROOT / "slo_compiler"
    wrong = []
    for path in sorted(package.rglob("*.py")):
        part = path.relative_to(package).parts[0].removesuffix(".py")
        if part == "__init__":
            continue
        assert part in RANK, f"{path} belongs to no layer"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = []
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("slo_compiler"):
                modules = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            for module in modules:
                names = module.split(".")
                if names[0] != "slo_compiler" or names[1] not in RANK:
                    continue
                if RANK[names[1]] > RANK[part]:
                    wrong.append(f"{path.relative_to(package)} imports {module}")
                if names[1] != part and RANK[names[1]] == RANK[part]:
                    wrong.append(f"{path.relative_to(package)} imports {module} beside it")
    assert wrong == []


def test_types_have_one_name_each() -> None:
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "slo_compiler").rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}
