"""Compile SLO manifests to Prometheus rules, Alertmanager routes and proofs of both.

The public API is `compile_text`, `compile_paths` and the types of their results; see docs/api.md.
All other modules may change between versions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slo_compiler.api import Result, compile_paths, compile_text
    from slo_compiler.diagnostics import Diagnostic, Position, Severity

__all__ = ["Diagnostic", "Position", "Result", "Severity", "compile_paths", "compile_text"]

if TYPE_CHECKING:
    __version__: str

_MODULES = {
    "Diagnostic": "diagnostics",
    "Position": "diagnostics",
    "Severity": "diagnostics",
    "Result": "api",
    "compile_paths": "api",
    "compile_text": "api",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import a name of the API when it is first used, so that `slo-compiler --help` stays fast."""
    if name == "__version__":  # to look it up takes longer than to print a help
        from importlib.metadata import version  # noqa: PLC0415

        return version("slo-compiler")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    value = getattr(import_module(f"slo_compiler.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the names of the API, those not imported yet included."""
    return sorted({*globals(), *__all__})
