"""Files are put in place whole, only where they changed, and only where they are ours."""

from __future__ import annotations

import json
import os
import pty
import random
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from cases import ROOT
from click.testing import CliRunner, Result

from slo_compiler import naming, write
from slo_compiler.cli import main
from slo_compiler.diagnostics import Report
from slo_compiler.emit.artefact import Artefact
from slo_compiler.write import MARK

MANIFEST = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {name: acme, owner: sre}
spec:
  policies:
    - name: one
      tiers:
        - {name: fast, severity: page, budget_share: 2%, long_window: 1h, short_window: 5m}
  channels:
    - {name: chat, webhook: {url: "http://chat.internal/acme"}}
  escalation:
    - {severity: page, notify: [chat]}
  slos:
    - name: availability
      service: checkout
      objective: 99.9
      sli: {ratio: {errors: errors_total, total: events_total}}
      alerting: {policy: one}
"""
ENVIRONMENT = {"PATH": "/nonexistent", "PYTHONPATH": str(ROOT)}  # no tools: they write nothing
LOCK = naming.LOCK_FILE


def tenant(name: str, objective: str = "99.9") -> str:
    return MANIFEST.replace("acme", name).replace("99.9", objective)


def rules(name: str) -> str:
    return naming.rules_file(name)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def times(folder: Path) -> dict[str, int]:
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two states of manifests: a's objective changes, b goes, d comes."""
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("SLO_COMPILER_TOOLS", raising=False)
    monkeypatch.chdir(tmp_path)
    for folder, manifests in (
        ("old", {"a": tenant("a"), "b": tenant("b")}),
        ("new", {"a": tenant("a", "99.5"), "d": tenant("d")}),
    ):
        (tmp_path / folder).mkdir()
        for name, text in manifests.items():
            (tmp_path / folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def compiled(manifests: str, out: str, *more: str) -> dict[str, bytes]:
    done = run("compile", manifests, "-o", out, "--allow-removal", *more)
    assert done.exit_code == 0, done.stderr
    return tree(Path(out))


# --- minimal


def test_only_what_changed_is_written_and_what_no_manifest_makes_is_removed(repo: Path) -> None:
    old = compiled("old", "out")
    before = times(repo / "out")
    time.sleep(0.02)
    new = compiled("new", "out")
    after = times(repo / "out")

    assert new == compiled("new", "fresh")
    assert {path for path in old if path not in new} >= {rules("b")}
    assert {path for path in new if path not in old} >= {rules("d")}
    for path in old.keys() & new.keys():
        assert (old[path] == new[path]) is (before[path] == after[path]), path


def test_a_second_compile_touches_nothing(repo: Path) -> None:
    compiled("old", "out")
    before = times(repo / "out")
    folder = (repo / "out").stat().st_mtime_ns
    done = run("compile", "old", "-o", "out")
    assert "no file changed" in done.stderr
    assert times(repo / "out") == before
    assert (repo / "out").stat().st_mtime_ns == folder


def test_check_reports_it_and_changes_nothing(repo: Path) -> None:
    old = compiled("old", "out")
    done = run("compile", "new", "-o", "out", "--check")
    assert done.exit_code == 1
    assert f"--- a/{rules('b')}\n+++ /dev/null\n" in done.stdout
    assert f"--- /dev/null\n+++ b/{rules('d')}\n" in done.stdout
    assert tree(repo / "out") == old


def test_compile_of_an_edited_output_is_refused_without_force(repo: Path) -> None:
    old = compiled("old", "out")
    (repo / "out" / rules("b")).unlink()
    with (repo / "out" / rules("a")).open("a", encoding="utf-8") as file:
        file.write("# mine\n")
    edited = tree(repo / "out")
    done = run("compile", "old", "-o", "out")
    assert done.exit_code == 1
    assert f"out/{rules('a')}:1:1: error[edited-file] this generated file was edited" in done.stderr
    assert tree(repo / "out") == edited
    assert compiled("old", "out", "--force") == old


def test_compile_of_an_output_merged_by_hand_with_its_lock_needs_no_force(repo: Path) -> None:
    old = compiled("old", "out")
    (repo / "out" / LOCK).unlink()
    with (repo / "out" / rules("a")).open("a", encoding="utf-8") as file:
        file.write("# merged\n")
    assert compiled("old", "out") == old


def test_a_stale_file_that_was_edited_below_its_header_goes_too(repo: Path) -> None:
    compiled("old", "out")
    with (repo / "out" / rules("b")).open("a", encoding="utf-8") as file:
        file.write("# mine\n")
    done = run("compile", "new", "-o", "out", "--allow-removal")
    assert f"out/{rules('b')}:1:1: error[edited-file]" in done.stderr
    compiled("new", "out", "--force")
    assert not (repo / "out" / rules("b")).exists()


# --- ours and others'


def test_others_files_are_never_touched(repo: Path) -> None:
    compiled("old", "out")
    for path in ("prometheus/rules/mine.yml", "alertmanager/base.yml", "README", "x/.y.yml"):
        (repo / "out" / path).parent.mkdir(exist_ok=True)
        (repo / "out" / path).write_text("# mine\n", encoding="utf-8")
    (repo / "out" / "prometheus/rules/link.yml").symlink_to("a.yml")
    mine = {p: b for p, b in tree(repo / "out").items() if b == b"# mine\n"}
    assert len(mine) == 4
    assert mine.items() <= compiled("new", "out").items()
    assert (repo / "out" / "prometheus/rules/link.yml").is_symlink()


def test_a_foreign_file_in_the_way_is_an_error_and_nothing_is_written(repo: Path) -> None:
    compiled("old", "out")
    (repo / "out" / rules("d")).write_text("groups: []\n", encoding="utf-8")
    before = tree(repo / "out")
    done = run("compile", "new", "-o", "out")
    assert done.exit_code == 1
    assert f"out/{rules('d')}:1:1: error[foreign-file]" in done.stderr
    assert tree(repo / "out") == before


def test_a_folder_in_the_way_is_an_error(repo: Path) -> None:
    (repo / "out" / rules("a")).mkdir(parents=True)
    done = run("compile", "old", "-o", "out")
    assert done.exit_code == 1
    assert f"out/{rules('a')}:1:1: error[foreign-file]" in done.stderr


def test_a_stale_file_that_lost_its_mark_is_left_and_reported(repo: Path) -> None:
    compiled("old", "out")
    (repo / "out" / rules("b")).write_text("# mine now\n", encoding="utf-8")
    done = run("compile", "new", "-o", "out", "--allow-removal")
    assert done.exit_code == 0
    assert f"out/{rules('b')}:1:1: warning[stale-file]" in done.stderr
    assert (repo / "out" / rules("b")).read_text(encoding="utf-8") == "# mine now\n"


def test_a_marked_file_that_no_lock_names_is_a_killed_runs_and_goes(repo: Path) -> None:
    old = compiled("old", "out")
    (repo / "out" / rules("z")).write_text(f"{MARK} from z.yaml.\n", encoding="utf-8")
    assert compiled("old", "out") == old


@pytest.mark.parametrize(
    "outputs",
    [
        {"../victim": "", "/{victim}": "", "prometheus/../../victim": "", "link/victim": ""},
        {".": "", "": "", "prometheus": "", "prometheus/rules": "", "a\0b": "", "x" * 5_000: ""},
        {"x" * 5_000 + "/y": "", "y/" * 3_000: ""},
        {"victim-link": "", "loop": "", "victim": 7},
        ["victim"],
        None,
    ],
)
def test_a_hostile_lock_file_removes_nothing_outside(repo: Path, outputs: object) -> None:
    expected = compiled("new", "fresh")
    victim = repo / "victim"
    victim.write_text(f"{MARK}: not really\n", encoding="utf-8")
    compiled("old", "out")
    (repo / "out" / "link").symlink_to("..")
    (repo / "out" / "victim-link").symlink_to("../victim")
    (repo / "out" / "loop").symlink_to("loop")
    if isinstance(outputs, dict):
        outputs = {key.replace("{victim}", str(victim)): value for key, value in outputs.items()}
    (repo / "out" / LOCK).write_text(json.dumps({"lock": 1, "outputs": outputs}, indent=2))
    compiled("new", "out")
    assert victim.exists()
    for name in ("link", "victim-link", "loop"):
        (repo / "out" / name).unlink()
    assert tree(repo / "out") == expected


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\udcff", '{"lock": 1, "outputs": []}'])
def test_a_lock_file_that_is_none_is_not_ours(repo: Path, text: str) -> None:
    compiled("old", "out")
    (repo / "out" / LOCK).write_bytes(text.encode("utf-8", "surrogateescape"))
    done = run("compile", "new", "-o", "out")
    assert done.exit_code == 1
    assert f"out/{LOCK}:1:1: error[foreign-file]" in done.stderr


@pytest.mark.parametrize("linked", ["prometheus", "prometheus/rules", rules("a")])
def test_nothing_is_written_through_a_link_that_leads_out(repo: Path, linked: str) -> None:
    outside = repo / "outside"
    place = repo / "out" / linked
    place.parent.mkdir(parents=True)
    if linked.endswith(".yml"):
        outside.write_text(f"{MARK}: somebody else's\n", encoding="utf-8")
    else:
        outside.mkdir()
    place.symlink_to(outside)
    before = tree(repo)
    done = run("compile", "old", "-o", "out")
    assert done.exit_code == 1
    assert "error[outside-output] a link leads this file out of the output folder" in done.stderr
    assert tree(repo) == before


def test_nor_through_a_link_at_a_temporary_files_place(repo: Path) -> None:
    compiled("old", "out")
    victim = repo / "victim"
    victim.write_text("precious\n", encoding="utf-8")
    (repo / "out/prometheus/rules/.a.yml.slo-compiler-tmp").symlink_to(victim)
    compiled("new", "out")
    assert victim.read_text(encoding="utf-8") == "precious\n"


# --- killed


def assert_whole(killed: dict[str, bytes], old: dict[str, bytes], new: dict[str, bytes]) -> None:
    """Every file is the old or the new one; what is neither has a name that no server reads."""
    for path, content in killed.items():
        if path not in old and path not in new:
            name = path.rpartition("/")[2]
            assert name.startswith("."), path
            assert name.endswith(".slo-compiler-tmp"), path
        else:
            assert content in {old.get(path), new.get(path)}, path
    for path in old.keys() & new.keys():
        assert path in killed, path


@pytest.mark.processes
def test_killed_at_any_touch_of_the_disk_every_file_is_whole_and_the_next_run_heals(
    repo: Path,
) -> None:
    old, new = compiled("old", "out"), compiled("new", "fresh")
    subprocess.run(
        [sys.executable, Path(__file__).with_name("killed_compile.py"), repo],
        env=ENVIRONMENT,
        check=True,
    )
    points = sorted(int(path.name) for path in (repo / "killed").iterdir())
    touched = [path for path in old.keys() | new.keys() if old.get(path) != new.get(path)]
    assert len(points) > 2 * len(touched)
    for point in points:
        killed = repo / "killed" / str(point)
        assert_whole(tree(killed), old, new)
        read = {path.name for path in (killed / "prometheus/rules").glob("[!.]*.yml")}
        assert read <= {"a.yml", "b.yml", "d.yml"}
    states = sorted(path.name for path in (repo / "healed").iterdir())
    for state in states:
        assert tree(repo / "healed" / state) == new
        assert tree(repo / "reverted" / state) == old
    assert tree(repo / "killed" / str(points[-1])) == new
    assert len(states) > len(touched)  # the kills did fall between the files


@pytest.mark.processes
def test_killed_at_any_time_too(repo: Path) -> None:
    old, new = compiled("old", "out"), compiled("new", "fresh")
    chance = random.Random(0)  # noqa: S311  (times of kills are no secret)
    command = [
        sys.executable,
        "-c",
        "from slo_compiler.cli import main; main()",
        "compile",
        "--allow-removal",
        "-o",
        "out",
    ]
    states = (("old", old), ("new", new))
    for turn in range(6):
        before, (manifests, after) = states[turn % 2][1], states[(turn + 1) % 2]
        process = subprocess.Popen(
            [*command, manifests], env=ENVIRONMENT, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.2, 0.8))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert_whole(tree(repo / "out"), before, after)
        assert compiled(manifests, "out") == after


