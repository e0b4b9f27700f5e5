"""The SLI types: one file each, and one line in this tuple."""

from slo_compiler.manifest.sli.availability import Availability
from slo_compiler.manifest.sli.base import SLIType
from slo_compiler.manifest.sli.composite import Composite
from slo_compiler.manifest.sli.latency import Latency
from slo_compiler.manifest.sli.ratio import Ratio
from slo_compiler.manifest.sli.raw import Raw
from slo_compiler.manifest.sli.threshold import Threshold

SLI_TYPES: tuple[type[SLIType], ...] = (
    Ratio,
    Latency,
    Availability,
    Threshold,
    Raw,
    Composite,
)
