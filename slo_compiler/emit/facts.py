"""Facts of tenants as bytes, so that those of all tenants are compared without being read."""

from __future__ import annotations

import io
import pickle
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

_SETS = {"frozenset": frozenset, "set": set}


class _Pickler(pickle.Pickler):
    """Writes sets in order, so that equal facts are the same bytes in every process.

    Pickle calls no reduction of sets, but the persistent ID of every object. A dataclass is a call
    of itself: to restore the state of one with slots looks at all its fields each time.
    """

    def persistent_id(self, obj: object) -> tuple[str, list[object]] | None:
        if type(obj) is frozenset or type(obj) is set:
            return type(obj).__name__, sorted(obj, key=repr)
        return None

    def reducer_override(self, obj: object) -> Any:  # noqa: ANN401  (as in the base class)
        kind: type = type(obj)
        names = _arguments(kind)
        if names is None:
            return NotImplemented
        return kind, tuple([getattr(obj, name) for name in names])


@cache
def _arguments(kind: type) -> tuple[str, ...] | None:
    """Name the arguments that make a value of a dataclass; None for any other class."""
    return tuple(f.name for f in fields(kind) if f.init) if is_dataclass(kind) else None


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
