"""Whether the rules that run are those that the manifests make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from slo_compiler.status.model import RunningRules


def compare(
    running: Mapping[str, RunningRules], manifests: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Give each tenant whose rules are not those of its manifest, and what is wrong.

    Args:
        running: what runs, by tenant.
        manifests: of each tenant here, its file and digest as its alerts have them.
    """
    for tenant in sorted({*running, *manifests}):
        here, there = manifests.get(tenant), running.get(tenant)
        if there is None:
            yield tenant, "its rules do not run"
        elif here is None:
            yield tenant, f"its rules run, and no manifest here declares it ({_words(there)})"
        elif there.manifests != {here}:
            yield tenant, f"the rules that run are of {_words(there)}; here it is {here}"


def _words(rules: RunningRules) -> str:
    return " and ".join(sorted(rules.manifests))
