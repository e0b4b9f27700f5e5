"""Every metric, label, group, receiver and file name that the compiler emits."""

from __future__ import annotations

import re
from collections.abc import Iterable

from slo_compiler.duration import Duration
from slo_compiler.period import Period

# Labels that identify an SLO; every recorded series carries these and the SLI's `by` labels.
TENANT, SERVICE, SLO = "tenant", "service", "slo"
IDENTITY = (TENANT, SERVICE, SLO)

# Labels that alerts and slo_info carry beside those; users may not set them.
SEVERITY, TIER, ESCALATION, BUDGET_BELOW = "severity", "tier", "escalation", "budget_below"
EXHAUSTED_WITHIN = "exhausted_within"
LONG_WINDOW, SHORT_WINDOW = "long_window", "short_window"
PERIOD, UTC_OFFSET = "period", "utc_offset"
RESERVED_LABELS = frozenset(
    {
        *IDENTITY,
        *(SEVERITY, TIER, ESCALATION, BUDGET_BELOW, LONG_WINDOW, SHORT_WINDOW),
        *(PERIOD, UTC_OFFSET, "policy", "objective", "owner", "stage", "alertname", "window", "le"),
        *(EXHAUSTED_WITHIN, "exclusion", "formerly"),
    }
)

# Recorded series.
EVENTS_RATE, ERRORS_RATE = "slo:events:rate", "slo:errors:rate"
# Of an SLO whose budget is one of slices: the events beneath them.
SLICED_EVENTS_RATE, SLICED_ERRORS_RATE = "slo:sliced_events:rate", "slo:sliced_errors:rate"
RATES_OF_EVENTS, RATES_OF_ERRORS = (
    (EVENTS_RATE, SLICED_EVENTS_RATE),
    (ERRORS_RATE, SLICED_ERRORS_RATE),
)
OBJECTIVE, ERROR_BUDGET, INFO = "slo:objective:ratio", "slo:error_budget:ratio", "slo_info"
BUDGET_REMAINING = "slo:error_budget_remaining:ratio"
BUDGET_EXHAUSTION = "slo:error_budget_exhaustion:seconds"
BUDGET_WHOLE = "slo:error_budget_remaining:whole_ratio"
PERIOD_START, PERIOD_ELAPSED = "slo:period_start:seconds", "slo:period_elapsed:ratio"
# When an exclusion is active: once for a tenant, and copied for each SLO; and their own labels.
EXCLUSION_SCHEDULED, EXCLUSION_ACTIVE = "slo:exclusion:scheduled", "slo:exclusion:active"
EXCLUSION, AFTER = "exclusion", "after"
# Series that Sloth records, and labels by which its dashboards select them.
SLOTH_INFO, SLOTH_DAYS = "sloth_slo_info", "slo:time_period:days"
SLOTH_CURRENT_BURN, SLOTH_PERIOD_BURN = "slo:current_burn_rate:ratio", "slo:period_burn_rate:ratio"
SLOTH_REMAINING = "slo:period_error_budget_remaining:ratio"
SLOTH_ID, SLOTH_SERVICE, SLOTH_SLO = "sloth_id", "sloth_service", "sloth_slo"
SLOTH_IDENTITY = (SLOTH_ID, SLOTH_SERVICE, SLOTH_SLO)
SLOTH_WINDOW = "sloth_window"
# Series that Pyrra records.
PYRRA_OBJECTIVE, PYRRA_WINDOW = "pyrra_objective", "pyrra_window"
PYRRA_AVAILABILITY = "pyrra_availability"
PYRRA_REQUESTS, PYRRA_ERRORS = "pyrra_requests:rate5m", "pyrra_errors:rate5m"
ALONGSIDE = "@slo-compiler"  # ends the names of series beside a tool's own: no name has an @
SHADOW_ALERT = "slo:shadow_alert:error_ratio"
FORMERLY = "formerly"  # only within expressions


def suffix(span: Duration | Period) -> str:
    """Print a span as the end of a series' name: `30d`; a calendar's month is `_month`."""
    return f"_{span}" if isinstance(span, Period) and span.calendar else str(span)


def increase(counted: str, span: Duration | Period) -> str:
    """Count of `events` or `errors` over a span: `slo:events:increase30d`, or `_month`."""
    return f"slo:{counted}:increase{suffix(span)}"


def guard_count(counted: str, window: Duration, *, taken: bool) -> str:
    """Count of a window for guards: named as `increase`, unless a tile or period has that name."""
    return f"slo:{counted}:guard_increase{window}" if taken else increase(counted, window)


def error_ratio(window: Duration | Period) -> str:
    """Error ratio over a window: `slo:error_ratio:rate1h`, or a period: `rate_month`."""
    return f"slo:error_ratio:rate{suffix(window)}"


