"""Burn alerts of one error ratio as an SLO: objective, tiers, what its alerts carry."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from slo_compiler.decimals import plain
from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.frontend.translate import From, belonging
from slo_compiler.importing.defaults import severity_names
from slo_compiler.importing.metadata import Texts, read_annotations, read_labels, read_links, wrong
from slo_compiler.importing.model import Options
from slo_compiler.importing.rules_burns import ErrorRatio, FoundBurn
from slo_compiler.importing.rules_file import FoundRule
from slo_compiler.importing.windows import fitted, moved
from slo_compiler.schema.annotation import AlertLabels, AlertName
from slo_compiler.schema.severity import severities_of

_DIGITS = 10  # of a factor or objective: more is what floats leave
_PAGES = Duration.of(hours=6)  # the longest window that pages, if no label names a severity
_SEVERITIES = ("sloth_severity", "severity")
_OURS = {"sloth_id", "sloth_service", "sloth_slo", "slo", "service", "short", "long", "exhaustion"}
_TEXTS = Texts(
    {
        "sloth_service": "service",
        "sloth_slo": "slo",
        "sloth_severity": "severity",
        "short": "short_window",
        "long": "long_window",
    }
)
_SLOTHS = re.compile(r".*SLO error budget burn rate is (over expected|too fast)\.", re.DOTALL)


@dataclass(slots=True)
class FoundSLO:
    """An error ratio and its budget, and the burns that its alerts watch, in their order."""

    rule: FoundRule  # that comes first: an alert, or without alerts what records the ratio
    ratio: ErrorRatio
    budget: Fraction
    burns: list[FoundBurn] = field(default_factory=list)
    period: Duration | None = None  # in its rules
    report: Report = field(default_factory=Report)

    @property
    def series(self) -> dict[str, str]:
        """Labels of its recorded series; none if no rule records them."""
        own = {} if self.ratio.rule.alerts else self.ratio.rule.labels
        return {**own, **dict(self.ratio.fixed)}

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the first alert, and of its series."""
        return {**self.rule.labels, **self.series}


def objective_of(slo: FoundSLO) -> From:
    """Give the objective, less what floats add to it."""
    value = Decimal(plain(rounded(100 * (1 - slo.budget))))
    return From(value, (*slo.rule.section.loc, "expr"))


def rounded(value: Fraction, digits: int = _DIGITS) -> Decimal:
    """Round to ten digits after the point, or to fewer."""
    return Decimal(round(value * 10**digits)).scaleb(-digits)


def tiers_of(slo: FoundSLO, options: Options) -> list[tuple[dict[str, Any], FoundRule]]:
    """Give the tiers, the most urgent first, each with the alert that it is made of."""
    ranks = [level.name for level in severities_of(options.settings.spec.severities)]
    found = [(_severity(burn, slo, options), burn) for burn in slo.burns]
    found.sort(key=lambda each: (ranks.index(each[0]), each[1].long.window))
    names = [severity for severity, _ in found]
    tiers, changes = [], []
    for index, (severity, burn) in enumerate(found):
        number, count = names[:index].count(severity), names.count(severity)
        suffix = {1: "", 2: ("-fast", "-slow")[number % 2]}.get(count, f"-{number + 1}")
        windows = [burn.long.window, burn.short.window]
        near = [fitted(each, options.settings) for each in windows]
        changes += [moved(old, new) for old, new in zip(windows, near, strict=True) if old != new]
        tier: dict[str, Any] = {"name": severity + suffix, "severity": severity}
        tier |= _rate(burn, slo, exact=windows[0] == near[0])
        tier |= {"long_window": str(near[0]), "short_window": str(near[1])}
        wait = burn.rule.section.data.get("for")
        if isinstance(wait, str) and wait.strip("0smhd"):
            place = (*burn.rule.section.loc, "for")
            tier["for"] = From(wait, place, (), burn.rule.section.document)
        tiers.append((tier, burn.rule))
    if changes:
        slo.report.warning(
            slo.rule.at,
            "import-approximated",
            f"of the alerts' windows, {'; '.join(dict.fromkeys(changes))}: the rules of this "
            "project have no others. Thresholds stay",
        )
    return tiers


