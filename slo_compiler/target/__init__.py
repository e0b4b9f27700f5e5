"""What is written for each target: one file each, and one line in this tuple."""

from slo_compiler.target import prometheus

TARGETS = (("prometheus", prometheus.artefacts),)
