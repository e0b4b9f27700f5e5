"""Where promtool and amtool are, and how to get them without root.

A tools folder has toolsets, one per suite of the distribution:

    .tools/forky/usr/bin/{promtool,amtool,prometheus,prometheus-alertmanager}
    .tools/forky/usr/bin/{victoria-metrics,vmalert,vmalert-tool}
    .tools/forky/usr/share/prometheus/...

`python -m slo_compiler.tools [--servers] [SUITE...]` fetches them from the distribution's own
packages: apt verifies and downloads, dpkg unpacks, nothing is installed and no service starts.
It needs the standard library only, because with --pip it fetches the means to install the rest.
Decision: packages rather than upstream releases, because apt already knows a mirror near this
machine and the keys to trust, so that no host and no checksum has to be written down here.
"""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from slo_compiler import process

VARIABLE = "SLO_COMPILER_TOOLS"
CLIENTS = ("promtool", "amtool")
SERVERS = ("prometheus", "prometheus-alertmanager")
VICTORIAMETRICS = ("victoria-metrics", "vmalert", "vmalert-tool")  # of one package
FOLDER = ".tools"
FETCH_SECONDS = 900.0  # for apt on a slow line
_IDENTITY_SECONDS = 5.0  # a tool that does not know its version by then is not identified


@dataclass(frozen=True, slots=True)
class Suite:
    """A release of Debian and the versions that it ships."""

    name: str
    prometheus: str
    alertmanager: str
    victoriametrics: str | None = None  # where its vmalert can read the compiler's rules

    @property
    def servers(self) -> tuple[str, ...]:
        """The servers of a toolset, and what comes with them."""
        return (*SERVERS, *(VICTORIAMETRICS if self.victoriametrics else ()))


SUITES = (  # oldest first
    Suite("bookworm", prometheus="2.42", alertmanager="0.25"),
    Suite("trixie", prometheus="2.53", alertmanager="0.28", victoriametrics="1.112"),
    Suite("forky", prometheus="3.5", alertmanager="0.33", victoriametrics="1.145"),
)


class ToolsError(RuntimeError):
    """The tools cannot be found, run or fetched here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class _Distribution:
    """What its archive calls itself, where the packages are, and the keyrings that vouch for it."""

    origin: str
    components: str
    keyrings: tuple[Path, ...]


_KEYRINGS = Path("/usr/share/keyrings")
_DISTRIBUTIONS = {
    "debian": _Distribution(
        "Debian",
        "main",
        (_KEYRINGS / "debian-archive-keyring.pgp", _KEYRINGS / "debian-archive-keyring.gpg"),
    ),
    "ubuntu": _Distribution("Ubuntu", "main universe", (_KEYRINGS / "ubuntu-archive-keyring.gpg",)),
}
_ELSEWHERE = f"put promtool and amtool on PATH, or name the folder that holds them in {VARIABLE}"
NO_ANSWER = f"replace the tool, or name a folder with another in {VARIABLE}"
_HINTS = {  # by platform.system(), how people get both there
    "Darwin": "`brew install prometheus alertmanager` brings both; else ",
    "Windows": "the archives of Prometheus' and Alertmanager's releases hold both; ",
}

# Read last, so it overrides the machine's own settings: every path that apt writes
# lies in the staging folder, and neither the machine's hooks, pins nor packages are used.
# Signatures are checked even where the machine waives it. As root, apt would download as its
# sandbox user, who could not enter the staging folder.
_APT_CONF = """\
#clear APT::Update;
APT::Update::Error-Mode "any";
APT::Default-Release "";
APT::Sandbox::User "root";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::Languages "none";
Dir::State "{stage}/state";
Dir::State::lists "lists";
Dir::State::status "{stage}/status";
Dir::Cache "{stage}/cache";
Dir::Etc::sourcelist "{stage}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
"""


def tools_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where toolsets are kept: `$SLO_COMPILER_TOOLS`, else `.tools` in the current folder."""
    return Path(environ.get(VARIABLE) or FOLDER)


