"""What did compiles write? The lock file has it, and the journals of runs that were killed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from slo_compiler import naming
from slo_compiler.emit.artefact import Artefact
from slo_compiler.write.owned import TEMPORARY, inside, read, temporary


def lock(inputs: Mapping[str, str], outputs: Sequence[Artefact], facts: object) -> Artefact:
    """Build the audit record: digests of every input and output, versions, counts."""
    record = {
        "lock": 1,
        **(facts if isinstance(facts, dict) else {}),
        "inputs": dict(sorted(inputs.items())),
        "outputs": {a.path: a.digest for a in sorted(outputs, key=lambda a: a.path)},
    }
    return Artefact(naming.LOCK_FILE, json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def journal(folder: Path, new: Artefact) -> Path:
    """Name the journal of a run: its lock file, staged.

    Each has its own name, because a run that follows a killed one may be killed as well.
    """
    return temporary(folder / naming.LOCK_FILE, f".{new.digest[:16]}")


def journals(folder: Path) -> list[str]:
    """List the journals of killed runs."""
    return sorted(each.name for each in folder.glob(f".{naming.LOCK_FILE}*{TEMPORARY}"))


def written(folder: Path) -> dict[str, set[str]]:
    """Give the digests of what was last written to each path, by killed runs, too."""
    digests: dict[str, set[str]] = {}
    is_inside = inside(folder)
    for name in (naming.LOCK_FILE, *journals(folder)):
        for path, digest in _outputs(folder, name).items():
            if is_inside(path):
                digests.setdefault(path, set()).add(digest)
    return digests


def recorded(folder: Path, name: str = naming.LOCK_FILE) -> dict[str, object]:
    """Read the audit record of the last compile; empty where there is none that can be read."""
    path = folder / name
    content = None if path.is_symlink() else read(path)
    try:
        record = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _outputs(folder: Path, name: str) -> dict[str, str]:
    outputs = recorded(folder, name).get("outputs", {})
    if not isinstance(outputs, dict):
        return {}
    return {k: v for k, v in outputs.items() if isinstance(v, str) and "\0" not in k}
