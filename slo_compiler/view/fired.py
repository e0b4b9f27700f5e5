"""Why an alert fired: its own evidence, and the rule that its manifest made."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slo_compiler import naming
from slo_compiler.report import printable, table
from slo_compiler.view.explain import Explanation, TierFacts

_VERSION = re.compile(r"(?P<file>\S.*?) sha256:(?P<digest>[0-9a-f]{12})(?:, |$)")
_LABEL = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"')
_LABELS = re.compile(rf"\{{?\s*{_LABEL.pattern}(?:\s*,\s*{_LABEL.pattern})*\s*,?\s*\}}?")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)")
_NEVER = "0001-01-01"  # when an alert ends that has not ended


@dataclass(frozen=True, slots=True)
class FiredAlert:
    """An alert as Prometheus, Alertmanager or a webhook gives it; labels alone are enough."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    began: str = ""
    ended: str = ""

    @property
    def slo(self) -> str:
        """TENANT/SERVICE/SLO, as in explain."""
        return "/".join(self.labels[label] for label in naming.IDENTITY)

    @property
    def versions(self) -> dict[str, str]:
        """The files that its rule was made of, and the begin of the digest of each."""
        found = _VERSION.finditer(self.annotations.get("manifest", ""))
        return {match["file"]: match["digest"] for match in found}


def read_alerts(text: str) -> list[FiredAlert]:
    """Read alerts: labels as `{a="b"}`, or JSON of Alertmanager, of a webhook or of Prometheus.

    Raises:
        ValueError: it has no alert of an SLO; the message says what is missing.
    """
    found = [*_alerts(_parsed(text))]
    if not found:
        raise ValueError(
            'there is no alert in it: expected JSON with "labels", or labels such as '
            '{tenant="a", service="b", slo="c", tier="page-fast"}'
        )
    for each in found:
        missing = [label for label in naming.IDENTITY if not each.labels.get(label)]
        if missing:
            name = each.labels.get("alertname", "an alert")
            raise ValueError(f"{name} has no label {missing[0]}: it is no alert of an SLO")
    return found


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        if not _LABELS.fullmatch(text.strip()):
            return None
        labels = {name: re.sub(r"\\(.)", r"\1", value) for name, value in _LABEL.findall(text)}
        return {"labels": labels}


def _alerts(value: object) -> Iterator[FiredAlert]:
    """Find the alerts in JSON of any of the known shapes."""
    if isinstance(value, list):
        for each in value:
            if isinstance(each, dict) and "labels" in each:
                yield from _alerts(each)
        return
    if not isinstance(value, dict):
        return
    for key in ("alerts", "data"):
        if isinstance(value.get(key), list | dict):
            yield from _alerts(value[key])
            return
    if isinstance(value.get("labels"), dict):
        ended = _moment(value.get("endsAt"))
        yield FiredAlert(
            _texts(value["labels"]),
            _texts(value.get("annotations")),
            _moment(value.get("startsAt") or value.get("activeAt")),
            # Alertmanager gives the time at which an alert would end if it were not sent again.
            ended if value.get("status") == "resolved" else "",
        )


def _texts(value: Any) -> dict[str, str]:  # noqa: ANN401  (JSON)
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, dict) else {}


def _moment(value: object) -> str:
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None or found[1] == _NEVER:
        return ""
    return f"{found[1]} {found[2]} {'UTC' if found[3] == 'Z' else found[3]}"


def facts(alert: FiredAlert, slo: Explanation | None, version: str) -> dict[str, str]:
    """Give what is known of an alert, in the order in which it is read.

    Args:
        alert: what fired.
        slo: its SLO, as the alert's own manifest has it; None if there is no such SLO.
        version: which state of the manifests that is.
    """
    notes = alert.annotations
    tier = next((t for t in slo.tiers if t.tier == alert.labels.get("tier")), None) if slo else None
    return {
        key: value
        for key, value in {
            "rule": _rule(tier, slo) if tier and slo else notes.get("summary", ""),
            "measured": _measured(alert, tier),
            "budget": _budget(notes),
            "promised": notes.get("description", "").removeprefix("Promised: ")
            or notes.get("objective", ""),
            "manifest": f"{slo.at if slo else 'no such SLO'}, {version}",
            "notified": _notified(alert, slo) if slo else "",
            "runbook": notes.get("runbook_url", ""),
        }.items()
        if value
    }


def as_text(alert: FiredAlert, found: Mapping[str, str]) -> Iterator[str]:
    """Give the lines for a person."""
    labels = alert.labels
    what = f"{labels.get('tier', labels.get('alertname', ''))} ({labels.get('severity', '-')})"
    more = [
        f'{name}="{value}"'
        for name, value in sorted(labels.items())
        if name not in naming.RESERVED_LABELS
    ]
    began = f"  since {alert.began}" if alert.began else ""
    ended = f"  until {alert.ended}" if alert.ended else ""
    yield printable(f"{alert.slo}  {what}{began}{ended}")
    if more:
        yield printable(f"  {', '.join(more)}")
    yield from (f"  {line}" for line in table(found.items()))


def _rule(tier: TierFacts, slo: Explanation) -> str:
    guard = f", with at least {tier.guard}" if tier.guard.strip("-") else ""
    return (
        f"error ratio above {tier.threshold} over {tier.long_window} and {tier.short_window}"
        f"{guard}: "
        f"burn rate {tier.burn_rate} x budget {slo.budget_ratio}, "
        f"or {tier.budget_share} of the budget in {tier.long_window}"
    )


def _measured(alert: FiredAlert, tier: TierFacts | None) -> str:
    ratio, rate = (alert.annotations.get(key, "") for key in ("error_ratio", "burn_rate"))
    window = alert.labels.get("long_window", tier.long_window if tier else "")
    if not ratio:
        return ""
    return f"{ratio} of events failed over {window}" + (f": burn rate {rate}" if rate else "")


def _budget(notes: Mapping[str, str]) -> str:
    left, until = notes.get("budget_remaining", ""), notes.get("time_to_exhaustion", "")
    return (
        f"{left} was left" + (f"; at this pace it is spent in {until}" * bool(until))
        if left
        else ""
    )


def _notified(alert: FiredAlert, slo: Explanation) -> str:
    """Name the channels of the alert's tier; of a step that waits, those of that step."""
    waits = bool(alert.labels.get("escalation"))
    lines = []
    for audience in slo.notified:
        for name in audience.alerts:
            tier, _, after = name.partition(" after ")
            if tier == alert.labels.get("tier") and bool(after) == waits:
                who = ", ".join(audience.channels) or "no channel"
                hours = f" ({audience.hours})" if audience.hours else ""
                lines.append(f"{who}{hours}" + (f" after {after}" if after else ""))
    return "; ".join(dict.fromkeys(lines)) or "no channel"
