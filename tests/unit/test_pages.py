"""Every block of every page is run, compiled or parsed, or is listed here with the reason why not.

Tutorial and how-to pages are followed by tests of their own, whole documents are compiled by
test_docs. Here is the rest: fragments of manifests, and all commands, also those amid sentences.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from cases import ROOT
from jsonschema import Draft202012Validator
from pages import FILE
from unread import UNREAD

from slo_compiler.cli import main
from slo_compiler.schema.json_schema import json_schema

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "docker/README.md"])
FOLLOWED = {"docs/tutorial.md", *(f"docs/{path.name}" for path in ROOT.glob("docs/howto-*.md"))}
GENERATED = {"docs/lints.md", "docs/commands.md"}  # by test_lints, and from the commands themselves
FENCED = re.compile(r"(?ms)^```(\w+)\n(.*?)^```$")
INDENTED = re.compile(r"(?m)(?<=\n\n)(?: {4}.*\n|\n(?= {4}))+")
PROSE = re.compile(r"`(slo-compiler\s[^`]+)`")


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code: fenced, of a language, or indented."""

    language: str
    text: str

    @property
    def lines(self) -> list[str]:
        """Give its lines, continued ones joined; of a dialogue, what is typed."""
        joined = self.text.replace("\\\n", " ").splitlines()
        typed = [line.removeprefix("$ ") for line in joined if line.startswith("$ ")]
        return typed or joined


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks_of(page: str) -> Iterator[Block]:
    """Give the blocks of a page, those in fences first."""
    for match in FENCED.finditer(page):
        yield Block(match[1], match[2])
    for match in INDENTED.finditer(FENCED.sub("", page)):
        yield Block("", re.sub(r"(?m)^ {4}", "", match[0]).strip("\n"))


