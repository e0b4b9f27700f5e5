"""The image and the compose scene, as far as they can be checked without a container engine.

What their commands do is done natively: the same wheel is built from the same files, the same
commands run on trees that hold nothing but what is mounted.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from cases import ROOT, tool
from demo.servers import alertmanager, free_port, prometheus, wait_until
from demo.sink import Sink

from slo_compiler.tools import SUITES

DOCKER = ROOT / "docker"
COMPOSE = DOCKER / "compose.yaml"
DOCKERFILE = DOCKER / "Dockerfile"
NEWEST = SUITES[-1]
SERVICES = ("compile", "exporter", "sink", "alertmanager", "prometheus", "grafana")
ONE_SHOT = {"compile"}
WRITABLE = {
    ("compile", "/generated"),
    ("alertmanager", "/alertmanager"),
    ("prometheus", "/prometheus"),
}


def installed(name: str) -> str:
    """Find a program that a development dependency brings."""
    found = shutil.which(
        name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )
    if found is None:
        pytest.fail(f"{name} is missing: it comes with requirements/dev.lock, run make test")
    return found


def run(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:  # noqa: ANN401
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **options
    )


def compose(file: Path) -> subprocess.CompletedProcess[str]:
    return run(installed("docker-compose"), "-f", file, "config", "--format", "json")


@cache
def services() -> dict[str, Any]:
    """Services as Docker Compose itself reads them, anchors and short forms resolved."""
    done = compose(COMPOSE)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)["services"]
    return found


@cache
def instructions() -> tuple[tuple[str, str, str], ...]:
    """Stage, instruction and argument of each line of the Dockerfile."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found, stage = [], ""
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if line.strip():
            name, argument = line.split(maxsplit=1)
            if name == "FROM":
                stage = argument.split(" AS ")[1]
            found.append((stage, name, argument))
    return tuple(found)


def arguments_of(stage: str, instruction: str) -> list[str]:
    return [argument for s, name, argument in instructions() if (s, name) == (stage, instruction)]


def mounts(service: str) -> dict[str, dict[str, Any]]:
    return {mount["target"]: mount for mount in services()[service].get("volumes", [])}


def images() -> set[str]:
    """Every image that is pulled from elsewhere."""
    stages = {stage for stage, _, _ in instructions()}
    bases = {argument.split()[0] for _, name, argument in instructions() if name == "FROM"} - stages
    return bases | {service["image"] for service in services().values() if "image" in service}


# --- The files themselves


def test_the_linter_finds_nothing_in_the_dockerfile() -> None:
    done = run(installed("hadolint"), "--no-color", "--failure-threshold", "style", DOCKERFILE)
    assert (done.returncode, done.stdout) == (0, "")
    bad = run(installed("hadolint"), "--no-color", "-", input="FROM debian:latest\n")
    assert (bad.returncode, "DL3007" in bad.stdout) == (1, True)


def test_docker_compose_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    text = COMPOSE.read_text(encoding="utf-8")
    for right, wrong in (("cap_drop:", "cap_dropp:"), ("condition: ", "conditions: ")):
        assert right in text
        (tmp_path / "compose.yaml").write_text(text.replace(right, wrong), encoding="utf-8")
        assert compose(tmp_path / "compose.yaml").returncode != 0


def test_every_image_is_pinned_and_both_files_agree() -> None:
    for image in images():
        _, _, tag = image.partition(":")
        assert re.match(r"v?\d+\.\d+", tag), f"{image} is not pinned to a version"
    names = [image.partition(":")[0] for image in images()]
    assert sorted(names) == sorted(set(names)), f"one image in two versions: {sorted(images())}"


def test_the_servers_are_of_the_version_that_the_project_declares() -> None:
    declared = yaml.safe_load((DOCKER / "slo-compiler.yaml").read_text(encoding="utf-8"))["spec"]
    for name in ("prometheus", "alertmanager"):
        version = declared[name]["version"]
        (tag,) = (i.partition(":")[2] for i in images() if i.startswith(f"prom/{name}:"))
        assert tag.startswith(f"v{version}."), f"the image is {tag}, the project declares {version}"
        assert version == getattr(NEWEST, name)


