"""The blocks of pages that tests/unit/test_pages.py cannot read: page, how each begins, and why."""

from __future__ import annotations

DRAWN = "a drawing"
SHOWN = "output that is quoted, with figures that vary"
COMPARED = "compared with what the code makes, by the test of its page"
FORMULA = "a formula in words; test_arithmetic_page has the numbers"
OTHER = "of another program, which no test starts in this way"
FOREIGN = "a file of another program"

UNREAD: dict[str, tuple[tuple[str, str], ...]] = {
    "README.md": (
        ("tenants/*.yaml ", DRAWN),
        ("- alert: SLOErrorBudgetBurn", COMPARED),
        ("tenants/customer-b.yaml:24:18: error", COMPARED),
    ),
    "docker/README.md": (
        ("docker compose -f docker/compose.yaml up --build", OTHER),
        ("docker compose -f docker/compose.yaml up compile", OTHER),
        ("docker compose -f docker/compose.yaml down", OTHER),
        ("curl -X POST 'http://localhost:9101/fault", OTHER),
        ("curl -X POST 'http://localhost:9101/heal", OTHER),
        ("curl -X POST 'http://localhost:9101/rename", OTHER),
        ("printf 'aiosmtpd", OTHER),
    ),
    "docs/accuracy.md": (("PYTHONPATH=tests:examples", OTHER),),
    "docs/architecture.md": (("manifests ", DRAWN),),
    "docs/arithmetic.md": (
        ("tier  ", COMPARED),
        ("- record: slo:error_ratio:rate1d", COMPARED),
        ("error budget = 1 - objective", FORMULA),
        ("remaining   ", FORMULA),
        ("burn rate of the tier", FORMULA),
        ("fires after", FORMULA),
        ("ratio of sums", FORMULA),
    ),
    "docs/ci.md": (("repos:", FOREIGN),),
    "docs/cost.md": (("recording  alerting", SHOWN), ("tenants/acme.yaml:3:18: error", SHOWN)),
    "docs/diff.md": (("Alerts later, or for more errors:", SHOWN), ("rules 101, was 87", SHOWN)),
    "docs/editor.md": (
        ("# yaml-language-server", FOREIGN),
        ('{"yaml.schemas"', FOREIGN),
        ('require("lspconfig")', FOREIGN),
    ),
    "docs/engines.md": (
        ("mimirtool rules sync", OTHER),
        ("vmalert -envflag.enable", OTHER),
        ("vmalert-tool unittest", OTHER),
    ),
    "docs/explain.md": (("excluded: weekly-patching", SHOWN),),
    "docs/grafana.md": (("# /etc/grafana/provisioning", FOREIGN),),
    "docs/howto-kubernetes.md": (
        ("kubectl apply", OTHER),
        ("apiVersion: monitoring.coreos.com/v1", FOREIGN),
    ),
    "docs/howto-mimir.md": (("mimirtool rules sync", OTHER),),
    "docs/howto-victoriametrics.md": (("vmalert -envflag.enable", OTHER),),
    "docs/install.md": (("pip install .", "run by tests/servers/test_install.py"),),
    "docs/migrate-compose.md": (
        ("services:", COMPARED),
        ("global: {scrape_interval: 10s", COMPARED),
        ("# Imported from compose", COMPARED),
        ("# The Prometheus of the compose file", COMPARED),
    ),
    "docs/migrate-rules.md": (("groups:", COMPARED), ("# Imported from rules", COMPARED)),
    "docs/output.md": (("[FIRING:1]", SHOWN), ('{{ define "slo.title" }}', FOREIGN)),
    "docs/scale.md": (("relabel_configs:", FOREIGN), ("for file in generated/", OTHER)),
    "docs/status.md": (("SLO    ", SHOWN),),
    "docs/supply-chain.md": (("python -m hatchling build", OTHER),),
}
