"""Of hostile texts of all kinds nothing raises, hangs, or gets out; `make fuzz` draws more."""

from __future__ import annotations

import pytest
from fuzz_properties import SHORT, Property, check_confined, draw, folder_of, outcome
from fuzzing import FILES, TENANT, manifests

EXAMPLES = 20  # of each property


@pytest.mark.processes
@pytest.mark.parametrize("holds", SHORT, ids=lambda function: function.__name__)
def test_property_of_hostile_texts_holds(holds: Property) -> None:
    assert draw(holds, EXAMPLES) > 0


@pytest.mark.processes
def test_manifests_of_good_will_compile_and_are_confined() -> None:
    compiled, some = 0, manifests()[::4]
    for text in some:
        with folder_of(FILES | {TENANT: text}) as folder:
            files = outcome(folder)
        if isinstance(files, dict):
            check_confined(files)
            compiled += 1
    assert compiled > len(some) * 2 // 3
