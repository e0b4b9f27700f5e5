"""The one place that builds Jinja environments and their filters.

Delimiters are `<< >>`, `<% %>` and `<# #>`, so that PromQL's braces and Prometheus' own
`{{ $labels.x }}` are in a template as they will be in the output.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from json.encoder import encode_basestring
from pathlib import Path

import jinja2

# JSON alone is not safe YAML: these line breaks and controls must be escaped as well.
_ESCAPED = "\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff"
_UNSAFE = re.compile(f"[{_ESCAPED}]")
_NOT_IN_BLOCK = re.compile(f"[\x00-\x09\x0b-\x1f{_ESCAPED}]")  # and all controls but line feeds


def quoted(value: object) -> str:
    """Write text as a double-quoted scalar that YAML and JSON both read back unchanged."""
    return _quoted(str(value))


@lru_cache(maxsize=16_384)  # the same names and annotations are in many rules
def _quoted(text: str) -> str:
    written = encode_basestring(text)
    if written.isascii() and "\x7f" not in written:
        return written
    return _UNSAFE.sub(lambda m: f"\\u{ord(m[0]):04x}", written)


def block(text: str, indent: int) -> str:
    """Write an expression as a literal block, `|-`, indented by `indent` spaces.

    Falls back to a quoted scalar where a block cannot contain the text.
    """
    if _NOT_IN_BLOCK.search(text) or text != text.strip():
        return quoted(text)
    return "|-\n" + " " * indent + indented(text, indent)


def indented(text: str, width: int) -> str:
    """Indent all lines but the first, and no blank ones.

    Lines end at line feeds alone: Jinja's `indent` and textwrap also split at U+2028, form feeds
    and others, which may be inside of a string of PromQL.
    """
    if "\n" not in text:
        return text
    first, *rest = text.split("\n")
    return "\n".join([first, *(" " * width + line if line.strip() else line for line in rest)])


def pairs(items: Iterable[tuple[str, object]], indent: int) -> str:
    """Write names and their texts as the lines of a mapping, indented by `indent` spaces."""
    return ("\n" + " " * indent).join([f"{name}: {_quoted(str(value))}" for name, value in items])


def promql_string(value: object) -> str:
    """Write text as a PromQL string literal, quotes included; the escapes are Go's."""
    return quoted(value)


def template_folder() -> Path:
    """Folder of the templates: inside an installed package, beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


@cache
def environment() -> jinja2.Environment:
    """Jinja environment of all templates; an undefined name is an error."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_folder(), encoding="utf-8"),
        undefined=jinja2.StrictUndefined,
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  (YAML and PromQL are escaped by the filters above)
        auto_reload=False,
    )
    env.filters.update(quoted=quoted, block=block, promql_string=promql_string, indent=indented)
    return env


@contextmanager
def keep_compiled(store: jinja2.BytecodeCache | None) -> Iterator[None]:
    """Meanwhile, read compiled templates from a store, and write new ones to it."""
    environment().bytecode_cache = store
    try:
        yield
    finally:
        environment().bytecode_cache = None


@cache
def _template(name: str) -> jinja2.Template:
    return environment().get_template(name)


def render(name: str, /, **values: object) -> str:
    """Render one template."""
    return _template(name).render(values)


def render_expression(name: str, /, **values: object) -> str:
    """Render one PromQL template: comments' blank lines and the trailing newline go."""
    text = render(f"promql/{name}.promql.j2", **values)
    return "\n".join(line.rstrip(" \t") for line in text.split("\n") if line.strip())
