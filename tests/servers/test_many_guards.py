"""A tenant with many guarded SLOs: no query of its rules is too large for promtool."""

from __future__ import annotations

import subprocess
from pathlib import Path

from cases import ROOT, tool

from slo_compiler import compile_text

SLOS = 12  # of which each guard reads 720 steps of 6h


def test_proofs_of_many_guarded_slos_pass_promtool(tmp_path: Path) -> None:
    text = (ROOT / "examples" / "tenants" / "customer-b.yaml").read_text(encoding="utf-8")
    start = text.index("    - name: availability")
    head, slo = text[:start], text[start:]
    slos = (slo.replace("checkout", f"checkout-{number}") for number in range(SLOS))
    head = head.replace(
        "email: {to: [sre@customer-b.example]}", 'webhook: {url: "http://sre.internal"}'
    )
    result = compile_text(head + "".join(slos))
    assert result.ok, result.diagnostics
    for name, content in result.artefacts.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    slow = tmp_path / "prometheus" / "tests" / "customer-b_5m.yml"
    done = subprocess.run(
        [tool("forky", "promtool"), "test", "rules", slow.name],
        cwd=slow.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
