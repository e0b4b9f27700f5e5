"""Compile SLO manifests to Prometheus rules, Alertmanager routes and proofs of both."""

from importlib.metadata import version

__version__ = version("slo-compiler")
