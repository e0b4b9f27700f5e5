"""The scene: a temporary copy of the examples wired to the sink; used by the demo, the tests.

with scene("forky") as running:
    running.exporter.set_error_ratio("customer-b", 0.3)
    running.sink.wait_for(lambda notification: notification.kind == "slack", timeout=60)

The manifests are those of the examples. All that differs is where their secrets and addresses
lead, and the policy: the demo's project file names one whose windows are short.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from demo import history
from demo.exporter import Exporter
from demo.servers import alertmanager, free_port, prometheus, query, wait_until
from demo.sink import Kind, Notification, Sink
from slo_compiler.tools import CLIENTS, SERVERS, SUITES, ToolsError, find_in

EXAMPLES = Path(__file__).resolve().parents[1]
PROJECT = Path("demo/slo-compiler.yaml")
SECRETS = "/etc/alertmanager/secrets/"
READY_SECONDS = 60.0

# The tenants' hosts, http://<name>.internal/, become webhooks of the sink, except for these.
SERVICES = ("pagerduty", "opsgenie")
HEARTBEAT = "deadman/slo"


@dataclass(frozen=True, slots=True)
class Channel:
    """A tenant's channel, and under which kind and destination the sink keeps what it gets."""

    tenant: str
    name: str
    kind: Kind
    destination: str

    def got(self, notification: Notification) -> bool:
        """Tell whether a notification went to this channel."""
        return (notification.kind, notification.destination) == (self.kind, self.destination)


@dataclass(frozen=True, slots=True)
class Scene:
    """What runs: `history` is of the base series, empty without one."""

    folder: Path
    toolset: Path
    exporter: Exporter
    sink: Sink
    prometheus_url: str
    alertmanager_url: str
    channels: tuple[Channel, ...]
    history: tuple[history.Recorded, ...]

    def query(self, promql: str) -> list[Any]:
        """Evaluate an instant query, now."""
        return query(self.prometheus_url, promql)

    def channel(self, tenant: str, name: str) -> Channel:
        """Find a tenant's channel."""
        return next(c for c in self.channels if (c.tenant, c.name) == (tenant, name))

    def receiver(self, notification: Notification) -> Channel | None:
        """Tell whose channel was notified; None for the platform's own, such as the heartbeat."""
        return next((channel for channel in self.channels if channel.got(notification)), None)


@contextmanager
def scene(
    toolset: str | None = None,
    *,
    backfill: bool = True,
    on_notification: Callable[[Notification], object] | None = None,
) -> Iterator[Scene]:
    """Compile the examples and run all of it until the block ends; by default the newest toolset.

    With `backfill` there is a month of history, and the scene is entered when all budgets have
    values and the heartbeats of all tenants have been received.

    Raises:
        ToolsError: the toolset is not there, or the compiler refused the examples.
        ServerError: a server did not start.
        TimeoutError: the scene is not ready in time.
    """
    suite = toolset or newest()
    tools = {name: tool(suite, name) for name in (*CLIENTS, *SERVERS)}
    with ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="slo-compiler-scene-")
        folder = Path(stack.enter_context(temporary))
        exporter = stack.enter_context(Exporter())
        sink = stack.enter_context(Sink(on_notification=on_notification))
        project = _copy(folder, sink)
        _compile(folder / PROJECT, tools["promtool"].parent)
        output = folder / PROJECT.parent / project["spec"]["output"]
        channels = tuple(_channels(folder, f"http://127.0.0.1:{sink.http_port}"))

        am_port, prometheus_port = free_port(), free_port()
        am = stack.enter_context(
            alertmanager(
                tools["prometheus-alertmanager"],
                output / "alertmanager/alertmanager.yml",
                folder / "alertmanager",
                port=am_port,
            )
        )
        config = folder / "prometheus.yml"
        targets = {"tenants": exporter.port, "prometheus": prometheus_port}
        config.write_text(json.dumps(_prometheus_config(project, output, targets, am_port)))
        data = folder / "prometheus"
        series = history.recorded(output.glob("prometheus/rules/*.yml")) if backfill else ()
        started = time.time()
        if series:
            history.write(series, started, tools["promtool"], data)
        server = stack.enter_context(
            prometheus(
                tools["prometheus"],
                config,
                data,
                port=prometheus_port,
                extra_args=[
                    # The first alerts are lost, as Alertmanager is found some seconds later.
                    "--rules.alert.resend-delay=5s",
                    "--storage.tsdb.retention.time=60d",
                    f"--query.lookback-delta={history.GAP}",
                ],
            )
        )
        running = Scene(
            folder=folder,
            toolset=tools["promtool"].parents[2],
            exporter=exporter,
            sink=sink,
            prometheus_url=server.url,
            alertmanager_url=am.url,
            channels=channels,
            history=series,
        )
        if series:
            _await_budgets(running, started)
        for tenant in sorted({channel.tenant for channel in channels}):
            sink.wait_for(_is_heartbeat_of(tenant), READY_SECONDS)
        yield running


