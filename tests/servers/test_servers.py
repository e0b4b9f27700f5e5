"""Real servers of every toolset start, answer and are gone afterwards."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from demo.servers import (
    Server,
    ServerError,
    alertmanager,
    free_port,
    get_json,
    post_json,
    prometheus,
    query,
    wait_until,
)

from slo_compiler.tools import SUITES, Suite, find_in

every_suite = pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)


def real(suite: Suite, name: str) -> Path:
    binary = find_in(suite.name, name)
    if binary is None:
        pytest.fail(f"{name} of {suite.name} is missing: run make tools-all")
    return binary


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def assert_gone(pid: int, url: str) -> None:
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(OSError, match="refused"):
        get_json(f"{url}/api/v1/status/buildinfo")


@every_suite
def test_prometheus_answers_and_is_gone_afterwards(suite: Suite, tmp_path: Path) -> None:
    binary = real(suite, "prometheus")
    config = written(tmp_path / "prometheus.yml", "global: {evaluation_interval: 1s}\n")
    with prometheus(binary, config, tmp_path / "data", port=free_port()) as server:
        assert query(server.url, "vector(42)", time=60)[0]["value"] == [60, "42"]
        build = get_json(f"{server.url}/api/v1/status/buildinfo")["data"]
        assert build["version"].startswith(f"{suite.prometheus}.")
        words = "ready to receive web requests"
        wait_until(lambda: words in server.log_path.read_text(encoding="utf-8"), what=words)
    assert_gone(server.pid, server.url)


@every_suite
def test_alertmanager_takes_an_alert_and_is_gone_afterwards(suite: Suite, tmp_path: Path) -> None:
    binary = real(suite, "prometheus-alertmanager")
    config = written(
        tmp_path / "alertmanager.yml", "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
    )
    with alertmanager(binary, config, tmp_path / "data", port=free_port()) as server:
        alerts = f"{server.url}/api/v2/alerts"
        post_json(alerts, [{"labels": {"alertname": "Test"}}])
        (alert,) = wait_until(lambda: get_json(alerts), what="the alert")
        assert alert["receivers"] == [{"name": "nobody"}]
        status = get_json(f"{server.url}/api/v2/status")
        assert status["versionInfo"]["version"].startswith(f"{suite.alertmanager}.")
        assert status["cluster"]["status"] == "disabled"
    assert_gone(server.pid, server.url)


@pytest.mark.parametrize(
    ("run", "name"), [(prometheus, "prometheus"), (alertmanager, "prometheus-alertmanager")]
)
def test_a_broken_config_raises_with_the_words_of_the_log(
    run: Callable[..., AbstractContextManager[Server]], name: str, tmp_path: Path
) -> None:
    binary = real(SUITES[-1], name)
    config = written(tmp_path / "broken.yml", "nonsense: 1\n")
    with (
        pytest.raises(ServerError, match="field nonsense not found"),
        run(binary, config, tmp_path / "data", port=free_port()),
    ):
        pass


def test_a_server_is_stopped_when_the_block_fails(tmp_path: Path) -> None:
    binary = real(SUITES[-1], "prometheus")
    config = written(tmp_path / "prometheus.yml", "")
    started = []

    def fail_in_the_block() -> None:
        with prometheus(binary, config, tmp_path / "data", port=free_port()) as server:
            started.append(server)
            raise LookupError

    with pytest.raises(LookupError):
        fail_in_the_block()
    assert_gone(started[0].pid, started[0].url)


def test_a_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    config = written(tmp_path / "prometheus.yml", "")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with (
            pytest.raises(ServerError, match="Address already in use"),
            prometheus(Path("unused"), config, tmp_path / "data", port=port),
        ):
            pass


def test_a_failed_query_brings_the_servers_words(tmp_path: Path) -> None:
    binary = real(SUITES[-1], "prometheus")
    config = written(tmp_path / "prometheus.yml", "")
    with prometheus(binary, config, tmp_path / "data", port=free_port()) as server:
        with pytest.raises(OSError, match="400") as caught:
            query(server.url, "up{")
        assert "parse error" in caught.value.__notes__[0]


def test_waiting_in_vain_says_for_what() -> None:
    with pytest.raises(TimeoutError, match=r"waited 0\.01 s for rain, the last answer: 0"):
        wait_until(lambda: 0, timeout=0.01, interval=0.001, what="rain")
