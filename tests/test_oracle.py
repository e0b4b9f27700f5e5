"""Streams with known counts, through the compiled rules and a real Prometheus: how far off?

Bounds and measured figures: docs/accuracy.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import pytest
from cases import tool
from oracle.engine import Replay, Result
from oracle.streams import HOUR, MINUTE, SECOND, Scenario
from oracle.truth import WINDOWS, Bounds, breaks, count_error, is_idle, ratio_error, row
from oracle.worlds import (
    LOOK,
    MONTH,
    MORE_PHASES,
    ORIGIN,
    OUTAGE,
    OUTAGE_WORLD,
    OUTAGES,
    PHASES,
    SCENARIOS,
    World,
)

from slo_compiler import naming
from slo_compiler.duration import Duration
from slo_compiler.plan import burn
from slo_compiler.plan.ir import Rule
from slo_compiler.tools import SUITES

EXACT = Bounds()
BOUNDS = {
    "lost-random": Bounds(short=0.1, long=0.02, period=0.01, counts=0.01),
    "lost-bursts": Bounds(short=1.0, long=0.1, period=0.0125, counts=0.0125 * 1.5),
    "restarts": Bounds(short=1.0, long=0.01, period=0.002, counts=0.002),
}
PAGE_LATE = 60.0
Looked = dict[str, dict[str, Result]]  # by tenant and rule

suites = [
    pytest.param(suite.name, id=suite.name, marks=pytest.mark.xdist_group(f"oracle-{suite.name}"))
    for suite in SUITES
]
