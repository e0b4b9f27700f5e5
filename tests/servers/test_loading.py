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
        fine: set[tuple[str, int]] = set()
        names: set[str] = set()

        def failing() -> list[object]:
            """List the rules that have not been evaluated yet, each at least once.

            Cases that share a tenant write the same series. Where one of their groups is late,
            its sample is out of order, and its rule fails until the next time.
            """
            rest: list[object] = []
            for group in get_json(f"{server.url}/api/v1/rules")["data"]["groups"]:
                name = f"{Path(str(group['file'])).parent.name}/{group['name']}"
                names.add(name)
                for number, rule in enumerate(group["rules"]):
                    if rule["health"] == "ok":
                        fine.add((name, number))
                    if (name, number) not in fine:
                        rest.append((name, rule["name"], rule.get("lastError")))
            return rest

        wait_until(lambda: not failing(), timeout=100, interval=0.5, what="every rule is evaluated")
        assert failing() == []
    assert names == groups


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
        return  # test_golden shows that 0.25 refuses it, as the declared version requires
    config = tmp_path / "alertmanager.yml"
    shutil.copy(GOLDEN / case / "alertmanager" / "alertmanager.yml", config)
    with alertmanager(
        tool(suite, "prometheus-alertmanager"), config, tmp_path / "data", port=free_port()
    ) as server:
        status = get_json(f"{server.url}/api/v2/status")
    receivers = {f"name: {receiver.name}" for receiver in compiled(case).plan.routing.receivers}
    missing = [name for name in receivers if name not in status["config"]["original"]]
    assert missing == []
