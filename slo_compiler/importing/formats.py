"""The formats of other tools that `slo-compiler import` reads: one line each in this tuple."""

from slo_compiler.importing import compose, openslo, pyrra, rules, sloth
from slo_compiler.importing.model import Format

FORMATS: tuple[Format, ...] = (
    sloth.FORMAT,
    pyrra.FORMAT,
    openslo.FORMAT,
    compose.FORMAT,
    rules.FORMAT,
)
