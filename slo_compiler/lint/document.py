"""The lints as text: the list, one explained, and docs/lints.md (`python -m` this prints it)."""

from __future__ import annotations

import re

from slo_compiler.diagnostics import nearest
from slo_compiler.lint import RULES
from slo_compiler.lint.base import Lint
from slo_compiler.lint.errors import errors
from slo_compiler.report import table

_HEAD = """\
# Lints

What is allowed but probably not meant. Generated from the lints' docstrings; do not edit.

- A **warning** is reported by `compile` and `check`, and fails them with `--strict`.
- An **info** is reported by `check` only, where there is no error, and never fails.

`slo-compiler lints` lists them, `slo-compiler lints <ID>` explains one. The examples are fragments
of a manifest; those that begin with `prometheus` or `alertmanager` are of the project file.

## How to switch one off

A reason is part of each switch: without one it does nothing and is a finding itself. So is a
switch that suppresses nothing, and one with an ID that there is not.

In a manifest, on the line of the finding or on the line above:

```yaml
by: [path]  # slo-compiler: disable=high-cardinality-by -- twelve paths, by routing table
```

Beside the `name` of an SLO it is for the whole SLO, and beside the key of a text of several
lines for all of them. Two IDs are separated by a comma.

In the project file, for all tenants or for some:

```yaml
spec:
  lint:
    disable:
      - {id: missing-runbook, reason: runbooks are found by the alert's name}
      - {id: channel-unused, reason: they share a file of channels, tenants: [customer-b]}
    locked: [high-cardinality-by]  # a tenant's comment cannot switch this off
```

Errors cannot be switched off.
"""
_TAIL = """\
## Errors

These stop the compile, and cannot be switched off. `slo-compiler lints <ID>` explains them, too.

| ID | |
|---|---|
"""


def listing() -> str:
    """Give one line for each lint."""
    rows = [(rule.id, str(rule.severity), rule.summary) for rule in RULES]
    return "".join(f"{line}\n" for line in table(rows))


def find(id_: str) -> Lint | None:
    """Find a lint by its ID."""
    return next((rule for rule in RULES if rule.id == id_), None)


def meant(id_: str) -> str:
    """Return which ID was probably meant."""
    return nearest(id_, [*(rule.id for rule in RULES), *errors()])


def explained(rule: Lint) -> str:
    """Give a lint's whole documentation."""
    return f"{rule.id} ({rule.severity})\n\n{rule.doc}\n"


def explanation(id_: str) -> str | None:
    """Explain a lint or an error; None if there is no such ID."""
    rule = find(id_)
    if rule is not None:
        return explained(rule)
    text = errors().get(id_)
    return None if text is None else f"{id_} (error)\n\n{text}\n"


def rule_texts() -> dict[str, tuple[str, str]]:
    """Give the summary and the whole text of each ID, for reports that have both."""
    lints = {rule.id: (f"{rule.summary}.", rule.doc) for rule in RULES}
    return lints | {id_: (_first_sentence(text), text) for id_, text in errors().items()}


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].removesuffix(".") + "."


def markdown() -> str:
    """Give the page on all lints."""
    index = ["| ID | Severity | |", "|---|---|---|"]
    index += [f"| [`{r.id}`](#{r.id}) | {r.severity} | {_inline(r.summary)} |" for r in RULES]
    sections = [f"## {rule.id}\n\n{_body(rule)}\n" for rule in RULES]
    rows = [f"| `{id_}` | {_inline(text)} |" for id_, text in errors().items()]
    return "\n".join([_HEAD, *index, "", *sections, _TAIL + "\n".join(rows) + "\n"])


def _body(rule: Lint) -> str:
    """Turn a docstring into Markdown: its indented blocks are YAML."""
    head, _, rest = rule.doc.partition("\n")
    text = f"{_inline(head)} *({rule.severity})*\n{rest}"
    return re.sub(
        r"(?m)(?:^ {4}.*\n|^\n(?= {4}))+(?:^ {4}.*\n?)?",
        lambda block: _fenced(block[0]),
        text + "\n",
    ).rstrip()


def _fenced(block: str) -> str:
    lines = [line[4:] for line in block.strip("\n").split("\n")]
    return "\n```yaml\n" + "\n".join(lines) + "\n```\n"


def _inline(text: str) -> str:
    """Keep angle brackets and pipes of a line as text."""
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201  (that is what it is for)
