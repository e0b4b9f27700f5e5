"""The kinds of tests: a folder gives its tests their order and their markers."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).parent
# Fast tests first: what is wrong shows early.
# The slowest test waits for up to six minutes: this is for tests that hang.
SLOW_TIMEOUT = 900
MARKERS = {"unit": (), "golden": (), "servers": ("servers", "slow"), "oracle": ("oracle", "slow")}
# No example has a limit of its own time, which a busy machine exceeds: tests have a timeout.
settings.register_profile(
    "untimed",
    settings.default,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("untimed")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its folder, and run the folders in the order of MARKERS."""
    order = list(MARKERS)
    for item in items:
        for marker in MARKERS[_folder(item)]:
            item.add_marker(marker)
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(SLOW_TIMEOUT))
    items.sort(
        key=lambda item: (
            order.index(_folder(item)),
            item.get_closest_marker("processes") is not None,
        )
    )


def pytest_collection_finish() -> None:
    """Leave what was collected, which lives to the end, out of every collection of garbage."""
    gc.freeze()


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).parts[0]
