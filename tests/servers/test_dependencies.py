"""While an SLO pages, those of the SLOs that depend on it wait; shown on real Alertmanagers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from alertmanagers import Real, every_version, running
from cases import compile_whole, compiled, proofs_of, tool
from demo.servers import wait_until
from demo.sink import Sink

from slo_compiler import naming, pipeline
from slo_compiler.diagnostics import Report
from slo_compiler.lint import dependency_muted
from slo_compiler.lint.base import Context
from slo_compiler.plan.routing_ir import Pairs
from slo_compiler.proofs import run as prove
from slo_compiler.resolve.dependencies import check_dependencies
from slo_compiler.source import SourceFile

GROUP_INTERVAL_MS = 500
PATIENCE_SECONDS = 20


def burning(tenant: str, service: str, tier: str = "page-fast", level: str = "") -> Pairs:
    """Give the labels of a burn alert, as the plan has them."""
    wanted = {"tenant": tenant, "service": service, "tier": tier}
    for route in proofs_of(compiled("dependencies")).routes:
        labels = dict(route.labels)
        if wanted.items() <= labels.items() and labels.get(naming.ESCALATION, "") == level:
            return route.labels
    raise LookupError(wanted)


INGRESS, INGRESS_SLOW = burning("platform", "ingress"), burning("platform", "ingress", "page-slow")
CHECKOUT = burning("shop", "checkout")


@dataclass(frozen=True, slots=True)
class Stage:
    """The compiled dependencies on a real server, and the notifications of its receivers."""

    real: Real
    sink: Sink

    def states_of(self, name: str) -> list[str]:
        """Return the states that a channel was notified of, in order."""
        return [n.status for n in self.sink.notifications if n.destination == name]

    def await_states(self, name: str, *states: str) -> None:
        """Wait until a channel was notified of these."""
        wait_until(
            lambda: self.states_of(name) == [*states], PATIENCE_SECONDS, what=f"{name}: {states}"
        )

    def await_waiting(self, labels: Pairs) -> None:
        """Wait until an alert is inhibited."""

        def inhibited() -> bool:
            return bool(self.real.alerts()[tuple(sorted(labels))]["status"]["inhibitedBy"])

        wait_until(inhibited, PATIENCE_SECONDS, what="the inhibition")

    def settle(self) -> None:
        """Give the server the time for what it should not send: several rounds of its groups."""
        time.sleep(4 * GROUP_INTERVAL_MS / 1000)


@contextmanager
def stage(suite: str, folder: Path) -> Iterator[Stage]:
    (text,) = (
        a.text for a in compiled("dependencies").artefacts if a.path == naming.ALERTMANAGER_FILE
    )
    text = text.replace("group_wait: 30s", "group_wait: 200ms")
    text = text.replace("group_interval: 5m", f"group_interval: {GROUP_INTERVAL_MS}ms")
    with Sink() as sink, running(suite, folder) as real:
        address = f"http://127.0.0.1:{sink.http_port}/webhook/"
        real.load(text.replace("http://hooks.internal/", address))
        yield Stage(real, sink)


@every_version
def test_a_page_waits_while_what_it_depends_on_pages_and_is_sent_if_it_outlives_that(
    suite: str, tmp_path: Path
) -> None:
    with stage(suite, tmp_path) as on:
        on.real.fire([INGRESS, INGRESS_SLOW])
        on.await_states("platform", "firing")
        on.real.fire([CHECKOUT])
        on.await_waiting(CHECKOUT)
        # The slower page alone keeps it waiting as well, whichever of the two resolves.
        on.real.resolve([INGRESS])
        on.settle()
        on.await_waiting(CHECKOUT)
        assert on.states_of("shop") == []
        on.real.resolve([INGRESS_SLOW])
        on.await_states("shop", "firing")
        on.real.resolve([CHECKOUT])
        on.await_states("shop", "firing", "resolved")


@pytest.mark.parametrize("suite", ["bookworm", "forky"])
def test_what_resolves_while_it_waits_is_not_notified_and_is_no_news_when_it_fires_again(
    suite: str, tmp_path: Path
) -> None:
    """An orphaned page: its incident stays open, as docs/policies.md describes."""
    with stage(suite, tmp_path) as on:
        on.real.fire([CHECKOUT])
        on.await_states("shop", "firing")
        on.real.fire([INGRESS])
        on.await_states("platform", "firing")
        on.await_waiting(CHECKOUT)
        on.real.resolve([CHECKOUT])
        on.settle()
        on.real.resolve([INGRESS])
        on.await_states("platform", "firing", "resolved")
        on.settle()
        assert on.states_of("shop") == ["firing"]
        # To Alertmanager that page still fires: the same again is no news before repeat_interval.
        on.real.fire([CHECKOUT])
        on.settle()
        assert on.states_of("shop") == ["firing"]
        # But its end is notified, as nothing else pages now, and closes the incident of both.
        on.real.resolve([CHECKOUT])
        on.await_states("shop", "firing", "resolved")
        on.real.fire([CHECKOUT])
        on.await_states("shop", "firing", "resolved", "firing")


@every_version
def test_only_pages_about_errors_wait_and_only_for_those(suite: str, tmp_path: Path) -> None:
    def of(alertname: str, tenant: str, service: str) -> Pairs:
        wanted = {"alertname": alertname, "tenant": tenant, "service": service}
        routes = proofs_of(compiled("dependencies")).routes
        return next(r.labels for r in routes if wanted.items() <= dict(r.labels).items())

    no_data = of(naming.ALERT_NO_DATA, "platform", "ingress")
    own_no_data = of(naming.ALERT_NO_DATA, "shop", "checkout")
    ticket, lead = (
        burning("shop", "checkout", "ticket-fast"),
        burning("shop", "checkout", level="2"),
    )
    with stage(suite, tmp_path) as on:
        firing = [INGRESS, CHECKOUT, lead, own_no_data, burning("shop", "payment")]
        on.real.fire(firing)
        on.await_waiting(CHECKOUT)
        on.await_waiting(lead)
        on.await_waiting(burning("shop", "payment"))
        on.await_states("shop", "firing")
        (states_of,) = (n for n in on.sink.notifications if n.destination == "shop")
        assert [a["labels"]["alertname"] for a in states_of.payload["alerts"]] == [
            naming.ALERT_NO_DATA
        ]
        on.real.resolve(firing)
        on.settle()
        on.real.fire([no_data, ticket, CHECKOUT])
        wait_until(lambda: on.states_of("shop")[-1] == "firing", PATIENCE_SECONDS, what="the page")
        found = on.real.alerts()
        assert found[tuple(sorted(CHECKOUT))]["status"]["inhibitedBy"] == []


@every_version
def test_of_a_dependency_with_by_labels_0_30_to_0_34_0_remember_one_series(
    suite: str, tmp_path: Path
) -> None:
    """The bound in docs/policies.md."""
    with stage(suite, tmp_path) as on:
        east, west = ((*INGRESS, ("region", region)) for region in ("east", "west"))
        for labels in (east, west):  # one after the other
            on.real.fire([labels])
            on.settle()
        on.real.fire([CHECKOUT])
        on.await_waiting(CHECKOUT)
        on.real.resolve([west])
        forgets = (0, 30) <= on.real.version < (0, 34, 1)
        if forgets:
            on.await_states("shop", "firing")
        on.settle()
        assert on.states_of("shop") == (["firing"] if forgets else [])


FIVE = """\
apiVersion: slo-compiler/v1
kind: Tenant
metadata: {{name: {name}, owner: sre}}
spec:
  channels: [{{name: chat, webhook: {{url: "http://hooks.internal/"}}}}]
  escalation: [{{severity: page, notify: [chat]}}, {{severity: ticket, notify: [chat]}}]
  slos:
    - name: availability
      service: web
      objective: 99.9
      depends_on: [{on}]
      sli: {{ratio: {{errors: e_total, total: t_total}}}}