def burn_rate(window: Duration) -> str:
    """Burn rate over a window: `slo:burn_rate:ratio1h`."""
    return f"slo:burn_rate:ratio{window}"


def prometheus_span(span: Duration | Period) -> str:
    """Print a span as Prometheus' own library does, and so tools in Go: 28 days are `4w`."""
    ms = span.nominal.ms if isinstance(span, Period) else span.ms
    for unit, days in (("y", 365), ("w", 7)):
        count, rest = divmod(ms, days * 86_400_000)
        if count and not rest:
            return f"{count}{unit}"
    return str(Duration(ms))


def sloth_ratio(span: Duration | Period) -> str:
    """Error ratio as Sloth calls it: `slo:sli_error:ratio_rate5m`."""
    return f"slo:sli_error:ratio_rate{prometheus_span(span)}"


def pyrra_burn_rate(metric: str, window: Duration) -> str:
    """Error ratio as Pyrra calls it, after the metric of all events: `http_requests:burnrate5m`."""
    name = metric.removesuffix("_total").removesuffix("_count")
    return f"{name}:burnrate{prometheus_span(window)}"


def normalised(name: str) -> str:
    """Write a name of an SLO or a service as names are compared: `Check_Out` is `check-out`.

    Dashboards, links and people take such names for one another.
    """
    return name.lower().translate(_SEPARATORS)


_SEPARATORS = str.maketrans("_.", "--")

# Alerts.
ALERT_BURN = "SLOErrorBudgetBurn"
ALERT_BUDGET_LOW = "SLOErrorBudgetLow"
ALERT_EXHAUSTION = "SLOErrorBudgetExhaustion"
ALERT_NO_DATA = "SLONoData"
ALERT_VANISHED = "SLOSeriesVanished"
ALERT_INTEGRITY = "SLODataInconsistent"
ALERT_STALE = "SLORulesNotEvaluated"
ALERT_RULES_FAILING = "SLORuleGroupFailing"
ALERT_WATCHDOG = "SLOWatchdog"
ALERT_EXCLUSION_ENDS = "SLOExclusionEnds"
ALERTS = frozenset(
    {
        *(ALERT_BURN, ALERT_BUDGET_LOW, ALERT_EXHAUSTION, ALERT_NO_DATA, ALERT_VANISHED),
        *(ALERT_INTEGRITY, ALERT_STALE, ALERT_RULES_FAILING, ALERT_WATCHDOG, ALERT_EXCLUSION_ENDS),
    }
)

# Of the platform, on Mimir.
ALERT_RULES_INCOMPLETE = "SLORulesIncomplete"
ALERT_ALERTS_DROPPED = "SLOAlertsDropped"
ALERT_CONFIG_FAILING = "SLOAlertmanagerConfigFailing"
ALERT_NOTIFICATIONS_FAILING = "SLONotificationsFailing"

# The values of `service` and `slo` of alerts about a tenant's rules as a whole, so that these
# alerts have the labels by which the routing tree knows them.
RULES_SERVICE, RULES_SLO, WATCHDOG_SLO = "slo-compiler", "rules", "watchdog"
SEVERITY_HEARTBEAT = "heartbeat"


# Parts of a tenant's rules, in the order of its groups.
INFO_GROUP, BASE_GROUP, TILES_GROUP = "info", "base", "tiles"
BUDGET_GROUP, HEALTH_GROUP = "budget", "health"
GROUPS = (INFO_GROUP, BASE_GROUP, TILES_GROUP, BUDGET_GROUP, HEALTH_GROUP)


def group(tenant: str, part: str, number: int) -> str:
    """Rule group: `slo-customer-b-budget-1`."""
    return f"slo-{tenant}-{part}-{number}"


# All rule groups of all tenants, as a regular expression; the tenant is its first group.
ANY_GROUP = f"slo-(.+)-({'|'.join(GROUPS)})-[0-9]+"


def groups(tenant: str) -> str:
    """All rule groups of a tenant, as a regular expression."""
    return f"slo-{tenant}-({'|'.join(GROUPS)})-[0-9]+"


def hop(group: str, number: int) -> str:
    """Part of a rule group that is evaluated at once: `slo-customer-b-budget-1-2`."""
    return f"{group}-{number}"


def hops(tenant: str) -> str:
    """All parts of a tenant's rule groups, as a regular expression."""
    return f"{groups(tenant)}-[0-9]+"


# Alertmanager.
RECEIVER_UNROUTED = "slo-unrouted"
RECEIVER_HEARTBEAT = "slo-heartbeat"
RECEIVER_SHADOW = "slo-shadow"  # of tenants whose SLOs are all shadows: it notifies no one


