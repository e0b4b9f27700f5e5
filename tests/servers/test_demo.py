"""`make demo` shows what it promises, and leaves nothing behind, interrupted or not."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from demo.servers import get_json

ROOT = Path(__file__).parents[2]


def start(tmp_path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "examples/demo/run.py"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def assert_nothing_is_left(output: str, tmp_path: Path) -> None:
    urls = re.findall(r"http://127[.]0[.]0[.]1:\d+", output)
    assert len(urls) == 2
    for url in urls:
        with pytest.raises(OSError, match="refused"):
            get_json(url)
    assert [*tmp_path.iterdir()] == []


# Takes about 80 seconds, most of them waiting for windows to pass.
def test_the_demo_pages_one_tenant_and_notifies_when_it_is_over(tmp_path: Path) -> None:
    with start(tmp_path) as demo:
        output, _ = demo.communicate(timeout=600)
    assert demo.returncode == 0, output
    for line in (
        r"30% of customer-b's requests fail from now on",
        r"\S+  broken  .* page-fast page-slow ticket-fast ticket-slow",
        r"\S+  firing    slack      #incident-customer-b .*\[FIRING:1\].*",
        r"\S+  firing    pagerduty  customer-b-oncall .*",
        r"\S+  firing    email      sre@customer-b[.]example .*",
        r"\S+  firing    webhook    dashboard/hooks/slo .*",
        r" +Burning [\d.]+x too fast: [\d.]+% of events failed in .*; page-fast fires above .*%",
        r" +Error budget left: 7[34]([.]\d+)?%; at this pace it is spent in \w.*",
        r"\S+  resolved  slack      #incident-customer-b .*\[RESOLVED\].*",
        r"\S+  resolved  pagerduty  customer-b-oncall .*",
        r" +the other 6 tenants got nothing: customer-a, .*",
    ):
        assert re.search(rf"^(\S+  )?{line}$", output, re.MULTILINE), f"{line}\n{output}"
    assert "\x1b" not in output
    assert "WRONG" not in output
    assert_nothing_is_left(output, tmp_path)


@pytest.mark.parametrize(
    ("sign", "send"),
    [
        pytest.param(signal.SIGINT, os.killpg, id="ctrl-c"),  # a terminal tells the whole group
        pytest.param(signal.SIGTERM, os.kill, id="terminated"),
    ],
)
def test_an_interrupted_demo_stops_what_it_started(
    tmp_path: Path, sign: signal.Signals, send: Callable[[int, int], None]
) -> None:
    with start(tmp_path) as demo:
        assert demo.stdout is not None
        output = ""
        while "healthy" not in output:
            line = demo.stdout.readline()
            assert line, output
            output += line
        send(demo.pid, sign)
        output += demo.communicate(timeout=60)[0]
    assert demo.returncode == 130, output
    assert output.endswith("Interrupted: all that was started is stopped.\n")
    assert_nothing_is_left(output, tmp_path)
