"""Start real servers on loopback, wait until they are ready, and stop exactly what was started.

with prometheus(binary, config, data, port=free_port()) as server:
    print(query(server.url, "up"))
"""

from __future__ import annotations

import atexit
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

T = TypeVar("T")

START_SECONDS = 30.0
STOP_SECONDS = 10.0
LOG_LINES = 20

# Debian's Alertmanager reads its templates from here and nowhere else; upstream's carries them.
TEMPLATES = tuple(
    Path("/usr/share/prometheus/alertmanager") / name for name in ("default.tmpl", "email.tmpl")
)

# Runs with the toolset's usr as current folder, so that no path needs quoting for mount.
_OVERLAY = "mount -t overlay overlay -o lowerdir=share:/usr/share /usr/share"

_NO_TEMPLATES = """\
Debian's Alertmanager needs {template}, which this machine lacks
and which could not be lent from {usr}/share ({why}).
Do one of:
  apt-get install prometheus-alertmanager, which puts the templates in place
  apt-get install proot, which needs no privilege
  allow mount namespaces: docker run --cap-add SYS_ADMIN --security-opt apparmor=unconfined
  name upstream's alertmanager binary, which carries its templates"""

# A loopback server is never behind a proxy, whatever the environment says.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ServerError(RuntimeError):
    """A server did not start; the message ends with the last lines of its log."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs: where it answers, its own process, and what it logs."""

    url: str
    pid: int
    log_path: Path


_HOLDERS: list[socket.socket] = []


def free_port() -> int:
    """Pick a port of the loopback interface on which no server listens.

    Until this process ends, no other one picks it: a socket stays bound to it, which does not
    listen, and so is in no server's way.
    """
    holder = socket.socket()
    _HOLDERS.append(holder)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    port: int = holder.getsockname()[1]
    return port


@atexit.register
def _release() -> None:
    for holder in _HOLDERS:
        holder.close()


@contextmanager
def prometheus(
    binary: Path,
    config: Path,
    data: Path,
    *,
    port: int,
    extra_args: Sequence[str] = (),
    patience: float = START_SECONDS,
) -> Iterator[Server]:
    """Run Prometheus 2.x or 3.x on a config, its blocks in `data`, its log beside it.

    Raises:
        ServerError: if it is not ready in time.
    """
    command = [
        str(binary.absolute()),
        f"--config.file={config.absolute()}",
        f"--storage.tsdb.path={data.absolute()}",
        f"--web.listen-address=127.0.0.1:{port}",
        *extra_args,
    ]
    with _running(command, data, f"http://127.0.0.1:{port}", patience=patience) as server:
        yield server


@contextmanager
def alertmanager(
    binary: Path, config: Path, data: Path, *, port: int, extra_args: Sequence[str] = ()
) -> Iterator[Server]:
    """Run Alertmanager, alone, on a config: upstream's binary or Debian's, unpacked or installed.

    Raises:
        ServerError: if it is not ready in time, or Debian's build cannot be given its templates.
    """
    command = [
        str(binary.absolute()),
        f"--config.file={config.absolute()}",
        f"--storage.path={data.absolute()}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        *extra_args,
    ]
    usr = None
    if binary.name == "prometheus-alertmanager" and not all(path.exists() for path in TEMPLATES):
        usr = binary.absolute().parent.parent
        command = [*_with_templates(usr), *command]
    with _running(command, data, f"http://127.0.0.1:{port}", cwd=usr) as server:
        yield server


@contextmanager
def victoriametrics(
    binary: Path, scrapes: Path, data: Path, *, port: int, extra_args: Sequence[str] = ()
) -> Iterator[Server]:
    """Run a single VictoriaMetrics that scrapes what a configuration of Prometheus names.

    Raises:
        ServerError: if it is not ready in time.
    """
    command = [
        str(binary.absolute()),
        f"-promscrape.config={scrapes.absolute()}",
        f"-storageDataPath={data.absolute()}",
        f"-httpListenAddr=127.0.0.1:{port}",
        *extra_args,
    ]
    with _running(command, data, f"http://127.0.0.1:{port}") as server:
        yield server


@contextmanager
def vmalert(
    binary: Path, rules: str, settings: Path, data: Path, *, url: str, port: int
) -> Iterator[Server]:
    """Run vmalert, which notifies nobody, on rules and on the VictoriaMetrics at a URL.

    Args:
        binary: the program.
        rules: a pattern of rule files.
        settings: the compiled vmalert.env.
        data: its log is beside it.
        url: of VictoriaMetrics.
        port: that it listens on.

    Raises:
        ServerError: if it is not ready in time.
    """
    lines = settings.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("=", maxsplit=1) for line in lines if line and not line.startswith("#"))
    command = [
        str(binary.absolute()),
        "-envflag.enable",
        "-envflag.prefix=VMALERT_",
        f"-rule={rules}",
        f"-datasource.url={url}",
        f"-remoteWrite.url={url}",
        f"-remoteRead.url={url}",
        "-notifier.blackhole",
        f"-httpListenAddr=127.0.0.1:{port}",
    ]
    address = f"http://127.0.0.1:{port}"
    with _running(command, data, address, environment=dict(pairs)) as server:
        yield server


