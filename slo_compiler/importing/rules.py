"""Prometheus rules that Sloth or Pyrra generated, or that follow the SRE Workbook by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Any

from slo_compiler.diagnostics import Report
from slo_compiler.duration import Duration
from slo_compiler.frontend.translate import From, belonging
from slo_compiler.importing.defaults import settle
from slo_compiler.importing.metadata import read_labels
from slo_compiler.importing.model import Contents, Format, Imported, ImportedSLO, Options
from slo_compiler.importing.rules_burns import (
    NotUnderstoodError,
    burns_of,
    over_window,
    recorded,
)
from slo_compiler.importing.rules_file import FoundRule, read_rules
from slo_compiler.importing.rules_queries import sli_of
from slo_compiler.importing.rules_slos import (
    FoundSLO,
    metadata_of,
    objective_of,
    rounded,
    tiers_of,
)
from slo_compiler.schema.base import shown
from slo_compiler.schema.texts import SLO_NAME
from slo_compiler.source import Document

_PERIOD = Duration.of(days=30)
_DAYS, _OBJECTIVE = "slo:time_period:days", "slo:objective:ratio"
_ERRORS = "slo:sli_error:ratio_rate"
_PYRRA = re.compile(r"pyrra_\w+|.+:(?:burnrate|increase)[0-9]\w*|SLOMetricAbsent", re.ASCII)
_INCREASE = re.compile(r".+:increase([0-9]\w*)", re.ASCII)
_SLOTH = re.compile(r"slo:.+|sloth_slo_info", re.ASCII)
_ID = "sloth_id"
_NAMES = ("sloth_slo", "slo")
_SERVICES = ("sloth_service", "service")


def read(documents: Sequence[Document], options: Options, report: Report) -> Contents:
    """Read the rules of all files; each that is not understood is a finding with the reason."""
    rules = read_rules(documents, report)
    imported = Imported(str(_PERIOD))
    policies: list[dict[str, Any]] = []
    slos = [*_watched(rules), *_unwatched(rules)]
    for slo in slos:
        slo.period = _period(slo.labels, rules)
        imported.slos.append(_imported(slo, options, imported, policies))
    _mark_used(rules, slos)
    for rule in rules:
        if not rule.used:
            why = rule.why or "no alert on a burn rate reads it"
            report.warning(rule.at, "import-left-out", f"{rule.described} is not imported: {why}")
    settle(imported)
    return Contents({options.tenant: imported})


def _watched(rules: Sequence[FoundRule]) -> Iterable[FoundSLO]:
    """Join the alerts of one error ratio, budget and name."""
    records = recorded(rules)
    found: dict[tuple[object, ...], FoundSLO] = {}
    for rule in rules:
        if not rule.alerts:
            continue
        try:
            burns = burns_of(rule, records)
            for burn in burns:
                sli_of(burn.long)  # one that cannot be expressed is not understood
        except NotUnderstoodError as error:
            rule.why = str(error)
            continue
        rule.used = True
        for burn in burns:
            slo = FoundSLO(rule, burn.long, burn.budget)
            names = tuple(slo.labels.get(key) for key in (*_NAMES, *_SERVICES))
            key = (names, burn.long.shape, rounded(burn.budget))
            found.setdefault(key, slo).burns.append(burn)
    return found.values()


def _unwatched(rules: Sequence[FoundRule]) -> Iterable[FoundSLO]:
    """Give Sloth's SLOs of which no alert reads anything: both are switched off."""
    read_by = " ".join(rule.expr.whole for rule in rules if rule.alerts and rule.expr)
    ratios: dict[str, FoundRule] = {}
    for rule in rules:
        id_ = rule.labels.get(_ID)
        if id_ and rule.name.startswith(_ERRORS) and f'{_ID}="{id_}"' not in read_by:
            ratios.setdefault(id_, rule)
    for rule in rules:
        ratio, objective = ratios.get(rule.labels.get(_ID, "")), _vector(rule)
        if rule.name == _OBJECTIVE and ratio and ratio.expr and objective:
            with suppress(NotUnderstoodError):
                found = over_window(ratio, ratio.expr)
                sli_of(found)
                yield FoundSLO(ratio, found, 1 - objective)


def _period(labels: Mapping[str, str], rules: Sequence[FoundRule]) -> Duration | None:
    """Find the period among the rules that Sloth and Pyrra record of an SLO."""
    key = next((key for key in (_ID, "slo") if key in labels), None)
    for rule in rules:
        if rule.alerts or key is None or rule.labels.get(key) != labels[key]:
            continue
        if rule.name == _DAYS and (days := _vector(rule)) and days == int(days):
            return Duration.of(days=int(days))
        if match := _INCREASE.fullmatch(rule.name):
            with suppress(ValueError):
                return Duration.parse(match[1])
    return None


