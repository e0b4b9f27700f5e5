"""Manifests of the files of other tools: each format is a module, and a line in `formats`."""
