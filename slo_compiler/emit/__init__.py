"""The emitters: one file each, and one line in this tuple."""

from slo_compiler.emit import (
    alertmanager,
    grafana,
    mimir,
    operator,
    prometheus,
    proofs,
    thanos,
    victoriametrics,
)
from slo_compiler.emit.emitter import Emitter

EMITTERS: tuple[Emitter, ...] = (
    prometheus.EMITTER,
    alertmanager.EMITTER,
    proofs.EMITTER,
    thanos.EMITTER,
    operator.EMITTER,
    grafana.EMITTER,
    mimir.EMITTER,
    victoriametrics.EMITTER,
)
BY_NAME = {emitter.name: emitter for emitter in EMITTERS}
