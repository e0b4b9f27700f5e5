"""Tools are run in one way: with a time limit, and with nothing left when this process ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from cases import ROOT

from slo_compiler import process
from slo_compiler.process import ProcessError, run

MANIFEST = (ROOT / "tests/support/manifests/ratio-errors.yaml").read_text(encoding="utf-8")
COMPILER = [sys.executable, "-c", "from slo_compiler.cli import main; main()"]


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def ends(pid: int) -> bool:
    """Whether a process ends within ten seconds: it may take a time after its signal."""
    until = time.monotonic() + 10
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not alive(pid)


def written(path: Path) -> str:
    return path.read_text().strip() if path.exists() else ""


def wait_for(path: Path) -> int:
    for _ in range(3_000):
        if text := written(path):  # read once: another tool may begin it anew
            return int(text)
        time.sleep(0.02)
    pytest.fail(f"{path} was not written")


@pytest.mark.processes
def test_output_that_is_not_utf_8_is_replaced_and_order_is_kept(tmp_path: Path) -> None:
    tool = script(tmp_path / "tool", "printf 'a\\303\\n'; echo b >&2; echo c; exit 3")
    done = run([tool])
    assert (done.code, done.stdout, done.stderr) == (3, "a\ufffd\nb\nc\n", "")
    apart = run([tool], merged=False)
    assert (apart.stdout, apart.stderr) == ("a\ufffd\nc\n", "b\n")


@pytest.mark.processes
def test_a_tool_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match="absent could not be started: No such file"):
        run([tmp_path / "absent"])


@pytest.mark.processes
def test_a_tool_without_an_answer_ends_with_all_that_it_started(tmp_path: Path) -> None:
    tool = script(tmp_path / "tool", f"sleep 300 & echo $! > {tmp_path}/pid; trap '' TERM; wait")
    for limit in (0.5, 5, 50):  # on a busy machine it may not have begun by then
        with pytest.raises(ProcessError, match=rf"^tool gave no answer within {limit:g} s$"):
            run([tool], limit=limit)
        if written(tmp_path / "pid"):
            break
    assert ends(wait_for(tmp_path / "pid"))


@pytest.mark.processes
def test_what_a_tool_leaves_running_ends_with_it(tmp_path: Path) -> None:
    tool = script(tmp_path / "tool", f"sleep 300 >/dev/null 2>&1 & echo $! > {tmp_path}/pid")
    assert run([tool]).code == 0
    assert ends(wait_for(tmp_path / "pid"))


@pytest.mark.processes
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("command", ["check", "test"])
def test_a_signal_ends_the_tools_and_leaves_no_temporary_folder(
    tmp_path: Path, command: str, number: signal.Signals
) -> None:
    (tmp_path / "acme.yaml").write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "tmp").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path / "tmp")}
    environment["SLO_COMPILER_TOOLS"] = str(tmp_path / "none")
    arguments = ["acme.yaml"]
    if command == "test":
        environment["PATH"] = "/nonexistent"
        done = [*COMPILER, "compile", "acme.yaml", "-o", "out"]
        subprocess.run(done, cwd=tmp_path, env=environment, check=True, capture_output=True)
        arguments = ["out"]
    for name in ("promtool", "amtool"):
        text = f'case "$1" in --version) echo version 1.2;; *) echo $$ > {tmp_path}/pid;'
        script(tmp_path / "bin" / name, f"{text} /bin/sleep 300;; esac")
    environment["PATH"] = str(tmp_path / "bin")
    # What this process ignores (a hang-up, below nohup), its children ignore, too.
    before = signal.signal(number, signal.SIG_DFL)
    try:
        running = subprocess.Popen(
            [*COMPILER, command, *arguments],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    finally:
        signal.signal(number, before)
    pid = wait_for(tmp_path / "pid")
    running.send_signal(number)
    output = running.communicate(timeout=30)[0].decode()
    assert running.returncode == 128 + number
    assert "Traceback" not in output
    assert f"ended by {number.name}" in output
    assert ends(pid)
    assert [*(tmp_path / "tmp").iterdir()] == []


AMID_THREADS = """\
import signal, threading, time
from slo_compiler import process
from slo_compiler.proofs import run as proving

start = threading.Thread.start

def interrupted(thread):
    start(thread)
    if thread.name.endswith("_1"):
        signal.raise_signal(signal.SIGINT)

def late():
    time.sleep(1)
    return process.run(["/bin/sleep", "300"])

