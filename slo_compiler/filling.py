"""Secrets in an Alertmanager configuration, in the place of the files that it names for them.

Where a server reads no files (Mimir's Alertmanager does not), `api_url_file: /path` becomes
`api_url:` and what is at that path when the configuration is deployed. Places are keys of the YAML,
never text: what a tenant writes into a message or a name is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from slo_compiler.diagnostics import Cause, Position, Report
from slo_compiler.emit.base_config import item

VARIABLE = "SLO_SECRET_"
_FILE = "_file"
_SECTIONS = ("global", "receivers")
_TEXTS = ("details", "headers")  # their keys are those of a message
_SEVERAL_LINES = ("ca", "cert", "key")  # of tls_config
_LARGEST = 64 * 1024  # bytes of a secret
_HEADER = "# Filled by slo-compiler fill-secrets: it holds secrets, keep it out of repos.\n"


class SecretError(Exception):
    """Why there is no secret; the text never has a part of one."""


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where secrets are: in a folder, as files, or in the environment.

    Args:
        folder: has each secret at the path that the configuration names; None for no files.
        prefix: beginning of those paths that is left out.
        environment: the variables.
    """

    folder: Path | None
    prefix: str
    environment: Mapping[str, str]

    def places(self, path: str) -> list[str]:
        """Name the places of a secret, the first that is looked at first."""
        rest = self._rest(path)
        files = [str(self._file(rest))] if self.folder is not None else []
        return [*files, f"${variable(rest)}"]

    def read(self, path: str, *, lines: bool) -> str:
        """Read a secret; `lines` is whether it may have several.

        Raises:
            SecretError: it is missing, or no secret.
        """
        rest = self._rest(path)
        found = self._from_file(rest)
        if found is None:
            found = self.environment.get(variable(rest))
        if found is None:
            raise SecretError("it is not there")
        found = found.rstrip("\r\n")
        if re.search("[\ud800-\udfff]", found):  # bytes of a variable
            raise SecretError("it is not UTF-8")
        if not found.strip():
            raise SecretError("it is empty")
        if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", found.replace("\r\n", "\n")):
            raise SecretError("it holds control characters")
        if "\n" in found and not lines:
            raise SecretError("it has several lines")
        return found

    def _rest(self, path: str) -> str:
        if ".." in path.split("/"):
            raise SecretError("its path has ..")
        if not self.prefix:
            return path
        prefix = self.prefix.rstrip("/") + "/"
        if not path.startswith(prefix):
            raise SecretError(f"its path does not begin with {prefix}")
        return path.removeprefix(prefix)

    def _file(self, rest: str) -> Path:
        assert self.folder is not None  # noqa: S101  (checked by its callers)
        return self.folder / rest.lstrip("/")

    def _from_file(self, rest: str) -> str | None:
        if self.folder is None:
            return None
        try:
            with self._file(rest).open("rb") as file:
                content = file.read(_LARGEST + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SecretError(f"it cannot be read: {error.strerror}") from None
        if len(content) > _LARGEST:
            raise SecretError(f"it is larger than {_LARGEST:,} bytes")
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise SecretError("it is not UTF-8") from None


def variable(path: str) -> str:
    """Name the environment's variable of a path: no two paths have the same.

    `/` is `__`, and whatever is no letter or digit is `_` and its hexadecimal number: the secret
    customer-b/slack is in SLO_SECRET_customer_2Db__slack.
    """

    def written(found: re.Match[str]) -> str:
        if found[0] == "/":
            return "__"
        return "".join(f"_{byte:02X}" for byte in found[0].encode(errors="surrogatepass"))

    return VARIABLE + re.sub(r"[^A-Za-z0-9]", written, path)


def filled(name: str, text: str, source: SecretSource, report: Report) -> str | None:
    """Put secrets into a configuration; None if one is missing: each is an error in `report`."""
    try:
        root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        at = Position(name, mark.line + 1, mark.column + 1) if mark else Position(name)
        problem = getattr(error, "problem", None) or "it is nested too deeply"
        report.error(at, "yaml-syntax", f"not valid YAML: {problem}")
        return None
    if not isinstance(root, yaml.MappingNode) or item(root, "receivers") is None:
        report.error(
            Position(name), "type", "expected an Alertmanager configuration, with receivers"
        )
        return None
    complete = True
    for parent, index in [*_places(root)]:
        key, value = parent.value[index]
        short = key.value.removesuffix(_FILE)
        try:
            secret = source.read(value.value, lines=short in _SEVERAL_LINES)
        except SecretError as error:
            complete = False
            _refuse(name, value, text, error, source, report)
            continue
        key.value = short
        parent.value[index] = (key, yaml.ScalarNode("tag:yaml.org,2002:str", secret, style='"'))
    if not complete:
        return None
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return _HEADER + str(yaml.serialize(root, Dumper=dumper, width=100_000, allow_unicode=True))


def _places(root: yaml.MappingNode) -> Iterator[tuple[yaml.MappingNode, int]]:
    """Give each key that names a file, as its mapping and its number in it."""
    seen: set[int] = set()
    for key, value in root.value:
        if key.value in _SECTIONS:
            yield from _within(value, seen)


def _within(node: yaml.Node, seen: set[int]) -> Iterator[tuple[yaml.MappingNode, int]]:
    if id(node) in seen:  # an anchor's, by another alias
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for each in node.value:
            yield from _within(each, seen)
    elif isinstance(node, yaml.MappingNode):
        for index, (key, value) in enumerate(node.value):
            if key.value in _TEXTS:
                continue
            if isinstance(value, yaml.ScalarNode) and key.value.endswith(_FILE):
                yield node, index
            else:
                yield from _within(value, seen)


def _refuse(
    name: str,
    value: yaml.ScalarNode,
    text: str,
    error: SecretError,
    source: SecretSource,
    report: Report,
) -> None:
    mark = value.start_mark
    line = text.split("\n")[mark.line]
    at = Position(name, mark.line + 1, mark.column + 1, len(value.value), line)
    try:
        help_ = f"put it into {' or '.join(source.places(value.value))}"
    except SecretError:
        help_ = "name it as --prefix has it, or choose another --prefix"
    message = f"no secret for {value.value}: {error}"
    report.error(at, "missing-secret", message, help_, Cause(value.value))