def _is_heartbeat_of(tenant: str) -> Callable[[Notification], bool]:
    return lambda n: n.destination == HEARTBEAT and n.payload["commonLabels"]["tenant"] == tenant


def _await_budgets(running: Scene, started: float) -> None:
    """Wait until every rule has recorded something since the start, the last in line included."""
    promql = f"count(timestamp(slo:error_budget_exhaustion:seconds) > {started:.3f})"

    def all_recorded() -> bool:
        answer = running.query(promql)
        return bool(answer) and int(answer[0]["value"][1]) == len(running.history)

    wait_until(all_recorded, READY_SECONDS, what="all budgets")


def newest() -> str:
    """Find the newest toolset that has servers."""
    for suite in reversed(SUITES):
        if all(find_in(suite.name, name) for name in (*CLIENTS, *SERVERS)):
            return suite.name
    raise ToolsError("no toolset has the servers: run make tools-all")


def tool(suite: str, name: str) -> Path:
    """Find a program of a toolset."""
    found = find_in(suite, name)
    if found is None:
        raise ToolsError(f"{name} of {suite} is missing: run make tools-all")
    return found


def _copy(folder: Path, sink: Sink) -> Any:  # noqa: ANN401 - a document is any
    """Copy the project and the manifests, wired to the sink, with the secrets that they name."""
    http = f"http://127.0.0.1:{sink.http_port}"

    def address(match: re.Match[str]) -> str:
        host = match["host"]
        return f"{http}/{host}/" if host in SERVICES else f"{http}/webhook/{host}/"

    for source in (*EXAMPLES.glob("tenants/*.yaml"), *EXAMPLES.glob("demo/**/*.y*ml")):
        text = source.read_text(encoding="utf-8")
        text = text.replace(SECRETS, f"{folder}/secrets/")
        text = text.replace("mail.internal:25", f"127.0.0.1:{sink.smtp_port}")
        text = re.sub(r"http://(?P<host>\w+)\.internal/", address, text)
        copy = folder / source.relative_to(EXAMPLES)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text, encoding="utf-8")
    return yaml.safe_load((folder / PROJECT).read_text(encoding="utf-8"))


def _channels(folder: Path, http: str) -> Iterator[Channel]:
    """Read the channels of all tenants, and write their secrets: a key says whose it is."""
    for path in sorted(folder.glob("tenants/*.yaml")):
        manifest = yaml.safe_load(path.read_text(encoding="utf-8"))
        tenant = manifest["metadata"]["name"]
        for channel in manifest["spec"]["channels"]:
            name = channel["name"]
            kind: Kind
            match channel:
                case {"slack": body}:
                    kind, destination, secret = "slack", body["channel"], f"{http}/slack/{tenant}"
                case {"email": body}:
                    kind, destination, secret = "email", ",".join(body["to"]), ""
                case {"webhook": body}:
                    kind, secret = "webhook", ""
                    destination = body["url"].removeprefix(f"{http}/webhook/")
                case {"pagerduty": body} | {"opsgenie": body}:
                    kind = "pagerduty" if "pagerduty" in channel else "opsgenie"
                    destination = secret = f"{tenant}-{name}"
            for field, file in body.items():
                if field.endswith("_file"):
                    Path(file).parent.mkdir(parents=True, exist_ok=True)
                    Path(file).write_text(secret, encoding="utf-8")
            yield Channel(tenant, name, kind, destination)


def _compile(project: Path, tools: Path) -> None:
    """Run the compiler as its users do, with the toolset's own promtool and amtool."""
    command = shutil.which("slo-compiler", path=f"{Path(sys.executable).parent}:{os.defpath}")
    if command is None:
        raise ToolsError("slo-compiler is not installed beside this interpreter")
    done = subprocess.run(
        [command, "compile", "--project", str(project)],
        env={**os.environ, "SLO_COMPILER_TOOLS": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ToolsError(f"the examples do not compile:\n{done.stderr}")


def _prometheus_config(
    project: Any,  # noqa: ANN401 - a document is any
    output: Path,
    ports: dict[str, int],
    alertmanager_port: int,
) -> dict[str, Any]:
    """Scrape the tenants and Prometheus itself, whose metrics tell whether rules fail."""

    def at(port: int) -> list[dict[str, list[str]]]:
        return [{"targets": [f"127.0.0.1:{port}"]}]

    intervals = project["spec"]["prometheus"]
    return {
        "global": {key: intervals[key] for key in ("scrape_interval", "evaluation_interval")},
        "rule_files": [f"{output}/prometheus/rules/*.yml"],
        "alerting": {"alertmanagers": [{"static_configs": at(alertmanager_port)}]},
        "scrape_configs": [
            {"job_name": name, "honor_labels": True, "static_configs": at(port)}
            for name, port in ports.items()
        ],
    }
