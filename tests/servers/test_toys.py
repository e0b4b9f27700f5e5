"""The recipes of CONTRIBUTING.md: a toy of each kind is added to a copy of the repo by them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cases import ROOT

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
LEFT_OUT = shutil.ignore_patterns(
    *(".git", ".venv", ".tools", "*_cache", ".slo-compiler-cache", ".hypothesis", "__pycache__"),
    *("generated", ".coverage*"),
)
CACHES = {"__pycache__", ".slo-compiler-cache"}
UNITS = (
    "tests/unit/test_layers.py",
    "tests/unit/test_schema.py",
    "tests/unit/test_templating.py::test_every_template_compiles",
)
GOLDEN = "tests/golden/test_golden.py::test_output_is_the_golden_one"
LEFT_OVER = "tests/golden/test_golden.py::test_no_golden_file_is_left_over"
SLO = """\
  slos:
    - name: availability
      service: web
      objective: 99.9
      sli: {ratio: {errors: web_errors_total, total: web_requests_total}}
"""


@dataclass(frozen=True)
class Recipe:
    """What a recipe adds: files, lines in a registry, and the commands that follow."""

    heading: str
    files: dict[str, str]
    registry: str
    lines: tuple[tuple[str, str], ...]  # a line that is there, and the line that goes before it
    update: tuple[str, ...]  # tests that write snapshots
    tests: tuple[str, ...]  # tests that pass afterwards
    new: tuple[str, ...]  # files that the update writes
    write: dict[str, tuple[str, ...]] = field(default_factory=dict)  # file: module that prints it


RECIPES = {
    "channel": Recipe(
        "To add a kind of channel",
        {
            "slo_compiler/schema/channel/toy.py": '''\
"""A toy."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from slo_compiler.schema.channel.base import ChannelKind


class Toy(ChannelKind):
    """A toy that posts to a URL."""

    KIND: ClassVar = "toy"
    FIELD: ClassVar = "webhook_configs"

    address: str = Field(description="URL that the toy posts to.")
''',
            "templates/receiver/toy.yml.j2": "url: << channel.address | quoted >>\n",
            "tests/support/manifests/toy.yaml": f"""\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {{name: acme, owner: acme-sre}}
spec:
  channels:
    - {{name: toy, toy: {{address: "http://toy.internal/"}}}}
  escalation:
    - {{severity: page, notify: [toy]}}
    - {{severity: ticket, notify: [toy]}}
{SLO}""",
        },
        "slo_compiler/schema/channel/__init__.py",
        (
            (
                "from slo_compiler.schema.channel.webhook import Webhook",
                "from slo_compiler.schema.channel.toy import Toy",
            ),
            ("    Telegram,", "    Toy,"),
        ),
        (GOLDEN,),
        (GOLDEN, LEFT_OVER, *UNITS, "tests/unit/test_routed.py"),
        ("golden/toy/alertmanager/alertmanager.yml",),
        {"docs/manifest-keys.md": ("-m", "slo_compiler.schema.document")},
    ),
    "lint": Recipe(
        "To add a lint",
        {
            "slo_compiler/lint/toy.py": '''\
"""The tenant's owner is called toy.

Toys answer no page.

Fails:

    metadata: {name: customer-b, owner: toy}

Passes:

    metadata: {name: customer-b, owner: customer-b-sre}
"""

from collections.abc import Iterator

from slo_compiler.diagnostics import Severity
from slo_compiler.lint.base import Context, Finding
from slo_compiler.resolve.model import ResolvedTenant

ID = "toy"
SEVERITY = Severity.WARNING


def check(tenant: ResolvedTenant, _context: Context) -> Iterator[Finding]:
    """Yield tenants whose owner is a toy."""
    if tenant.owner == "toy":
        place = tenant.document.locate(("metadata", "owner"))
        yield Finding(place, "the owner is a toy", "name a team")
''',
        },
        "slo_compiler/lint/__init__.py",
        (
            ("    unused_disable,\n)\nfrom", "    toy,"),
            ("    # the switches themselves", "    toy,"),
        ),
        ("tests/unit/test_lints.py",),
        ("tests/unit/test_lints.py", *UNITS),
        ("tests/unit/lints/toy.txt",),
        {"docs/lints.md": ("-m", "slo_compiler.lint.document")},
    ),
    "emitter": Recipe(
        "To add an emitter",
        {
            "slo_compiler/emit/toy.py": '''\