"""


def test_a_tenant_that_waits_without_declaring_it_fails_the_proof(tmp_path: Path) -> None:
    """Of five tenants a depends on z; by hand c, which is no neighbour, is made to wait as well."""
    text = "---\n".join(
        FIVE.format(name=name, on="z/web/availability" if name == "a" else "") for name in "abcdz"
    )
    report = Report()
    source = SourceFile("t.yaml", "t.yaml", text.encode())
    settings = pipeline.read_project(None, report)
    done = compile_whole(settings, [source], report)
    files = {a.path: a.text for a in done.artefacts}
    config, routes = tmp_path / "alertmanager.yml", tmp_path / "routes.yml"
    routes.write_text(files[naming.ROUTES_FILE], encoding="utf-8")

    def failures(text: str) -> list[str]:
        config.write_text(text, encoding="utf-8")
        jobs = [job() for job in prove.route_jobs(tool("forky", "amtool"), config, routes)]
        notes.update({job.name: job.note for job in jobs})
        return [failure.message for job in jobs for failure in job.failures]

    notes: dict[str, str] = {}
    good = files[naming.ALERTMANAGER_FILE]
    assert failures(good) == []
    assert notes["isolation"] == (
        "routes: 50 alerts x 5 tenants checked, 0 crossings; "
        "2 alerts wait for another tenant's, as depends_on says"
    )
    last = good.index("- source_matchers: ['alertname=")
    assert 'tenant="a"' in good[last:]
    broken = good + good[last:].replace('tenant="a"', 'tenant="c"')
    states_of = failures(broken)
    assert len(states_of) == 4  # by two windows' pages, two windows' pages
    assert all(
        "tenant=z" in line and "inhibits" in line and "tenant=c" in line for line in states_of
    )


def test_an_slo_in_stage_shadow_is_nothing_to_wait_for() -> None:
    tenants = compiled("dependencies").tenants
    platform, shop = tenants
    (ingress,) = platform.slos
    shadow = replace(ingress, spec=ingress.spec.model_copy(update={"stage": "shadow"}))
    declared = [(t.name, s.spec.service, s.spec.name) for t in tenants for s in t.slos]
    report = Report()
    check_dependencies(
        (replace(platform, slos=(shadow,)), shop), declared, report, incomplete=False
    )
    shown = [(d.position.line, d.id, d.message) for d in report.diagnostics]
    message = (
        "platform/ingress/availability is in stage shadow: it pages nobody, and nobody would be "
        "paged for this SLO"
    )
    assert shown == [(line, "dependency", message) for line in (33, 38)]


def test_a_dependency_whose_pages_notify_no_one_at_some_hours_is_a_warning() -> None:
    done = compiled("dependencies")
    platform, shop = done.tenants
    page, _ticket = platform.steps
    hours = next(step.hours for step in shop.steps if step.hours)
    office = replace(platform, steps=(replace(page, hours=hours),))
    for tenants, lines in (((platform, shop), []), ((office, shop), [33, 38])):
        context = Context(done.settings.spec, None, tenants, tenants)
        found = [f for tenant in tenants for f in dependency_muted.check(tenant, context)]
        assert [finding.position.line for finding in found] == lines
        for finding in found:
            assert finding.message == (
                "at some hours pages of platform reach nobody, but keep back those of this SLO all "
                "the same"
            )