@pytest.mark.processes
def test_two_compiles_at_once_leave_one_whole_result(repo: Path) -> None:
    results = [compiled(manifests, f"fresh-{manifests}") for manifests in ("old", "new")]
    command = [
        sys.executable,
        "-c",
        "from slo_compiler.cli import main; main()",
        "compile",
        "--allow-removal",
        "-o",
        "out",
    ]
    processes = [
        subprocess.Popen([*command, manifests], env=ENVIRONMENT, stderr=subprocess.DEVNULL)
        for manifests in ("old", "new", "old", "new")
    ]
    assert [process.wait() for process in processes] == [0] * 4
    lock = json.loads((repo / "out" / LOCK).read_bytes())
    (winner,) = [r for r in results if json.loads(r[LOCK]) == lock]
    assert tree(repo / "out") == winner


def test_a_full_disk_leaves_the_old_file(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = compiled("old", "out")

    flushed = []

    def full(handle: int) -> None:
        flushed.append(handle)
        if len(flushed) == 3:  # files before it are staged already
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    done = run("compile", "new", "-o", "out", "--allow-removal")
    assert done.exit_code == 1
    assert re.search(r"slo-compiler: out/\S+: No space left on device\n", done.stderr)
    assert tree(repo / "out") == old


# --- removed


def test_compile_that_removes_a_tenant_names_it_and_wants_a_flag(repo: Path) -> None:
    old = compiled("old", "out")
    done = run("compile", "new", "-o", "out")
    assert done.exit_code == 1
    assert (
        f"out/{rules('b')}:1:1: error[tenant-removed] "
        'no manifest declares tenant "b" any more: all of its rules would go\n'
        "      = is a source missing? if the tenant is to go, run this with --allow-removal\n"
    ) in done.stderr
    assert tree(repo / "out") == old
    assert rules("b") not in compiled("new", "out")


@pytest.mark.processes
@pytest.mark.usefixtures("repo")
def test_compile_on_a_terminal_removes_a_tenant_and_names_it() -> None:
    compiled("old", "out")
    for environment, code in ((ENVIRONMENT | {"CI": "true"}, 1), (ENVIRONMENT, 0)):
        ours, theirs = pty.openpty()
        command = [sys.executable, "-c", "from slo_compiler.cli import main; main()"]
        done = subprocess.run(
            [*command, "compile", "new", "-o", "out"], env=environment, stderr=theirs, check=False
        )
        os.close(theirs)
        content = b""
        with suppress(OSError):  # Linux says so when the other end is closed
            while part := os.read(ours, 1 << 16):
                content += part
        os.close(ours)
        shown = content.decode()
        assert done.returncode == code, shown
        assert ("removing all rules of b: no manifest is left" in shown) is (code == 0)


def test_compile_check_reports_others_rules_and_what_is_out_of_date(repo: Path) -> None:
    compiled("old", "out")
    (repo / "out/prometheus/rules/mine.yaml").write_text("groups: []\n", encoding="utf-8")
    done = run("compile", "old", "-o", "out", "--check")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "out/prometheus/rules/mine.yaml:1:1: error[foreign-rules]" in done.stderr
    assert "out-of-date" not in done.stderr
    done = run("compile", "new", "-o", "out", "--check")
    assert re.search(
        r"error\[out-of-date] out is out of date: \d changed, \d missing and \d of no manifest\n",
        done.stderr,
    )


def test_the_lock_contains_digests_and_no_trace_of_the_machine() -> None:
    artefact = write.lock({"b": "2", "a": "1"}, [Artefact("y", "Y"), Artefact("x", "X")], {})
    assert list(json.loads(artefact.text)["inputs"]) == ["a", "b"]
    assert list(json.loads(artefact.text)["outputs"]) == ["x", "y"]


def test_compare_of_nothing_is_nothing(tmp_path: Path) -> None:
    report = Report()
    changes = write.compare(tmp_path / "absent", [], report)
    assert not changes.any
    assert report.diagnostics == []
