"""Proofs: unit tests and route tests that are generated with the rules, and their runs."""
