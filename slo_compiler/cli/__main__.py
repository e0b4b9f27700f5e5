"""`python -m slo_compiler.cli`: the command line where its script is not on PATH."""

from __future__ import annotations

from slo_compiler.cli import main

if __name__ == "__main__":
    main(prog_name="slo-compiler")