"""A list of a tenant's rules."""

from __future__ import annotations

from slo_compiler.diagnostics import Report
from slo_compiler.emit.artefact import Artefact
from slo_compiler.emit.emitter import Emission, Emitter, TenantContext
from slo_compiler.templating import render


def tenant(context: TenantContext, _report: Report) -> Emission:
    """Render the tenant's name."""
    name = context.rules.tenant
    return Emission((Artefact(f"toy/{name}.txt", render("emit/toy.j2", name=name)),))


EMITTER = Emitter("toy", tenant)
''',
            "templates/emit/toy.j2": "<< name >> is a tenant\n",
            "tests/support/manifests/toy.yaml": f"""\
apiVersion: slo-compiler/v1
kind: Project
spec:
  targets: [prometheus, alertmanager, proofs, toy]
---
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {{name: acme, owner: acme-sre}}
spec:
  channels:
    - {{name: hook, webhook: {{url: "http://hooks.internal/"}}}}
  escalation:
    - {{severity: page, notify: [hook]}}
    - {{severity: ticket, notify: [hook]}}
{SLO}""",
        },
        "slo_compiler/emit/__init__.py",
        (
            (
                "from slo_compiler.emit.emitter import Emitter",
                "from slo_compiler.emit import toy",
            ),
            ("    proofs.EMITTER,", "    toy.EMITTER,"),
        ),
        (GOLDEN,),
        (GOLDEN, LEFT_OVER, *UNITS),
        ("golden/toy/toy/acme.txt",),
    ),
}


def run(copy: Path, *arguments: str) -> str:
    """Run Python in the copy, so that its package is imported and not the repo's."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(copy)}
    if "SLO_COMPILER_TOOLS" in os.environ:
        environment["SLO_COMPILER_TOOLS"] = os.environ["SLO_COMPILER_TOOLS"]
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command, cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pytest_in(copy: Path, *arguments: str) -> str:
    return run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments)


def contents(folder: Path) -> dict[str, bytes]:
    """Read all files but those that git ignores, and that tests may write: caches."""
    paths = (p for p in folder.rglob("*") if p.is_file() and not {*p.parts} & CACHES)
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in paths}


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_on_a_copy_of_the_repo_adds_a_toy_and_changes_nothing_else(
    name: str, tmp_path: Path
) -> None:
    recipe, copy = RECIPES[name], tmp_path / "repo"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    (copy / ".tools").symlink_to(ROOT / ".tools")
    before = contents(copy)
    for path, text in recipe.files.items():
        (copy / path).write_text(text, encoding="utf-8")
    registry = (copy / recipe.registry).read_text(encoding="utf-8")
    for line, added in recipe.lines:
        assert registry.count(line) == 1, line
        registry = registry.replace(line, f"{added}\n{line}")
    (copy / recipe.registry).write_text(registry, encoding="utf-8")
    for path, module in recipe.write.items():
        (copy / path).write_text(run(copy, *module), encoding="utf-8")
    where = run(copy, "-c", "import slo_compiler; print(slo_compiler.__file__)")
    assert where.startswith(str(copy))
    pytest_in(copy, "--snapshot-update", *recipe.update)
    pytest_in(copy, *recipe.tests)
    after = contents(copy)
    for path in recipe.new:
        assert path in after, path
    changed = {path for path in before if after.get(path) != before[path]}
    assert changed == {recipe.registry, *recipe.write}
    added = {path for path in after if path not in before} - {*recipe.files}
    assert all("toy" in path for path in added), added


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_in_contributing_names_each_file_of_the_toy(name: str) -> None:
    recipe = RECIPES[name]
    (text,) = re.findall(rf"(?s)## {recipe.heading}\n(.*?)\n## ", CONTRIBUTING)
    named = {re.sub(r"<[\w-]+>", "toy", path) for path in re.findall(r"`([^` ]+)`", text)}
    assert {*recipe.files, recipe.registry, *recipe.write} <= named
