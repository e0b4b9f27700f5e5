"""The emitters: one file each, and one line in this tuple."""

from slo_compiler.emit import alertmanager, prometheus, proofs
from slo_compiler.emit.emitter import Emitter

EMITTERS: tuple[Emitter, ...] = (
    prometheus.EMITTER,
    alertmanager.EMITTER,
    proofs.EMITTER,
)
BY_NAME = {emitter.name: emitter for emitter in EMITTERS}