def commands_of(line: str) -> Iterator[list[str]]:
    """Give the arguments of each slo-compiler of a line of a shell, alone or in a container."""
    if "slo-compiler " not in line:  # nor need it be a line of a shell
        return
    words = shlex.shlex(line, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    rest = iter(words)
    while part := list(takewhile(lambda word: not re.fullmatch(r"[|&;<>()]+", word), rest)):
        start = [n for n, word in enumerate(part) if word == "slo-compiler"]
        program = next((word for word in part if not re.match(r"\w+=", word)), "")
        if start and (program in ("slo-compiler", "uvx") or part[:2] == ["docker", "run"]):
            yield part[start[0] + 1 :]


def wrong_in(arguments: list[str], *, whole: bool = True) -> str:
    """Parse arguments as the command line does, without running anything; what is wrong.

    A sentence may name a command with a part of its arguments: that is not `whole`.
    """
    command: click.Command = main
    if arguments and not arguments[0].startswith("-"):
        if arguments[0] not in main.commands:
            return "" if arguments[0].isupper() else "no such command"  # COMMAND is any
        command, arguments = main.commands[arguments[0]], arguments[1:]
    context = click.Context(command, help_option_names=["-h", "--help"])  # click keeps them
    try:
        given, rest, _ = command.make_parser(context).parse_args(list(arguments))
        for parameter in command.params:
            value = given.get(parameter.name or "")
            if isinstance(parameter.type, click.Choice) and isinstance(value, str):
                parameter.type.convert(value, parameter, context)
            if whole and parameter.required and value in (None, ()):
                return f"{parameter.name} is missing"
    except click.BadOptionUsage as error:
        return error.format_message() if whole else ""
    except click.UsageError as error:
        return error.format_message()
    return f"unexpected: {rest}" if rest else ""


@cache
def schemas() -> dict[str, dict[str, Any]]:
    """Give each mapping of manifests as a schema of its own, in which nothing is required."""
    found = {}
    for kind in ("Tenant", "Project", "AlertPolicy"):
        parts = json_schema(kind)["$defs"]
        parts.get("SLO", {}).pop("anyOf", None)  # a fragment may leave out what an SLO needs
        for name, part in parts.items():
            loose = {key: value for key, value in part.items() if key not in ("required", "anyOf")}
            found[f"{kind}.{name}"] = {**loose, "$defs": parts}
    return found


def fragment_errors(text: str) -> list[str] | None:
    """Give what is wrong with a fragment of a manifest; None if it is none."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    if not isinstance(data, dict):
        return None
    if "record" in str(data.get("groups")):  # rules of Prometheus
        return None
    data = data["spec"] if {*data} == {"spec"} else data
    fitting = [s for s in schemas().values() if {*data} <= {*s.get("properties", ())}]
    if not fitting:
        return None
    errors = [[e.message[:200] for e in Draft202012Validator(s).iter_errors(data)] for s in fitting]
    return min(errors, key=len)


def is_read(block: Block, page: str) -> bool:
    """Whether a block is one that a test reads."""
    if page in FOLLOWED and block.language in ("sh", "text", "yaml"):
        return block.language != "yaml" or bool(FILE.match(block.text))
    if block.language == "python":
        return page == "docs/api.md"  # test_api runs it
    return (
        block.text.startswith("apiVersion: slo-compiler/")  # test_docs compiles it
        or bool(re.fullmatch(r"(make [\w-]+ *(#.*)?\n?)+", block.text))
        or any(arguments for line in block.lines for arguments in commands_of(line))
        or fragment_errors(block.text) is not None
    )


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_each_block_of_page_is_read_or_listed(path: Path) -> None:
    page = name_of(path)
    unread = [
        block.text.lstrip()
        for block in blocks_of(path.read_text(encoding="utf-8"))
        if page not in GENERATED and not is_read(block, page)
    ]
    listed = [start for start, _ in UNREAD.get(page, ())]
    left = [text[:60] for text in unread if not any(text.startswith(start) for start in listed)]
    assert left == [], "have it read by a test, or list it in UNREAD with the reason"
    stale = [start for start in listed if not any(text.startswith(start) for text in unread)]
    assert (stale, len(unread)) == ([], len(listed))


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_commands_of_page_are_those_of_the_command_line(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    lines = [(line, True) for block in blocks_of(page) for line in block.lines]
    lines += [(" ".join(part.split()), False) for part in PROSE.findall(FENCED.sub("", page))]
    wrong = [
        (line, problem)
        for line, whole in lines
        for arguments in commands_of(line)
        if (problem := wrong_in(arguments, whole=whole))
    ]
    assert wrong == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_fragments_of_page_are_valid(path: Path) -> None:
    wrong = [
        (block.text[:80], errors)
        for block in blocks_of(path.read_text(encoding="utf-8"))
        if name_of(path) not in GENERATED and (errors := fragment_errors(block.text))
    ]
    assert wrong == []


def test_make_targets_of_pages_exist() -> None:
    targets = {*re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"))}
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        named = re.findall(r"(?m)(?:^ *|`)make ([a-z-]+)", text)
        assert {*named} <= targets, path.name


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("slo-compiler compile --chek", "--chek"),
        ("slo-compiler compiel", "no such command"),
        ("slo-compiler schema tenants", "'tenants' is not one of"),
        ("slo-compiler status | less", "prometheus is missing"),
        ("cat x | slo-compiler explain a b c --format jsn > y", "'jsn' is not one of"),
        ('docker run --rm -v "$PWD:/repo" slo-compiler check --strictly', "--strictly"),
    ],
)
def test_wrong_command_of_a_page_is_found(line: str, problem: str) -> None:
    assert [problem in wrong_in(arguments) for arguments in commands_of(line)] == [True]


def test_wrong_fragment_and_unknown_block_of_a_page_are_found() -> None:
    assert fragment_errors("alerting: {min_errors: 5}") == []
    assert fragment_errors("spec:\n  period: {calendar: month}") == []
    assert fragment_errors("alerting: {min_error: 5}")
    assert fragment_errors("objective: 0.9")
    assert fragment_errors("rules: text") != []
    assert not is_read(Block("yaml", "objectiv: 99.9\n"), "docs/page.md")
    assert not is_read(Block("sh", "rm -r x\n"), "docs/page.md")
    assert is_read(Block("sh", "rm -r x\n"), "docs/tutorial.md")