def user_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Where toolsets of all projects of a user are kept, by the XDG base directories."""
    home = environ.get("HOME")
    cache = environ.get("XDG_CACHE_HOME") or (f"{home}/.cache" if home else "")
    return Path(cache) / "slo-compiler" / "tools" if cache else None


def folders(project: Path | None = None, environ: Mapping[str, str] = os.environ) -> list[Path]:
    """List the tools folders, best first: named, current folder's, project's and the user's."""
    beside = project / FOLDER if project else None
    found = [tools_folder(environ), beside, user_folder(environ)]
    return list(dict.fromkeys(folder.absolute() for folder in found if folder))


def find(
    name: str, environ: Mapping[str, str] = os.environ, *, project: Path | None = None
) -> Path | None:
    """Find `promtool` or `amtool`: what VARIABLE names, else what is installed, else what is kept.

    Tools are kept in `.tools` of the current folder, beside the project file (its folder is
    `project`), and in the user's cache. In a tools folder the newest toolset wins; a plain folder
    of binaries serves as well.
    """
    on_path = shutil.which(name, path=environ.get("PATH", os.defpath))
    kept = [
        next(filter(_is_executable, _candidates(folder, name)), None)
        for folder in folders(project, environ)
    ]
    if environ.get(VARIABLE) and kept[0]:
        return kept[0]
    return Path(on_path) if on_path else next(filter(None, kept), None)


def how_to_get(system: str | None = None) -> str:
    """Return what to do where a tool is missing."""
    release = _os_release() if system in (None, "Linux") else {}
    if release.get("ID") in _DISTRIBUTIONS:
        return "slo-compiler tools fetches them, without root"
    return _HINTS.get(system or platform.system(), "") + _ELSEWHERE


