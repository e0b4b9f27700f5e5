"""The SLI types: one file each, and one line in this tuple."""

from slo_compiler.schema.sli.availability import Availability
from slo_compiler.schema.sli.base import SLIType
from slo_compiler.schema.sli.composite import Composite
from slo_compiler.schema.sli.latency import Latency
from slo_compiler.schema.sli.ratio import Ratio
from slo_compiler.schema.sli.raw import Raw
from slo_compiler.schema.sli.threshold import Threshold

SLI_TYPES: tuple[type[SLIType], ...] = (
    Ratio,
    Latency,
    Availability,
    Threshold,
    Raw,
    Composite,
)