def receiver(tenant: str, *parts: str) -> str:
    """Receiver of one step of a tenant's escalation: `slo/customer-b/page`."""
    return "/".join(("slo", tenant, *parts))


def time_interval(tenant: str, name: str) -> str:
    """Time interval as one tenant's routes use it: `slo/customer-b/business`."""
    return f"slo/{tenant}/{name}"


def holidays(interval: str) -> str:
    """Time interval of the days on which another does not count: `slo/acme/office/holidays`."""
    return f"{interval}/holidays"


# What each generated file begins with, but for the lock file.
MARK = "# Generated by slo-compiler"
MARK_JSON = '{\n  "description": "Generated by slo-compiler'  # which has no comments

# Files, relative to the output folder.
PROJECT_FILE = "slo-compiler.yaml"
SOURCES_FOLDER, OUTPUT_FOLDER = "tenants/", "generated/"  # where the project names no others
RULES_FOLDER = "prometheus/rules"
THANOS_FOLDER = "thanos/rules"
OPERATOR_FOLDER = "operator"
GRAFANA_FOLDER = "grafana"
OPERATOR_SECRET_FILE = f"{OPERATOR_FOLDER}/alertmanager-secret.yaml"
MIMIR_FOLDER = "mimir"
VICTORIAMETRICS_FOLDER = "victoriametrics/rules"
VICTORIAMETRICS_TESTS_FOLDER = "victoriametrics/tests"
VMALERT_FILE = "victoriametrics/vmalert.env"
# Whatever is in them is loaded by a server, ours or not.
LOADED_FOLDERS = (
    RULES_FOLDER,
    THANOS_FOLDER,
    VICTORIAMETRICS_FOLDER,
    f"{MIMIR_FOLDER}/*/rules",
)
_FILE_OF_RULES = re.compile(
    rf"(?:(?:{'|'.join(LOADED_FOLDERS).replace('*', '[^/]+')})/|{OPERATOR_FOLDER}/slo-)"
    r"([a-z0-9-]+)\.ya?ml"
)
TESTS_FOLDER = "prometheus/tests"
ALERTMANAGER_FILE = "alertmanager/alertmanager.yml"
ROUTES_FILE = "alertmanager/routes.yml"
TEMPLATES_FILE = "alertmanager/slo.tmpl"
LOCK_FILE = "slo-compiler.lock.json"


def rules_file(tenant: str) -> str:
    """Rules of one tenant."""
    return f"prometheus/rules/{tenant}.yml"


def mimir_rules_file(org: str, tenant: str) -> str:
    """Rules of one tenant, in the organisation that has its data."""
    return f"{MIMIR_FOLDER}/{org}/rules/{tenant}.yaml"


def mimir_alertmanager_file(org: str) -> str:
    """Configuration of an organisation's Alertmanager."""
    return f"{MIMIR_FOLDER}/{org}/alertmanager.yaml"


def mimir_meta_file(org: str) -> str:
    """Rules of the platform on Mimir itself; a name that no tenant can have."""
    return f"{MIMIR_FOLDER}/{org}/rules/_meta.yaml"


def namespace(tenant: str) -> str:
    """Namespace of a tenant's rules in its organisation."""
    return f"slo-{tenant}"


def tenant_of(path: str) -> str | None:
    """Name the tenant of a file of rules; None if it is none, or not the first of the tenant."""
    found = _FILE_OF_RULES.fullmatch(path)
    return found[1] if found else None


def unit_test_file(tenant: str, evaluation: Duration) -> str:
    """Unit tests of one tenant's rules, for promtool, that are evaluated at one interval."""
    return f"prometheus/tests/{tenant}_{evaluation}.yml"


def isolation_test_file(number: int) -> str:
    """Unit tests that load the rules of all tenants."""
    return f"prometheus/tests/_isolation_{number}.yml"


def budget_tier(percent: str) -> str:
    """Tier of the alert on a low budget: `budget-10`; 2.5 % is `budget-2-5`."""
    return f"budget-{percent.replace('.', '-')}"


def exhaustion_tier(span: Duration) -> str:
    """Tier of the alert on a budget that is soon spent: `exhaustion-4h`."""
    return f"exhaustion-{span}"


def vanished_tier(by: Iterable[str], within: Duration) -> str:
    """Tier of the alert on values that vanish, one for each kind: `vanished-region-1d`."""
    return "-".join(("vanished", *by, str(within)))


# What the receivers of a tenant's steps begin with, beside its severities.
STEP_PREFIXES = ("budget-", "exhaustion-")
WAIT_PREFIX = "after-"  # of a receiver's second part: `slo/acme/page/after-15m`, or its hours
