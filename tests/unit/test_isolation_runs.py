"""In the tests of all tenants together, each of any two burns while the other is silent."""

from __future__ import annotations

from itertools import permutations
from math import comb

import pytest

from slo_compiler.duration import Duration
from slo_compiler.proofs.generate import IsolatedTenant, shared_unit_tests


def tenant(name: str) -> IsolatedTenant:
    second = Duration.of(seconds=1)
    return IsolatedTenant(name, (), second, second, second, (), renamed=False)


def runs(names: list[str]) -> list[set[str]]:
    """Give the tenants that burn, run by run."""
    files = shared_unit_tests(map(tenant, names))
    assert all(set(file.tenants) == set(names) for file in files)
    assert len({file.path for file in files}) == len(files)
    samples = [check.samples for file in files for test in file.tests for check in test.checks]
    return [{name for name in names if any(f'"{name}"' in s for s, _ in run)} for run in samples]


@pytest.mark.parametrize("many", [2, 3, 4, 6, 7, 10, 11, 20, 21, 100])
def test_of_any_two_tenants_each_burns_while_the_other_is_silent(many: int) -> None:
    names = [f"t{number}" for number in range(many)]
    found = runs(names)
    for one, other in permutations(names, 2):
        assert any(one in burning and other not in burning for burning in found)


@pytest.mark.parametrize(("many", "least"), [(2, 2), (3, 3), (4, 4), (6, 4), (7, 5), (100, 9)])
def test_no_fewer_runs_would_do(many: int, least: int) -> None:
    """Sperner: of sets of n runs, none of which contains another, there are comb(n, n // 2)."""
    assert comb(least - 1, (least - 1) // 2) < many <= comb(least, least // 2)
    assert len(runs([f"t{number}" for number in range(many)])) == least


@pytest.mark.parametrize("names", [[], ["alone"]])
def test_tenants_without_others_need_no_run(names: list[str]) -> None:
    assert runs(names) == []
