"""Whole files, read in review like code: golden/<case>/<artefact>.

Rules and the Alertmanager configuration are kept for all cases; proofs and the lock file for the
cases of PROVED only. Digests and line numbers are masked: a line more in a manifest changes no
golden. tests/unit/test_origins.py compares them with the manifests.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cases import CASES, EXAMPLES, ROOT, compiled, proofs_of, tool
from syrupy.assertion import SnapshotAssertion
from syrupy.data import Snapshot, SnapshotCollection
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex

from slo_compiler import naming

GOLDEN = ROOT / "golden"
PROVED = (EXAMPLES, "low-traffic")


class GoldenFiles(SingleFileSnapshotExtension):
    """Keeps the snapshot named case/path at golden/case/path."""

    _write_mode = WriteMode.TEXT
    file_extension = ""

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:  # noqa: ARG003
        return str(GOLDEN)

    @classmethod
    def get_location(cls, *, test_location: PyTestLocation, index: SnapshotIndex) -> str:  # noqa: ARG003
        return str(GOLDEN / str(index))

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:
        return f"{test_location.testname}[{index}]"

    @classmethod
    def matches_test_location(
        cls, *, test_location: PyTestLocation, snapshot_location: str
    ) -> bool:
        return f"[{_relative(snapshot_location).parts[0]}]" in test_location.testname

    def is_snapshot_location(self, *, location: str) -> bool:
        return Path(location).is_relative_to(GOLDEN)

    def read_snapshot_collection(self, *, snapshot_location: str) -> SnapshotCollection:
        path = _relative(snapshot_location)
        collection = SnapshotCollection(location=snapshot_location)
        collection.add(Snapshot(name=f"test_output_is_the_golden_one[{path.parts[0]}][{path}]"))
        return collection


def _relative(location: str) -> Path:
    return Path(location).relative_to(GOLDEN)


def masked(text: str) -> str:
    """Mask what any edit of a manifest changes: digests, and lines after its file's name."""
    text = re.sub(r"\bsha256:[0-9a-f]{12}\b", "sha256:DIGEST", text)
    text = re.sub(r'"[0-9a-f]{64}"', '"DIGEST"', text)
    return re.sub(r"(\.yaml):\d+\b", r"\1:LINE", text)


def artefacts(case: str) -> Iterator[tuple[str, str]]:
    """Give the path in golden/ and the masked text of each file that is kept of a case."""
    for artefact in compiled(case).artefacts:
        proof = artefact.path in (naming.ROUTES_FILE, naming.LOCK_FILE) or re.match(
            "(prometheus|victoriametrics)/tests/", artefact.path
        )
        if not proof or case in PROVED:
            yield f"{case}/{artefact.path}", masked(artefact.text)


@pytest.mark.parametrize("case", CASES)
def test_output_is_the_golden_one(case: str, snapshot: SnapshotAssertion) -> None:
    golden = snapshot.use_extension(GoldenFiles)
    for path, text in artefacts(case):
        assert text == golden(name=path)


def test_no_golden_file_is_left_over() -> None:
    wanted = {path for case in CASES for path, _ in artefacts(case)}
    assert {str(p.relative_to(GOLDEN)) for p in GOLDEN.rglob("*") if p.is_file()} == wanted


@pytest.mark.parametrize("suite", ["bookworm", "trixie", "forky"])
def test_every_golden_rules_file_passes_promtool(suite: str) -> None:
    files = sorted(GOLDEN.glob("*/prometheus/rules/*.yml"))
    assert files
    command = [tool(suite, "promtool"), "check", "rules", "--lint=all", "--lint-fatal", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("suite", "version"), [("bookworm", 25), ("trixie", 28), ("forky", 33)])
def test_every_golden_config_passes_amtool_of_its_version_and_newer(
    suite: str, version: int
) -> None:
    channels = GOLDEN / "channels" / "alertmanager" / "alertmanager.yml"
    declared = int(compiled("channels").settings.spec.alertmanager.version.split(".")[1])
    others = {*GOLDEN.glob("*/alertmanager/alertmanager.yml")} - {channels}
    assert len(others) == len(CASES) - 1  # they load everywhere, whatever they declare
    for files, passes in ((others, True), ({channels}, version >= declared)):
        command = [tool(suite, "amtool"), "check-config", *sorted(files)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) == passes, done.stdout + done.stderr


@pytest.mark.processes
@pytest.mark.parametrize("suite", ["bookworm", "trixie", "forky"])
def test_amtool_routes_each_alert_of_the_examples_as_the_manifests_want(suite: str) -> None:
    folder = GOLDEN / "examples" / "alertmanager"
    for expected in proofs_of(compiled("examples")).routes:
        command = [
            tool(suite, "amtool"),
            *("config", "routes", "test", f"--config.file={folder / 'alertmanager.yml'}"),
            f"--verify.receivers={','.join(expected.receivers)}",
            *(f"{name}={value}" for name, value in expected.labels),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (expected, done.stdout + done.stderr)