threading.Thread.start = interrupted
with process.ended_by_signals():
    list(proving.run([lambda: process.run(["/bin/sleep", "300"]), late, late], workers=2))
"""


@pytest.mark.processes
def test_a_signal_while_a_pool_starts_its_threads_starts_no_tool_afterwards() -> None:
    done = subprocess.run(
        [sys.executable, "-c", AMID_THREADS], timeout=60, check=False, capture_output=True
    )
    assert done.returncode == 128 + signal.SIGINT, done.stderr.decode()


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with process.ended_by_signals():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.processes
def test_a_signal_that_does_not_wake_the_main_thread_ends_the_proofs(tmp_path: Path) -> None:
    text = f"""
import os, signal, threading, time
from slo_compiler import process
from slo_compiler.proofs.run import run

def job():  # the thread takes the signal, as where the main one is just about to wait
    time.sleep(1)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
    process.run(["/bin/sh", "-c", "echo $$ > {tmp_path}/pid; sleep 300"], limit=300)

with process.ended_by_signals():
    list(run([job]))
"""
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, timeout=60, check=False, capture_output=True
    )
    assert done.returncode == 128 + signal.SIGTERM
    started = written(tmp_path / "pid")  # it may have ended before it wrote
    assert not started or ends(int(started))


@pytest.mark.processes
def test_a_server_runs_as_long_as_the_block_and_logs_to_a_file(tmp_path: Path) -> None:
    server = script(tmp_path / "server", "echo ready; echo wrong >&2; sleep 300")
    log = tmp_path / "log"
    with process.serving([server], log) as running:
        while log.read_text(encoding="utf-8") != "ready\nwrong\n":
            time.sleep(0.01)
        assert alive(running.pid)
    assert not alive(running.pid)


@pytest.mark.processes
def test_a_server_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(ProcessError, match="none could not be started: No such file"),
        process.serving([tmp_path / "none"], tmp_path / "log"),
    ):
        pass


@pytest.mark.processes
def test_a_signal_ends_a_server(tmp_path: Path) -> None:
    text = f"""
import os, pathlib, signal, time
from slo_compiler import process

with process.ended_by_signals():
    with process.serving(["sleep", "300"], pathlib.Path("{tmp_path}/log")) as server:
        pathlib.Path("{tmp_path}/pid").write_text(str(server.pid))
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(300)
"""
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, timeout=60, check=False, capture_output=True
    )
    assert done.returncode == 128 + signal.SIGTERM
    assert ends(wait_for(tmp_path / "pid"))


@pytest.mark.processes
def test_run_of_the_command_line_never_searches_for_cycles(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(MANIFEST, encoding="utf-8")
    script = (
        "import atexit, gc; from slo_compiler.cli import main; "
        "searches = []; gc.callbacks.append(lambda phase, _: searches.append(phase)); "
        "atexit.register(lambda: print('searches:', searches)); main()"
    )
    arguments = ["compile", "--output", "generated", "shop.yaml"]
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert (tmp_path / "generated/prometheus/rules").is_dir()
    assert done.stdout.endswith("searches: []\n"), done.stdout


def test_in_parallel_gives_each_result_as_it_comes(tmp_path: Path) -> None:
    def echo(number: int) -> str:
        return run(["/bin/echo", str(number)]).stdout

    def jobs(*numbers: int) -> list[partial[str]]:
        return [partial(echo, number) for number in numbers]

    assert [*process.in_parallel([])] == []
    assert [*process.in_parallel(jobs(1))] == ["1\n"]
    begin = {number: threading.Event() for number in (1, 5, 9)}

    def begun(number: int) -> str:
        assert begin[number].wait(60)
        return echo(number)

    found = process.in_parallel([partial(begun, number) for number in (9, 1, 5)], workers=3)
    for number, event in begin.items():
        event.set()
        assert next(found) == f"{number}\n"
    assert [*found] == []
    assert [*process.in_parallel(jobs(5, 1), workers=1)] == ["5\n", "1\n"]
    with pytest.raises(ProcessError, match="absent could not be started"):
        [*process.in_parallel([*jobs(1), lambda: run([tmp_path / "absent"]).stdout])]


def test_in_parallel_leaves_out_what_waits_when_one_fails() -> None:
    started = []

    def job(number: int) -> None:
        started.append(number)
        if number == 1:
            raise ProcessError("no answer")
        run(["/bin/sleep", "0.6" if number else "2"])

    with pytest.raises(ProcessError, match="no answer"):
        [*process.in_parallel([partial(job, number) for number in range(8)], workers=2)]
    assert len(started) <= 4
