"""Annotations of users among those of the compiler: nothing of the evidence is lost."""

from __future__ import annotations

from collections.abc import Mapping

from slo_compiler.plan.routing_ir import Pairs
from slo_compiler.resolve.metadata import UserMetadata
from slo_compiler.schema.annotation import filled


def with_own(pairs: Mapping[str, str], own: UserMetadata, constants: Mapping[str, str]) -> Pairs:
    """Return all annotations that have a text; a summary that is replaced becomes `evidence`."""
    texts = {key: filled(text, constants) for key, text in own.annotations.items()}
    evidence = {"evidence": pairs["summary"]} if "summary" in texts else {}
    joined = {**pairs, **evidence, **texts}
    return tuple((key, value) for key, value in joined.items() if value)
