"""What the check of the platform's inhibitions is about, on real Alertmanagers."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from alertmanagers import alert, every_version, running
from demo.servers import wait_until

from slo_compiler.routing import Config, inhibited_by

BASE = """\
route: {receiver: r}
receivers: [{name: r}]
inhibit_rules:
- source_matchers: ['severity="page"']
  target_matchers: ['severity="ticket"'MORE]
  equal: [alertname, namespace]
"""
PAGE = alert(alertname="SLOErrorBudgetBurn", severity="page", slo="ok", tenant="a")
TICKET = alert(alertname="SLOErrorBudgetBurn", severity="ticket", slo="ok", tenant="b")


@pytest.mark.parametrize("more", ["", ", 'slo=\"\"'"])
@every_version
def test_alertmanager_common_inhibition_of_a_base_silences_others_without_the_matcher(
    suite: str, tmp_path: Path, more: str
) -> None:
    text, inhibits = BASE.replace("MORE", more), not more
    with running(suite, tmp_path) as real:
        real.load(text)
        real.fire([PAGE])
        time.sleep(0.2)
        real.fire([TICKET])
        wanted = tuple(sorted(TICKET))
        wait_until(lambda: wanted in real.alerts(), 10, what="the ticket")
        wait_until(
            lambda: bool(real.alerts()[wanted]["status"]["inhibitedBy"]) == inhibits, 10, what=more
        )
    assert (inhibited_by(Config.load(text), TICKET, [PAGE, TICKET]) is not None) == inhibits