def _severity(burn: FoundBurn, slo: FoundSLO, options: Options) -> str:
    names = severity_names(options)
    labels = burn.rule.labels
    found = next((labels[key] for key in _SEVERITIES if key in labels), None)
    if found in names:
        return names[found]
    usual = names["critical" if burn.long.window <= _PAGES else "warning"]
    what = f"the severity {found!r} is none of the project" if found else "no label says a severity"
    text = f"{what}: an alert on {burn.long.window} is taken for {usual}"
    slo.report.warning(burn.rule.at, "import-decided", text, "correct the policy if it is another")
    return usual


def _rate(burn: FoundBurn, slo: FoundSLO, *, exact: bool) -> dict[str, Any]:
    """Give the share of a budget where the period is known and the share is a plain number."""
    if slo.period and exact:
        share = burn.factor * burn.long.window.ms / slo.period.ms * 100
        near = rounded(share, 2)
        if near and abs(share - Fraction(near)) < Fraction(1, 10**9):
            return {"budget_share": f"{plain(near)}%"}
    factor = rounded(burn.factor)
    change = abs(Fraction(factor) - burn.factor) / burn.factor
    if change > Fraction(1, 10**9):
        slo.report.warning(
            burn.rule.at,
            "import-approximated",
            f"a burn rate of {float(burn.factor):g} is {plain(factor)} ({float(change):+.2e})",
        )
    return {"burn_rate": Decimal(plain(factor))}


def metadata_of(tiers: Sequence[tuple[dict[str, Any], FoundRule]], slo: FoundSLO) -> dict[str, Any]:
    """Give the name, labels and annotations of the alerts: of all, of a severity, or of a tier."""
    links: dict[str, Any] = {}
    names = {rule.name for _, rule in tiers}
    of_rule = {id(rule): _alert(rule, slo, links) for _, rule in tiers}
    own: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for tier, rule in tiers:
        found = of_rule[id(rule)]
        if len(names) > 1:
            found = _name(rule) | found
        own.setdefault(tier["severity"], []).append((tier["name"], found))
    common = (_name(slo.rule) if len(names) == 1 else {}) | links
    for severity, each in own.items():
        first = each[0][1]
        if all(_plain(found) == _plain(first) for _, found in each):
            if first:
                common.setdefault("severities", {})[severity] = first
        else:
            common.setdefault("tiers", {}).update({name: found for name, found in each if found})
    return common


def _name(rule: FoundRule) -> dict[str, Any]:
    return {"name": rule.name} if wrong(AlertName, rule.name) is None else {}


def _plain(found: Any) -> Any:  # noqa: ANN401
    if isinstance(found, From):
        return found.data
    if isinstance(found, dict):
        return {key: _plain(value) for key, value in found.items()}
    return found


def _alert(rule: FoundRule, slo: FoundSLO, links: dict[str, Any]) -> dict[str, Any]:
    """Read what an alert carries, less what its series carry; its links go to `links`."""
    section = rule.section
    section.report = slo.report
    labels, annotations = section.part("labels"), section.part("annotations")
    labels.read |= {key for key, value in slo.series.items() if rule.labels.get(key) == value}
    labels.read |= {*_OURS, *_SEVERITIES}
    for key, value in annotations.data.items():
        if isinstance(value, str) and _SLOTHS.fullmatch(value):
            annotations.read.add(key)
    for key, value in belonging(read_links(annotations), section.document).items():
        links.setdefault(key, value)
    annotations.read |= {"runbook_url", "dashboard_url"}
    taken = {
        "labels": read_labels(labels, None, AlertLabels),
        "annotations": read_annotations(annotations, _TEXTS),
    }
    found = {key: value for key, value in taken.items() if value}
    return dict(belonging(found, section.document))