def find_in(suite: str, name: str, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Find a client or server of one particular toolset, such as `prometheus` of `trixie`."""
    binary = tools_folder(environ) / suite / "usr/bin" / name
    return binary.absolute() if _is_executable(binary) else None


def version(binary: Path, limit: float = process.LIMIT_SECONDS) -> str:
    """Return which version a tool is: `3.5.3`, without the distribution's suffixes.

    Args:
        binary: the tool.
        limit: seconds after which there is no answer.

    Raises:
        ToolsError: if it cannot be run or prints none.
    """
    printed = _run([str(binary), "--version"], limit=limit).output
    match = re.search(r"version v?(\d+(?:\.\d+)+)", printed)  # on stdout or on stderr
    if not match:
        raise ToolsError(f"{binary} --version names no version:\n{printed}")
    return match[1]


def identity(binary: Path) -> str:
    """Identify a tool, for results that are kept: by its version, size and time of change.

    Raises:
        ToolsError: it does not run, or is of no known version.
    """
    found = binary.stat()
    return f"{version(binary, _IDENTITY_SECONDS)} {found.st_size} {found.st_mtime_ns}"


def environment() -> dict[str, str]:
    """Give the variables of a tool that lives for seconds.

    To collect its garbage less often saves a fifth of its time.
    """
    return {"GOGC": "400", **os.environ}


def fetch(
    suites: Iterable[str],
    folder: Path,
    log: Callable[[str], None],
    *,
    servers: bool = False,
) -> None:
    """Fetch toolsets that `folder` lacks, and report each once; complete ones cost nothing.

    Of Debian any of SUITES can be had, of Ubuntu only the machine's own release. Servers come
    along where they share a package with the tools; `servers` insists on them.

    Raises:
        ToolsError: where there is no apt, or with the command that failed and its output.
        OSError: where the folder cannot be written.
    """
    for suite in suites:
        toolset = folder / suite
        names = _names(suite, servers=servers)
        if _is_complete(toolset, names):
            continue
        distribution = _distribution(suite)
        folder.mkdir(parents=True, exist_ok=True)
        # Staged in the same file system, so that renaming is atomic: a toolset is there whole or
        # not at all.
        with tempfile.TemporaryDirectory(dir=folder, prefix=f".{suite}-") as temporary:
            stage = Path(temporary).absolute()
            conf = _configure(distribution, suite, stage)
            staged = _unpack(_download(conf, _packages(conf, names)), stage)
            if not _is_complete(staged, names):
                raise ToolsError(f"the packages of {suite} hold no {' or no '.join(names)}")
            versions = ", ".join(f"{name} {version(staged / 'usr/bin' / name)}" for name in CLIENTS)
            if toolset.exists():
                toolset.rename(stage / "replaced")
            staged.rename(toolset)
        log(f"{suite}: {versions} in {toolset}")


def install_pip(python: Path) -> None:
    """Install pip into a virtual environment where the machine's Python cannot do it itself.

    Debian's and Ubuntu's python3 comes without ensurepip; the wheel of pip is a package of its own.

    Raises:
        ToolsError: where there is no apt, or with the command that failed and its output.
    """
    suite = _os_release().get("VERSION_CODENAME", "")
    distribution = _distribution(suite)
    with tempfile.TemporaryDirectory() as temporary:
        stage = Path(temporary)
        conf = _configure(distribution, suite, stage)
        for deb in _download(conf, ["python3-pip-whl"]):
            _run(["dpkg", "--extract", str(deb), str(stage / "root")])
        wheels = sorted((stage / "root/usr/share/python-wheels").glob("pip-*.whl"))
        if not wheels:
            raise ToolsError(f"the package python3-pip-whl of {suite} holds no wheel")
        _run([str(python), f"{wheels[0]}/pip", "install", "--no-index", str(wheels[0])])


def default_suite() -> str:
    """Name the toolset to fetch when none is named: the newest that can be had here."""
    release = _os_release()
    if release.get("ID") == "ubuntu":
        return release.get("VERSION_CODENAME", "")
    return SUITES[-1].name


def _candidates(folder: Path, name: str) -> Iterator[Path]:
    """Where a tool may lie in a tools folder, best first."""
    known = [suite.name for suite in reversed(SUITES)]
    others = sorted(path.parent.parent.parent.name for path in folder.glob(f"[!.]*/usr/bin/{name}"))
    yield folder.absolute() / name
    for suite in dict.fromkeys([*known, *others]):
        yield folder.absolute() / suite / "usr/bin" / name


def _is_executable(path: Path) -> bool:
    return shutil.which(path) is not None


def _names(suite: str, *, servers: bool) -> tuple[str, ...]:
    """Name the programs of a toolset."""
    if not servers:
        return CLIENTS
    known = next((each.servers for each in SUITES if each.name == suite), SERVERS)
    return (*CLIENTS, *known)


def _is_complete(toolset: Path, names: Iterable[str]) -> bool:
    return all(_is_executable(toolset / "usr/bin" / name) for name in names)


def _os_release() -> dict[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:  # not Linux, or a Linux without that file
        return {}


def _distribution(suite: str) -> _Distribution:
    """Return whose packages to use here, or why there are none for this suite."""
    release = _os_release()
    system = release.get("PRETTY_NAME") or platform.system()
    distribution = _DISTRIBUTIONS.get(release.get("ID", ""))
    if distribution is None:
        raise ToolsError(
            f"tools are fetched on Debian and Ubuntu, this is {system}: {how_to_get()}"
        )
    missing = [command for command in ("apt-get", "dpkg") if not shutil.which(command)]
    if missing:
        raise ToolsError(f"tools are fetched with apt, {missing[0]} is not on PATH: {_ELSEWHERE}")
    offered = [each.name for each in SUITES]
    if distribution.origin == "Ubuntu":
        offered = [release.get("VERSION_CODENAME", "")]
    if suite not in offered:
        raise ToolsError(f"no suite {suite!r} for {system}: expected one of {', '.join(offered)}")
    return distribution


def _configure(distribution: _Distribution, suite: str, stage: Path) -> Path:
    """Give apt a world of its own in `stage`, with the index of a suite; return its settings."""
    for path in ("state/lists/partial", "cache/archives/partial", "debs"):
        (stage / path).mkdir(parents=True)
    (stage / "status").touch()  # no package is installed, so none holds back a suite's own
    conf = stage / "apt.conf"
    conf.write_text(_APT_CONF.format(stage=stage), encoding="utf-8")

    _update(distribution, suite, stage)
    return conf


def _packages(conf: Path, programs: Collection[str]) -> list[str]:
    """Name the packages of a toolset."""
    names = _run(["apt-cache", f"--config-file={conf}", "pkgnames", "promtool"]).stdout.split()
    packages = ["prometheus-alertmanager"]  # brings amtool
    if "promtool" in names:  # a package of its own, from trixie on
        packages.append("promtool")
    if "promtool" not in names or "prometheus" in programs:
        packages.append("prometheus")
    if not {*VICTORIAMETRICS}.isdisjoint(programs):
        packages.append("victoria-metrics")
    return packages


def _download(conf: Path, packages: Sequence[str]) -> list[Path]:
    """Download packages, verified by apt."""
    debs = conf.parent / "debs"
    _run(["apt-get", f"--config-file={conf}", "download", *packages], cwd=debs)
    return sorted(debs.glob("*.deb"))


def _update(distribution: _Distribution, suite: str, stage: Path) -> None:
    """Fetch the index of a suite from the first of the machine's sites that proves to have it.

    Whether a site is the distribution's is decided by its signature: a third party's is refused.
    """
    keyring = next(filter(Path.exists, distribution.keyrings), None)
    options = f"target=Packages signed-by={keyring}" if keyring else "target=Packages"
    failures = []
    for site in _sites(distribution):
        source = f"deb [{options}] {site} {suite} {distribution.components}\n"
        (stage / "sources.list").write_text(source, encoding="utf-8")
        try:
            _run(["apt-get", f"--config-file={stage}/apt.conf", "update"])
        except ToolsError as error:
            failures.append(str(error))
        else:
            return
    raise ToolsError("\n".join(failures) or f"apt names no site of its own: {_ELSEWHERE}")


def _sites(distribution: _Distribution) -> list[str]:
    """Ask apt which sites the machine uses, without repeats.

    Only the lists of an earlier `apt-get update` show whose a site is; without them every site
    with a component main is a candidate, in the order of the machine's sources.
    """
    command = ["apt-get", "indextargets", "--format=$(REPO_URI)", "Created-By: Packages"]
    origin, label = f"Origin: {distribution.origin}", f"Label: {distribution.origin}"
    known = _run([*command, origin, label]).stdout.split()
    sites = known or _run([*command, "--no-release-info", "Component: main"]).stdout.split()
    return list(dict.fromkeys(sites))


def _unpack(debs: Iterable[Path], stage: Path) -> Path:
    """Unpack packages and keep what a toolset needs: programs and what they read at run time."""
    root, toolset = stage / "root", stage / "toolset"
    for deb in debs:
        _run(["dpkg", "--extract", str(deb), str(root)])
    kept = {*CLIENTS, *SERVERS, *VICTORIAMETRICS}
    for program in (root / "usr/bin").iterdir():
        if program.name not in kept:
            program.unlink()
    for part in ("usr/bin", "usr/share/prometheus"):
        if (root / part).exists():
            (toolset / part).parent.mkdir(parents=True, exist_ok=True)
            (root / part).rename(toolset / part)
    return toolset


def _run(
    command: Sequence[str], cwd: Path | None = None, *, limit: float = FETCH_SECONDS
) -> process.Done:
    """Run a command that must succeed."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    try:
        done = process.run(command, folder=cwd, limit=limit, environment=environment, merged=False)
    except process.ProcessError as error:
        raise ToolsError(str(error)) from error
    if done.code:
        raise ToolsError(f"{shlex.join(command)} failed ({done.code}):\n{done.output.rstrip()}")
    return done


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch what the command line names, and return the exit code."""
    import argparse  # noqa: PLC0415  (a compile does not need it)

    parser = argparse.ArgumentParser(
        prog="python -m slo_compiler.tools",
        description="Fetch promtool and amtool of each SUITE (default: the newest) without root. "
        f"They go to ${VARIABLE}, or .tools in the current folder; what is there stays.",
    )
    parser.add_argument("suites", nargs="*", metavar="SUITE")
    parser.add_argument("--servers", action="store_true", help="also the servers of both engines")
    parser.add_argument(
        "--pip", type=Path, metavar="PYTHON", help="install pip into this environment instead"
    )
    options = parser.parse_args(arguments)
    try:
        with process.ended_by_signals():
            if options.pip:
                install_pip(options.pip.absolute())
            else:
                suites = options.suites or [default_suite()]
                fetch(suites, tools_folder(), print, servers=options.servers)
    except (ToolsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
