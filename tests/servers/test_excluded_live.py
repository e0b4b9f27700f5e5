"""Real servers count nothing of an exclusion: from the first evaluation on, and after a restart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cases import compile_whole, tool
from demo.servers import free_port, prometheus, query, wait_until

from slo_compiler import naming, pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.source import SourceFile

PROJECT = """\
apiVersion: slo-compiler/v1
kind: Project
spec:
  prometheus: {version: "2.42", scrape_interval: 1s, evaluation_interval: 1s}
"""
SLO = """\
    - name: NAME
      service: web
      objective: 99
      sli:
        ratio:
          errors: prometheus_tsdb_head_samples_appended_total
          total: prometheus_tsdb_head_samples_appended_total
"""
TENANT = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {name: TENANT, owner: sre}
spec:
  channels: [{name: hook, webhook: {url: "http://hooks.internal/x"}}]
  escalation: [{severity: page, notify: [hook]}, {severity: ticket, notify: [hook]}]
"""
# All events are errors, so that one evaluation that counts any is seen.
CONFIG = """\
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules/*.yml]
scrape_configs:
  - job_name: one
    static_configs: [{targets: ["127.0.0.1:PORT"], labels: {tenant: one}}]
  - job_name: two
    static_configs: [{targets: ["127.0.0.1:PORT"], labels: {tenant: two}}]
"""


def manifests() -> list[SourceFile]:
    """Two tenants with an exclusion of one name: of one it is on now, of the other tomorrow."""
    now = datetime.now(UTC)
    files = []
    for tenant, start in (("one", now - timedelta(hours=1)), ("two", now + timedelta(days=1))):
        times = [f"{at:%Y-%m-%d %H:%M}" for at in (start, start + timedelta(hours=2))]
        exclusion = (
            f'  exclusions: [{{name: move, from: "{times[0]}", to: "{times[1]}", '
            "slos: [web/first, web/second]}]\n  slos:\n"
        )
        slos = "".join(SLO.replace("NAME", name) for name in ("first", "second", "always"))
        text = TENANT.replace("TENANT", tenant) + exclusion + slos
        files.append(SourceFile(f"{tenant}.yaml", f"{tenant}.yaml", text.encode()))
    return files


@pytest.mark.parametrize(
    ("suite", "options"),
    [
        ("bookworm", []),
        ("forky", []),
        ("forky", ["--enable-feature=concurrent-rule-eval", "--rules.max-concurrent-evals=8"]),
    ],
    ids=["bookworm", "forky", "forky-concurrent"],
)
def test_excluded_slo_counts_nothing_from_the_first_evaluation_on_and_after_a_restart(
    suite: str, options: list[str], tmp_path: Path
) -> None:
    report = Report()
    project = SourceFile("p.yaml", "p.yaml", PROJECT.encode())
    found = compile_whole(pipeline.parse_project(project, tmp_path, report), manifests(), report)
    files = {artefact.path: artefact.text for artefact in found.artefacts}
    (tmp_path / "rules").mkdir()
    for tenant in ("one", "two"):
        text = files[naming.rules_file(tenant)]
        assert text.count("vector(time())") == 1 + text.count("- alert: SLOExclusionEnds")
        (tmp_path / f"rules/{tenant}.yml").write_text(text, encoding="utf-8")
    port = free_port()
    config = tmp_path / "prometheus.yml"
    config.write_text(CONFIG.replace("PORT", str(port)), encoding="utf-8")
    samples = 0
    for _ in range(2):
        with prometheus(
            tool(suite, "prometheus"), config, tmp_path / "data", port=port, extra_args=options
        ) as server:

            def values(labels: str, url: str = server.url) -> list[float]:
                result = query(url, f"{naming.ERRORS_RATE}{{{labels}}}[1h]")
                return [float(value) for each in result for _, value in each["values"]]

            enough = samples + 12
            control = 'tenant="one",slo="always"'
            wait_until(lambda: len(values(control)) > enough, 60, what="evaluations")  # noqa: B023
            samples = len(values(control))
            excluded = values('tenant="one",slo=~"first|second"')
            assert len(excluded) >= 2 * (samples - 2)
            assert {*excluded} == {0.0}
            assert sum(value > 0 for value in values(control)) > enough / 2
            assert sum(v > 0 for v in values('tenant="two",slo=~"first|second"')) > enough
            active = query(server.url, naming.EXCLUSION_ACTIVE)
            assert sorted(each["metric"]["slo"] for each in active) == ["first", "second"]
