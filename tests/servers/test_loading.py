"""Real servers load what is written: every golden rules file and every golden configuration."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from cases import CASES, ROOT, compiled, tool
from demo.servers import alertmanager, free_port, get_json, prometheus, wait_until

GOLDEN = ROOT / "golden"


@pytest.mark.parametrize("suite", ["bookworm", "trixie", "forky"])
def test_prometheus_loads_and_evaluates_every_golden_rules_file(suite: str, tmp_path: Path) -> None:
    files = sorted(GOLDEN.glob("*/prometheus/rules/*.yml"))
    config = tmp_path / "prometheus.yml"
    config.write_text(
        "global: {evaluation_interval: 1s}\nrule_files:\n"
        + "".join(f"  - {_quickened(path, tmp_path)}\n" for path in files)
    )
    groups = {
        f"{case}/{group.name}"
        for case in CASES
        for tenant in compiled(case).rules
        for group in tenant.groups
    }
    with prometheus(
        tool(suite, "prometheus"), config, tmp_path / "data", port=free_port()
    ) as server:

        def evaluated() -> list[dict[str, object]] | None:
            found = get_json(f"{server.url}/api/v1/rules")["data"]["groups"]
            rules = [rule for group in found for rule in group["rules"]]
            return found if all(rule["health"] != "unknown" for rule in rules) else None

        loaded = wait_until(evaluated, timeout=60, what="every rule is evaluated")
    names = {f"{Path(str(g['file'])).parent.name}/{g['name']}" for g in loaded}
    assert names == groups
    failing = [r for g in loaded for r in g["rules"] if r["health"] != "ok"]  # type: ignore[attr-defined]
    assert failing == []


def _quickened(path: Path, folder: Path) -> Path:
    """Copy a golden file with short intervals, so that every rule runs at once."""
    copy = folder / path.parts[-4] / path.name
    copy.parent.mkdir(exist_ok=True)
    text = path.read_text(encoding="utf-8")
    quick = re.sub("(?m)^    interval: .*$", "    interval: 1s", text)
    copy.write_text(quick, encoding="utf-8")
    return copy


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("suite", ["bookworm", "forky"])
def test_alertmanager_loads_every_golden_configuration(
    suite: str, case: str, tmp_path: Path
) -> None:
    if case == "channels" and suite == "bookworm":
        return  # test_golden shows that 0.25 refuses it, as the declared version says
    config = tmp_path / "alertmanager.yml"
    shutil.copy(GOLDEN / case / "alertmanager" / "alertmanager.yml", config)
    with alertmanager(
        tool(suite, "prometheus-alertmanager"), config, tmp_path / "data", port=free_port()
    ) as server:
        status = get_json(f"{server.url}/api/v2/status")
    receivers = {f"name: {receiver.name}" for receiver in compiled(case).plan.routing.receivers}
    missing = [name for name in receivers if name not in status["config"]["original"]]
    assert missing == []