def _vector(rule: FoundRule) -> Fraction | None:
    inner = rule.expr.inside("vector") if rule.expr else None
    return inner.constant() if inner else None


def _imported(
    slo: FoundSLO, options: Options, imported: Imported, policies: list[dict[str, Any]]
) -> ImportedSLO:
    section, report = slo.rule.section, slo.report
    tiers = tiers_of(slo, options)
    if slo.period is None:
        text = f"no rule says the period of the budget: {_PERIOD} is taken; alerts are the same"
        report.info(slo.rule.at, "import-decided", text)
    sli = sli_of(slo.ratio)
    if "raw" in sli:
        text = "this ratio is averaged over time, each second with the same weight; the rules "
        text += "evaluate it over each window. Its thresholds stay"
        report.warning(slo.ratio.rule.at, "import-approximated", text)
    data: dict[str, Any] = {
        **_names(slo, options),
        "objective": objective_of(slo),
        "period": From(str(slo.period or _PERIOD), section.loc),
        "labels": _labels(slo, imported),
        "sli": sli,
        "alerting": metadata_of(tiers, slo) if tiers else "none",
    }
    data = {key: value for key, value in data.items() if value != {}}
    policy = _policy([tier for tier, _ in tiers], policies) if tiers else None
    return ImportedSLO(section.document, slo.rule.at, data, report, policy)


def _labels(slo: FoundSLO, imported: Imported) -> dict[str, Any]:
    """Give the labels of the recorded series, less those that are names."""
    rule = slo.ratio.rule
    if rule.alerts:
        return {}
    rule.section.report = slo.report
    labels = rule.section.part("labels")
    named = (*_NAMES, *_SERVICES)
    labels.read |= {key for key in labels.data if key.startswith("sloth_") or key in named}
    return dict(belonging(read_labels(labels, imported.owners), rule.section.document))


def _policy(tiers: list[dict[str, Any]], policies: list[dict[str, Any]]) -> dict[str, Any]:
    """Give the policy of some tiers: one that other SLOs have, or a new one."""
    for policy in policies:
        if [*map(_shown, policy["tiers"])] == [*map(_shown, tiers)]:
            return policy
    name = f"rules-{len(policies) + 1}" if policies else "rules"
    policies.append({"name": name, "tiers": tiers})
    return policies[-1]


def _shown(tier: Mapping[str, Any]) -> list[str]:
    return [str(value.data if isinstance(value, From) else value) for value in tier.values()]


def _names(slo: FoundSLO, options: Options) -> dict[str, Any]:
    """Name the SLO and its service by labels, or else by its alert and the tenant."""
    labels, at = slo.labels, slo.rule.at
    name = next((labels[key] for key in _NAMES if labels.get(key)), None)
    service = next((labels[key] for key in _SERVICES if labels.get(key)), None)
    if name is None:
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", slo.rule.name).lower()
        name = "-".join([name, *dict(slo.ratio.fixed).values()])
        text = f"no label says the SLO's name: it is called after its alert, {shown(name)}"
        slo.report.info(at, "import-decided", text, "correct `name` if it has another")
    if service is None:
        service = options.tenant
        text = f"no label says the service: it is called after the tenant, {shown(service)}"
        slo.report.info(at, "import-decided", text, "correct `service` if it has another")
    loc = slo.rule.section.loc
    return {
        key: From(_named(value, key, slo), loc)
        for key, value in (("name", name), ("service", service))
    }


def _named(value: str, key: str, slo: FoundSLO) -> str:
    if SLO_NAME.fullmatch(value):
        return value
    made = re.sub(r"[^a-zA-Z0-9]+", "-", value)[:63].strip("-") or key
    text = f"{shown(value)} is called {shown(made)}: names are letters, digits and inner hyphens"
    slo.report.warning(slo.rule.at, "import-approximated", text)
    return made


def _mark_used(rules: Sequence[FoundRule], slos: Sequence[FoundSLO]) -> None:
    """Mark what the generators record beside alerts, and the same ratios over other windows."""
    shapes = {slo.ratio.shape[0] for slo in slos}
    ids = {slo.labels.get(_ID) for slo in slos} - {None}
    names = {slo.labels.get("slo") for slo in slos} - {None}
    for rule in rules:
        if rule.used:
            continue
        if not rule.alerts and rule.expr:
            with suppress(NotUnderstoodError):
                rule.used = over_window(rule, rule.expr).shape[0] in shapes
        of_sloth = rule.labels.get(_ID) in ids and _SLOTH.fullmatch(rule.name)
        of_pyrra = rule.labels.get("slo") in names and _PYRRA.fullmatch(rule.name)
        rule.used = rule.used or bool(of_sloth or of_pyrra)


FORMAT = Format("rules", "Prometheus rules of Sloth, of Pyrra, or by hand", read)
