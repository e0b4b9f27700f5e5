"""A small, exact model of Alertmanager's routing, inhibition and time intervals.

It decides what amtool cannot: whether an alert is inhibited while others fire, whether its route is
active at a given time, and who is notified in the end. Everything is a pure function of the
configuration's text, so thousands of alerts are decided in a second, without a server.

tests/servers/test_routing_model.py compares it with real Alertmanagers of three versions, over
random configurations. What versions do differently:

- Matchers that only the UTF-8 parser reads load from 0.27 on; older versions refuse the file.
- From 0.30 to 0.34.0 an inhibit rule remembers one source for each value of its `equal` labels, the
  one that arrived last (alertmanager #5162); see `one_source` of `inhibitors`.
- Up to 0.34 a month in which clocks go forward counts a day less where an interval has a location
  and negative days_of_month (alertmanager #5447); the model goes by the calendar.

Silences and grouping are not modelled: who is notified, not when and in which message.
"""

from slo_compiler.routing.config import Config, InhibitRule, RouteNode, read_inhibit_rules
from slo_compiler.routing.decide import (
    RouteMatch,
    inhibited_by,
    inhibitors,
    is_active,
    notified,
    routes_for,
)
from slo_compiler.routing.intervals import TimeInterval
from slo_compiler.routing.matchers import AlertMatcher, ConfigError, parse_matchers

__all__ = [
    "AlertMatcher",
    "Config",
    "ConfigError",
    "InhibitRule",
    "RouteMatch",
    "RouteNode",
    "TimeInterval",
    "inhibited_by",
    "inhibitors",
    "is_active",
    "notified",
    "parse_matchers",
    "read_inhibit_rules",
    "routes_for",
]
