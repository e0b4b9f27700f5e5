"""Pages that run: their files are written, their commands executed, and what is printed compared.

A block `yaml` whose first line is a comment with a path is that file; `sh` is run; `text` after it
is what it prints. To write what commands print into pages: `python -m pages docs/howto-*.md`.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from slo_compiler.tools import find_in

BLOCK = re.compile(r"(?ms)^```(\w+)\n(.*?)^```$")
FILE = re.compile(r"\A# (\S+\.\w+)\n")
SECONDS = 550  # a page may wait for a time of the clock


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of a page: its exit code, what each command printed, and what was left over."""

    code: int
    printed: tuple[str, ...]
    rest: str


def blocks(page: str) -> Iterator[tuple[str, str]]:
    """Give each fenced block of a page, with its language."""
    for match in BLOCK.finditer(page):
        yield match[1], match[2]


def expected(page: str) -> list[str]:
    """Give what each block of commands must print; empty where the page does not show it."""
    shown: list[str] = []
    for language, block in blocks(page):
        if language == "sh":
            shown.append("")
        elif language == "text":
            shown[-1] = block
    return shown


def script(page: str) -> str:
    """Give the page as a shell script, with a mark after each block of commands."""
    lines, count = ["set -eu"], 0
    for language, block in blocks(page):
        if language == "yaml" and (path := FILE.match(block)):
            lines.append(f"cat > {path[1]} <<'END OF FILE'\n{block[path.end() :]}END OF FILE")
        elif language == "sh":
            count += 1
            lines.append(f"{block}echo '@@ {count}'")
    return "\n".join(lines) + "\n"


def pattern(shown: str) -> re.Pattern[str]:
    """Match what is printed: times and measured figures may be others, and columns as wide."""
    escaped = re.escape(shown).replace("\\ ", " ").replace("\\-", "-")
    figures = re.sub(r"\d+\\\.\d+|\d\d:\d\d:\d\d|\d+(?=%)", r"[\\d.:]+", escaped)
    return re.compile(re.sub(r" +", r" +", figures))


def follow(page: str, folder: Path, environment: Mapping[str, str]) -> Followed:
    """Run the page's commands in a shell of their own."""
    with tempfile.TemporaryFile() as output:
        shell = subprocess.Popen(
            ["bash", "-c", script(page)],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = shell.wait(SECONDS)
        finally:
            left = _end(shell.pid)
        output.seek(0)
        *printed, rest = re.split(r"@@ \d+\n", output.read().decode())
    return Followed(code or left, tuple(printed), rest)


def check(page: str, done: Followed) -> None:
    """Compare what each block of commands printed with what the page shows."""
    for shown, printed in zip(expected(page), done.printed, strict=True):
        if shown:
            assert pattern(shown).fullmatch(printed), f"shown:\n{shown}\nprinted:\n{printed}"


def _end(group: int) -> int:
    """End what a page left running, which is in the shell's own group; whether there was any."""
    try:
        os.killpg(group, signal.SIGTERM)
    except ProcessLookupError:
        return 0
    return 1


def repo(folder: Path) -> dict[str, str]:
    """Make the repo that how-to pages begin with, compiled and committed; its environment."""
    promtool = find_in("forky", "promtool")
    assert promtool is not None, "promtool of forky is missing: run make tools-all"
    environment = {
        **{key: value for key, value in os.environ.items() if key not in ("CI", "NO_COLOR")},
        "HOME": str(folder.parent),
        "PATH": f"{Path(sys.executable).parent}:{promtool.parent}:{os.environ['PATH']}",
        "SLO_COMPILER_TOOLS": str(promtool.parent),
        "SOURCE_DATE_EPOCH": "1795780800",  # 2026-11-27
        **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "page"),
        **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "page@example.org"),
    }
    folder.mkdir()
    for command in (
        "slo-compiler init .",
        "slo-compiler compile",
        "git init -q",
        "git add -A",
        "git commit -q -m start",
    ):
        subprocess.run(
            command.split(), cwd=folder, env=environment, check=True, capture_output=True
        )
    return environment


def written(page: str) -> str:
    """Give the page with what its commands print now."""
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "repo"
        done = follow(page, folder, repo(folder))
    printed = iter(done.printed + (done.rest,) * page.count("```sh\n"))
    last = ""

    def fill(match: re.Match[str]) -> str:
        nonlocal last
        if match[1] == "sh":
            last = next(printed)
        return f"```text\n{last}```" if match[1] == "text" else match[0]

    return BLOCK.sub(fill, page)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(written(path.read_text(encoding="utf-8")), encoding="utf-8")
