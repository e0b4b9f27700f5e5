"""The SLI types: one file each, and one line in this tuple."""

from slo_compiler.manifest.sli.base import SLIType
from slo_compiler.manifest.sli.latency import Latency
from slo_compiler.manifest.sli.ratio import Ratio

SLI_TYPES: tuple[type[SLIType], ...] = (Ratio, Latency)