def test_every_image_of_ours_runs_as_a_user_by_number() -> None:
    assert instructions()[-1][0] == "compiler"  # what a build without --target makes
    for stage in ("compiler", "demo"):
        last = [argument for s, n, argument in instructions() if (s, n) == (stage, "USER")][-1]
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", last)
    assert arguments_of("compiler", "ENTRYPOINT") == ['["slo-compiler"]']
    assert arguments_of("compiler", "CMD") == ['["--help"]']


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_can_do_no_more_than_it_must(service: str) -> None:
    config = services()[service]
    assert config["read_only"] is True
    assert config["cap_drop"] == ["ALL"]
    assert config["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "devices", "pid", "ipc"} & set(config)
    assert config["mem_limit"]
    assert config["pids_limit"]
    assert "build" in config or re.fullmatch(r"[1-9]\d*:[1-9]\d*", config["user"])
    for port in config.get("ports", []):
        assert port["host_ip"] == "127.0.0.1"
    for target, mount in mounts(service).items():
        assert "docker.sock" not in mount["source"]
        if (service, target) not in WRITABLE:
            assert mount.get("read_only"), f"{target} of {service} is not read-only"
        if mount["type"] == "bind":
            assert Path(mount["source"]).exists()
            assert mount["bind"]["create_host_path"] is False
    assert service in ONE_SHOT or "healthcheck" in config


def test_a_service_starts_after_what_it_needs() -> None:
    assert set(services()) == {*SERVICES}
    for service in services().values():
        for name, needed in service.get("depends_on", {}).items():
            wanted = "completed_successfully" if name in ONE_SHOT else "healthy"
            assert needed["condition"] == f"service_{wanted}"
    assert set(services()["alertmanager"]["depends_on"]) == {"compile", "sink"}
    assert set(services()["prometheus"]["depends_on"]) == {"compile", "exporter", "alertmanager"}
    assert set(services()["grafana"]["depends_on"]) == {"compile", "prometheus"}


def test_the_readme_names_what_is_there() -> None:
    text = (DOCKER / "README.md").read_text(encoding="utf-8")
    published = {port["published"] for s in services().values() for port in s.get("ports", [])}
    assert set(re.findall(r"localhost:(\d+)", text)) == published
    for line in re.findall(r"docker compose -f docker/compose\.yaml (.*)", text):
        named = [word for word in shlex.split(line)[1:] if not word.startswith("-")]
        assert set(named) - {"HUP"} <= set(services())


def locked(path: Path) -> dict[str, str]:
    """Each package of a lock file, its version and hashes."""
    text = path.read_text(encoding="utf-8").replace("\\\n", "")
    return {line.partition("==")[0]: " ".join(line.split()) for line in text.splitlines() if line}


def test_the_demo_has_what_it_imports_as_it_is_tested() -> None:
    demo, dev = locked(DOCKER / "demo.lock"), locked(ROOT / "requirements" / "dev.lock")
    assert {"aiosmtpd", "prometheus-client"} <= set(demo)
    wrong = {name for name, pin in demo.items() if dev.get(name) != pin}
    assert not wrong, "docker/demo.lock is out of date: docker/README.md has the command"
    assert all("--hash=sha256:" in pin for pin in demo.values())


# --- The compiler's image


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a context of nothing but what the Dockerfile copies, and unpacked."""
    source, target = tmp_path_factory.mktemp("src"), tmp_path_factory.mktemp("installed")
    let_through = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for argument in arguments_of("build", "COPY"):
        *names, folder = argument.split()
        for name in names:
            path = name.rstrip("/")
            assert {f"!{path}", f"!{path}/*.lock"} & set(let_through), f"{path} is not let through"
            if (ROOT / path).is_dir():
                ignore = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / path, source / folder, ignore=ignore)
            else:
                shutil.copy(ROOT / path, source / folder)
    (command,) = (line for line in arguments_of("build", "RUN") if line.startswith("pip wheel"))
    words = shlex.split(command.partition(" && ")[0])
    words[words.index("/dist")] = str(target / "dist")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    built = run(*pip, *words[1:], "--no-index", cwd=source)
    assert built.returncode == 0, built.stderr
    (file,) = (target / "dist").glob("*.whl")
    done = run(*pip, "install", "--no-deps", "--no-index", "--target", target / "lib", file)
    assert done.returncode == 0, done.stderr
    return target / "lib"


def compiler(wheel: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the wheel's own script, as the image's entry point does."""
    environment = {
        "PATH": f"{tool(NEWEST.name, 'promtool').parent}:/usr/bin:/bin",
        "PYTHONPATH": str(wheel),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return run(wheel / "bin" / "slo-compiler", *arguments, cwd=cwd, env=environment)


def test_the_wheel_has_templates_and_policies_and_runs(wheel: Path, tmp_path: Path) -> None:
    for name in ("templates", "policies", "py.typed"):
        assert (wheel / "slo_compiler" / name).exists()
    assert not (wheel / "templates").exists()
    helped = compiler(wheel, *json.loads(arguments_of("compiler", "CMD")[0]), cwd=tmp_path)
    assert (helped.returncode, helped.stdout.startswith("Usage: ")) == (0, True)
    assert compiler(wheel, "--version", cwd=tmp_path).stdout.startswith("slo-compiler, version ")
    where = "import slo_compiler; print(slo_compiler.__file__)"
    env = {"PYTHONPATH": str(wheel)}
    assert run(sys.executable, "-c", where, cwd=tmp_path, env=env).stdout.startswith(str(wheel))

    shutil.copytree(
        ROOT / "examples", tmp_path / "repo", ignore=shutil.ignore_patterns("generated", "demo")
    )
    done = compiler(wheel, "compile", cwd=tmp_path / "repo")
    assert done.returncode == 0, done.stderr
    assert "promtool and amtool agree" in done.stderr
    assert (tmp_path / "repo/generated/prometheus/rules/customer-b.yml").is_file()


# --- The scene


@pytest.fixture(scope="module")
def generated(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the service `compile` leaves in its volume, given nothing but its mounts."""
    root = tmp_path_factory.mktemp("root")
    for target, mount in mounts("compile").items():
        place = root / target.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if mount["type"] == "volume":
            place.mkdir()
        elif Path(mount["source"]).is_dir():
            shutil.copytree(mount["source"], place)
        else:
            shutil.copy(mount["source"], place)
    (workdir,) = arguments_of("compiler", "WORKDIR")
    command = [re.sub(r"^/", f"{root}/", word) for word in services()["compile"]["command"]]
    done = compiler(wheel, *command, cwd=root / workdir.lstrip("/"))
    assert done.returncode == 0, done.stderr
    assert "promtool and amtool agree" in done.stderr
    return root / "generated"


def test_prometheus_accepts_its_configuration_and_the_rules(
    generated: Path, tmp_path: Path
) -> None:
    (target,) = (t for t, m in mounts("prometheus").items() if m["source"] == "generated")
    text = (DOCKER / "prometheus.yml").read_text(encoding="utf-8")
    assert text.count(f"{target}/") == 1
    config = tmp_path / "prometheus.yml"
    config.write_text(text.replace(f"{target}/", f"{generated}/"), encoding="utf-8")
    done = run(tool(NEWEST.name, "promtool"), "check", "config", "--lint=all", config)
    assert done.returncode == 0, done.stdout + done.stderr
    tenants = len(list((ROOT / "examples" / "tenants").glob("*.yaml")))
    assert f"{tenants} rule files found" in done.stdout
    settings, project = (
        yaml.safe_load((DOCKER / name).read_text(encoding="utf-8"))
        for name in ("prometheus.yml", "slo-compiler.yaml")
    )
    for interval in ("scrape_interval", "evaluation_interval"):
        assert settings["global"][interval] == project["spec"]["prometheus"][interval]
    for job in settings["scrape_configs"]:
        for target in job["static_configs"][0]["targets"]:
            assert target in {"exporter:9101", "localhost:9090"}


def values(node: Any, key: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401
    """Every text below a node, under its key."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from values(value, name)
    elif isinstance(node, list):
        for value in node:
            yield from values(value, key)
    elif isinstance(node, str):
        yield key, node


def test_grafana_is_given_the_dashboards_and_the_prometheus_that_they_show(
    generated: Path,
) -> None:
    """There is no Grafana here: these are the files that it reads, by its documentation."""
    (provisioning,) = (m["source"] for m in mounts("grafana").values() if m["type"] == "bind")
    (datasource,) = read(Path(provisioning) / "datasources/prometheus.yaml")["datasources"]
    assert datasource["name"] == read(DOCKER / "slo-compiler.yaml")["spec"]["grafana"]["datasource"]
    url = urlsplit(datasource["url"])
    assert url.hostname == "prometheus"
    assert {str(url.port)} == {p["published"] for p in services()["prometheus"]["ports"]}
    (provider,) = read(Path(provisioning) / "dashboards/slo.yaml")["providers"]
    (volume,) = (t for t, m in mounts("grafana").items() if m["type"] == "volume")
    folder = generated / Path(provider["options"]["path"]).relative_to(volume)
    home = services()["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (generated / Path(home).relative_to(volume)).is_file()
    tenants = {path.stem for path in (ROOT / "examples/tenants").glob("*.yaml")}
    assert {path.stem for path in folder.iterdir()} == {"slos", *(f"slo-{t}" for t in tenants)}
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8")
        board = json.loads(text)
        assert datasource["name"] in text, path
        assert board["uid"] == path.stem


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def test_whatever_alertmanager_sends_goes_to_the_sink(generated: Path) -> None:
    path = generated / "alertmanager" / "alertmanager.yml"
    command = services()["alertmanager"]["command"]
    assert "--config.file=/generated/alertmanager/alertmanager.yml" in command
    done = run(tool(NEWEST.name, "amtool"), "check-config", path)
    assert done.returncode == 0, done.stdout + done.stderr

    listens = services()["sink"]["command"]
    web, smtp = (listens[listens.index(flag) + 1] for flag in ("--http", "--smtp"))
    assert web == "0.0.0.0:80"
    names = {"sink", *services()["sink"]["networks"]["default"]["aliases"]}
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert config["global"]["smtp_smarthost"] == f"sink:{smtp.rpartition(':')[2]}"

    ((place, secrets),) = (
        (t, Path(m["source"])) for t, m in mounts("alertmanager").items() if m["type"] == "bind"
    )
    files = {text for key, text in values(config) if key.endswith("_file")}
    assert {secrets / text.removeprefix(f"{place}/") for text in files} == {
        path for path in secrets.rglob("*") if path.is_file()
    }
    receivers = [text for key, text in values(config["receivers"]) if key == "url"]
    services_ = [text for key, text in values(config["global"]) if key.endswith("_url")]
    contents = [(secrets / text.removeprefix(f"{place}/")).read_text("utf-8") for text in files]
    addresses = [*receivers, *services_, *(text for text in contents if "://" in text)]
    assert len(addresses) >= 10
    for address in addresses:
        url = urlsplit(address)
        assert (url.scheme, url.port) == ("http", None)
        assert url.hostname in names, f"{address} leads nowhere: alias it to the sink"
    assert names == {urlsplit(address).hostname for address in addresses}, "an alias for no channel"


@pytest.mark.parametrize(
    ("host", "status", "kept"),
    [
        ("dashboard.internal", 200, ["dashboard.internal/hooks/slo"]),
        ("Dashboard.internal:80", 200, ["dashboard.internal/hooks/slo"]),
        ("sink", 404, []),
        ("localhost:9102", 404, []),
        ("127.0.0.1:9102", 404, []),
    ],
)
def test_the_sink_is_whoever_its_name_says(host: str, status: int, kept: list[str]) -> None:
    group = {"status": "firing", "commonLabels": {}, "commonAnnotations": {}, "groupKey": "x"}
    with (
        Sink() as sink,
        closing(http.client.HTTPConnection("127.0.0.1", sink.http_port, timeout=5)) as connection,
    ):
        connection.request("POST", "/hooks/slo", json.dumps(group), {"Host": host})
        assert connection.getresponse().status == status
        assert [(n.kind, n.destination) for n in sink.notifications] == [
            ("webhook", destination) for destination in kept
        ]


# --- Health checks


def health_command(service: str, ports: dict[str, int]) -> list[str]:
    """Build a health check's command, with native programs and other ports."""
    kind, program, *arguments = services()[service]["healthcheck"]["test"]
    assert kind == "CMD"  # no shell
    binary = sys.executable if program == "python" else str(tool(NEWEST.name, program))
    text = "\0".join(arguments)
    for old, new in ports.items():
        assert re.search(rf"\b{old}\b", text)
        text = re.sub(rf"\b{old}\b", str(new), text)
    return [binary, *text.split("\0")]


def is_healthy(command: list[str]) -> bool:
    return run(*command, timeout=10).returncode == 0


@contextmanager
def native(service: str, ports: dict[str, int]) -> Iterator[None]:
    """Run a demo service's command on other ports of the loopback interface."""
    program, *arguments = services()[service]["command"]
    assert program == "python"
    words = [
        f"127.0.0.1:{ports[word.rpartition(':')[2]]}" if word.startswith("0.0.0.0:") else word
        for word in arguments
    ]
    with subprocess.Popen(
        [sys.executable, *words], cwd=ROOT / "examples" / "demo", stdout=subprocess.DEVNULL
    ) as process:
        try:
            yield
        finally:
            process.terminate()
            assert process.wait(10) == 0, "it does not stop when Docker asks it to"


@pytest.mark.parametrize(("service", "old"), [("exporter", ["9101"]), ("sink", ["80", "2525"])])
def test_a_demo_service_is_healthy_once_it_serves(service: str, old: list[str]) -> None:
    copied = {Path(w).name for line in arguments_of("demo", "COPY") for w in line.split()[:-1]}
    assert services()[service]["command"][1] in copied
    ports = {port: free_port() for port in old}
    command = health_command(service, ports)
    assert not is_healthy(command)
    with native(service, ports):
        wait_until(lambda: is_healthy(command), 20, what=f"{service} to be healthy")


def test_prometheus_is_healthy_once_it_is_ready(tmp_path: Path) -> None:
    port = free_port()
    command = health_command("prometheus", {"9090": port})
    assert not is_healthy(command)
    config = tmp_path / "prometheus.yml"
    config.write_text("{}\n", encoding="utf-8")
    with prometheus(tool(NEWEST.name, "prometheus"), config, tmp_path / "data", port=port):
        wait_until(lambda: is_healthy(command), 20, what="Prometheus to be healthy")


def test_alertmanager_is_healthy_once_it_runs_what_was_generated(
    generated: Path, tmp_path: Path
) -> None:
    port = free_port()
    command = health_command("alertmanager", {"9093": port})
    assert not is_healthy(command)
    binary = tool(NEWEST.name, "prometheus-alertmanager")
    config = generated / "alertmanager" / "alertmanager.yml"
    with alertmanager(binary, config, tmp_path / "data", port=port):
        wait_until(lambda: is_healthy(command), 20, what="Alertmanager to be healthy")
