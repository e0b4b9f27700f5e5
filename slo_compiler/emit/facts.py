"""Facts of tenants as bytes, so that those of all tenants are compared without being read."""

from __future__ import annotations

import io
import pickle
from typing import Any

_SETS = {"frozenset": frozenset, "set": set}


class _Pickler(pickle.Pickler):
    """Writes sets in order, so that equal facts are the same bytes in every process.

    Pickle calls no reduction of sets, but the persistent ID of every object.
    """

    def persistent_id(self, obj: object) -> tuple[str, list[object]] | None:
        if type(obj) is frozenset or type(obj) is set:
            return type(obj).__name__, sorted(obj, key=repr)
        return None


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, pid: tuple[str, list[object]]) -> object:
        name, items = pid
        return _SETS[name](items)


def freeze(facts: object) -> bytes:
    """Write facts, which are plain frozen values."""
    file = io.BytesIO()
    _Pickler(file, protocol=pickle.HIGHEST_PROTOCOL).dump(facts)
    return file.getvalue()


def thaw(data: bytes) -> Any:  # noqa: ANN401  (of the emitter's own type)
    """Read what `freeze` wrote in this run, or what the cache kept of it."""
    return _Unpickler(io.BytesIO(data)).load()
