"""What users install: licences, hashes, a bill of materials, a wheel that can be built again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cases import ROOT
from licences import ALLOWED, filled, licence_of, packages

PAGE = ROOT / "docs" / "supply-chain.md"


def test_page_lists_the_licences_of_all_packages() -> None:
    """To write it: make docs."""
    text = PAGE.read_text(encoding="utf-8")
    assert text == filled(text)


@pytest.mark.parametrize("package", packages())
def test_licence_of_package_is_one_that_users_may_take(package: str) -> None:
    assert licence_of(package) in ALLOWED


@pytest.mark.parametrize("lock", sorted((ROOT / "requirements").glob("*.lock")), ids=str)
def test_each_locked_package_has_hashes(lock: Path) -> None:
    entries = re.split(r"^(?=[\w.-]+==)", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    named = [entry for entry in entries if re.match(r"[\w.-]+==", entry)]
    assert named
    assert [entry.split()[0] for entry in named if "--hash=sha256:" not in entry] == []


@pytest.mark.processes
def test_wheel_built_elsewhere_at_another_time_is_the_same(tmp_path: Path) -> None:
    wheels = []
    for number, (mode, zone) in enumerate([(0o022, "UTC"), (0o077, "Asia/Tokyo")]):
        source, out = tmp_path / f"copy-{number}", tmp_path / f"wheel-{number}"
        before = os.umask(mode)
        try:
            for name in ("pyproject.toml", "README.md", "LICENSE", "slo_compiler", "templates"):
                _copy(ROOT / name, source / name, at=10**9 * (number + 1))
            subprocess.run(
                [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
                cwd=source,
                env={**os.environ, "TZ": zone},
                capture_output=True,
                check=True,
            )
        finally:
            os.umask(before)
        (wheel,) = out.iterdir()
        wheels.append((wheel.name, wheel.read_bytes()))
    assert wheels[0] == wheels[1]


def _copy(source: Path, target: Path, *, at: int) -> None:
    if source.is_dir():
        for path in source.iterdir():
            if path.name != "__pycache__":
                _copy(path, target / path.name, at=at)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(source.read_bytes())
    os.utime(target, (at, at))


@pytest.mark.processes
def test_bill_of_materials_names_all_packages_with_their_hashes(tmp_path: Path) -> None:
    path = tmp_path / "sbom.json"
    lock = ROOT / "requirements" / "runtime.lock"
    command = ["cyclonedx_py", "requirements", str(lock), "--of", "JSON", "-o", str(path)]
    subprocess.run([sys.executable, "-m", *command], capture_output=True, check=True)
    bill = json.loads(path.read_text(encoding="utf-8"))
    assert bill["bomFormat"] == "CycloneDX"
    assert sorted(each["name"] for each in bill["components"]) == sorted(packages())
    assert all(each["externalReferences"][0]["hashes"] for each in bill["components"])