def get_json(url: str) -> Any:  # noqa: ANN401 - JSON is any
    """GET a document."""
    return json.loads(_fetch(urllib.request.Request(url)))


def post_json(url: str, payload: object) -> Any:  # noqa: ANN401 - JSON is any
    """POST a document and return the answer, or None if it is empty."""
    headers = {"Content-Type": "application/json"}
    answer = _fetch(urllib.request.Request(url, json.dumps(payload).encode(), headers))
    return json.loads(answer) if answer else None


def query(prometheus_url: str, promql: str, time: float | None = None) -> list[Any]:
    """Evaluate an instant query, now or at a Unix time, and return its result."""
    parameters = {"query": promql} | ({} if time is None else {"time": str(time)})
    answer = get_json(f"{prometheus_url}/api/v1/query?{urllib.parse.urlencode(parameters)}")
    result: list[Any] = answer["data"]["result"]
    return result


def wait_until(
    predicate: Callable[[], T], timeout: float = 30.0, interval: float = 0.1, what: str = ""
) -> T:
    """Ask until the answer is truthy, and return it.

    Raises:
        TimeoutError: with `what` was awaited and the last answer.
    """
    deadline = time.monotonic() + timeout
    while not (answer := predicate()):
        if time.monotonic() >= deadline:
            awaited = what or getattr(predicate, "__name__", "a condition")
            raise TimeoutError(f"waited {timeout:g} s for {awaited}, the last answer: {answer!r}")
        time.sleep(interval)
    return answer


@contextmanager
def _running(
    command: Sequence[str],
    data: Path,
    url: str,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    patience: float = START_SECONDS,
) -> Iterator[Server]:
    """Run a server for as long as the block lasts."""
    _require_free(url)
    data.mkdir(parents=True, exist_ok=True)
    log_path = data.absolute().with_name(f"{data.name}.log")
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _await_ready(process, url, log_path, patience)
        yield Server(url, _server_pid(process), log_path)
    finally:
        _stop(process)


def _require_free(url: str) -> None:
    """Refuse a port on which another server would answer in this one's stead."""
    address = urllib.parse.urlsplit(url)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address.hostname, address.port))
        except OSError as error:
            raise ServerError(f"cannot listen on {url}: {error.strerror}") from error


def _await_ready(
    process: subprocess.Popen[bytes], url: str, log_path: Path, patience: float
) -> None:
    def exited_or_ready() -> bool:
        return process.poll() is not None or _is_ready(url)

    try:
        wait_until(exited_or_ready, patience, interval=0.05)
        outcome = "" if process.poll() is None else f"exited with {process.returncode}"
    except TimeoutError:
        outcome = f"was not ready within {patience:g} s"
    if outcome:
        command = shlex.join(map(str, cast("list[str]", process.args)))
        last = log_path.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
        raise ServerError("\n".join([f"{command} {outcome}; {log_path} ends:", *last]))


def _is_ready(url: str) -> bool:
    try:
        _fetch(urllib.request.Request(f"{url}/-/ready"))
    except OSError:  # refused, or an answer that is not 200
        return False
    return True


def _server_pid(process: subprocess.Popen[bytes]) -> int:
    """Tell the server's own pid: sh and unshare become the server, proot is its parent."""
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii")
    except OSError:  # no /proc, so no proot
        children = ""
    return int((children.split() or [str(process.pid)])[0])


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the server to stop, then make it; nothing to do if it is gone."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            os.kill(_server_pid(process), sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)


def _with_templates(usr: Path) -> list[str]:
    """Find a command prefix under which a toolset's templates lie where Debian's build looks.

    A private mount namespace, entered as root or as an unprivileged user, vanishes with the server
    and changes nothing on the machine; proot is for containers that forbid namespaces.
    """
    overlay = ["sh", "-c", f'{_OVERLAY} && exec "$@"', "sh"]
    bind = ["-b", f"{usr}/share/prometheus:/usr/share/prometheus"]
    refusals = []
    for prefix in (["unshare", "-m", *overlay], ["unshare", "-rm", *overlay], ["proot", *bind]):
        if not shutil.which(prefix[0]):
            refusals.append(f"{prefix[0]} is not on PATH")
            continue
        probe = subprocess.run(
            [*prefix, "cat", *map(str, TEMPLATES)],  # proot shows files where ls sees none
            cwd=usr,
            capture_output=True,
            text=True,
            check=False,
        )
        if probe.returncode == 0:
            return prefix
        refusals.append(f"{shlex.join(prefix[:2])}: {probe.stderr.strip()}")
    raise ServerError(_NO_TEMPLATES.format(template=TEMPLATES[0], usr=usr, why="; ".join(refusals)))


def _fetch(request: urllib.request.Request) -> bytes:
    try:
        with _OPENER.open(request, timeout=10) as response:
            body: bytes = response.read()
            return body
    except urllib.error.HTTPError as error:
        with error:  # the server's own words say what is wrong with a query or an alert
            error.add_note(error.read().decode(errors="replace"))
        raise
