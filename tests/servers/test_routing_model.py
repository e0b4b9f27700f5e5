"""The routing model decides as real Alertmanagers do.

Whatever can be tried on a real server is: random configurations, matchers of every syntax, time
intervals around now. All of it is drawn from fixed seeds, so a failure can be repeated. What the
model does by itself is in tests/unit/test_routing.py and test_routing_intervals.py.
"""

from __future__ import annotations

import json
import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from alertmanagers import Real, alert, every_version, running
from cases import CASES, ROOT, tool
from demo.servers import wait_until
from routing_model import SOURCE, TARGET, UNREADABLE, expected_routes, golden_text

from slo_compiler.plan.routing_ir import Pairs
from slo_compiler.routing import (
    Config,
    ConfigError,
    TimeInterval,
    inhibitors,
    is_active,
    notified,
    routes_for,
)

CONFIGS, ALERTS = 150, 14


def names(found: Any) -> list[str]:  # noqa: ANN401 - JSON is any
    return [receiver["name"] for receiver in found["receivers"]]


VALUES = ["", "x", "y", "xy"]
PATTERNS = [
    *("x|y", "x.*", ".+", "", ".*", "x?y?", "[xy]{2}", "(?i)X", "(x|y)y$", "^x", r"\w", "[^x]*"),
]
# A server learns of alerts one after the other, but after a reload of those it has in any order:
# when the first of these pairs inhibits it has done with that, when the second does, with the rest.
SIGNALS = [[alert(last=side, phase=phase) for side in ("target", "source")] for phase in "12"]
SIGNAL_RULE = {
    "source_match": {"last": "source"},
    "target_match": {"last": "target"},
    "equal": ["phase"],
}


class Draw:
    """Random parts of configurations, over few labels and values, so that they collide."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - repeatable

    def matchers(self, side: str, most: int) -> dict[str, object]:
        texts, equal, regex = [], {}, {}
        for _ in range(self.random.randint(0, most)):
            name, value = self.random.choice("abc"), self.random.choice(VALUES)
            pattern = self.random.choice(PATTERNS)
            operator = self.random.choice(["=", "=", "!=", "=~", "=~", "!~"])
            match self.random.randint(0, 3):
                case 0:
                    equal[name] = value
                case 1:
                    regex[name] = pattern
                case quoted:
                    text = pattern if "~" in operator else value
                    text = text.replace("\\", "\\\\")
                    texts.append(
                        f'{name}{operator}"{text}"' if quoted == 2 else f"{name}{operator}{text}"
                    )
        return {
            f"{side}matchers": texts,
            f"{side}match": equal,
            f"{side}match_re": regex,
        }

    def route(self, depth: int) -> dict[str, object]:
        route = self.matchers("", 2) if depth else {}
        if not depth or self.random.random() < 0.6:
            route["receiver"] = f"r{self.random.randint(0, 9)}"
        if depth and self.random.random() < 0.4:
            route["continue"] = True
        if depth < 3:
            children = self.random.choice([0, 1, 2, 3] if depth else [3, 3, 15])
            route["routes"] = [self.route(depth + 1) for _ in range(children)]
        return route

    def inhibit_rule(self) -> dict[str, object]:
        equal = self.random.sample("abc", self.random.randint(0, 2))
        return {**self.matchers("source_", 2), **self.matchers("target_", 2), "equal": equal}

    def config(self) -> str:
        rules = [self.inhibit_rule() for _ in range(self.random.randint(0, 4))]
        return json.dumps(
            {
                "route": self.route(0),
                "receivers": [{"name": f"r{n}"} for n in range(10)],
                "inhibit_rules": [SIGNAL_RULE, *rules],
            }
        )

    def alerts(self) -> list[Pairs]:
        found: dict[Pairs, None] = {}
        while len(found) < ALERTS:
            labels = {name: self.random.choice(VALUES) for name in "abc"}
            labels["n"] = self.random.choice("12")
            found[tuple((name, value) for name, value in labels.items() if value)] = None
        return list(found)


@every_version
def test_receivers_and_inhibition_are_those_of_a_real_server(suite: str, tmp_path: Path) -> None:
    inhibited, several, hidden = 0, 0, 0
    with running(suite, tmp_path) as real:
        one_source = (0, 30) <= real.version < (0, 34, 1)
        for seed in range(CONFIGS):
            draw = Draw(seed)
            text = draw.config()
            model, firing = Config.load(text), [*SIGNALS[0], *draw.alerts(), *SIGNALS[1]]
            found = decided(real, text, firing)
            ids = {item["fingerprint"]: labels for labels, item in found.items()}
            assert {*found} == {*firing}
            for labels, item in found.items():
                expected = [match.receiver for match in routes_for(model, labels)]
                assert names(item) == expected, (seed, labels)
                sources = inhibitors(model, labels, firing, one_source=one_source)
                by = [ids[source] for source in item["status"]["inhibitedBy"]]
                assert bool(by) == bool(sources), (seed, labels, by, sources)
                assert {*by} <= {*sources}, (seed, labels, by, sources)
                inhibited, several = inhibited + bool(by), several + (len(expected) > 1)
                hidden += bool(sources) != bool(inhibitors(model, labels, firing))
            groups = {(a, m.receiver) for a in firing for m in routes_for(model, a)}
            wait_until(partial(has_groups, real, groups), 30, 0.002, f"the groups of {seed}")
            real.resolve(firing)
    # The draw is worth something: it has what it is meant to have.
    assert inhibited > CONFIGS
    assert several > CONFIGS
    assert (hidden > 0) == one_source


def has_groups(real: Real, expected: set[tuple[Pairs, str]]) -> bool:
    return real.grouped() == expected


def decided(real: Real, text: str, firing: Sequence[Pairs]) -> dict[Pairs, Any]:
    """What a server reports of alerts, once it knows a configuration and all of them."""
    real.load(text)
    for alerts, (target, source) in zip((firing[:2], firing[2:]), SIGNALS, strict=True):
        real.fire(alerts)
        wait_until(partial(inhibits, real, target, source), 30, 0.002, "a signal")
    return real.alerts()


def inhibits(real: Real, target: Pairs, source: Pairs) -> bool:
    found = real.alerts()
    by: list[str] = found[target]["status"]["inhibitedBy"]
    return by == [found[source]["fingerprint"]]


MATCHERS = [
    *(f"a{op}{text}" for op in ("=", "!=") for text in ("", "x", '""', '"x,y"', "`x`", "{x")),
    *(f"a=~{text}" for text in ("x|y", '"x|y"', "x.+", '"(?i)X.*"', r"\\d+", r'"\\d+"', "[xy]")),
    *(f"a!~{text}" for text in ("x|y", '"x.*"', '""', '".+"', "~~", '"x{2}|[^xy]*"', r'"\\W+"')),
    *(r'a="x\ty"', r"a=x\n", r'a="\""', r"a=\"", r'a="\\"', "a=\\", "{a=x}", "a=x}}", "a==", "a=é"),
    *('{a="x", a!=y}', ' a = "x" , ', r'a="x\,y"', 'a="x"\n', "a= x y", r'a="\x41"', "a='x'"),
]
UTF8_MATCHERS = [
    *('"a"=x', '"a"="x"', "é=~é", '"a b"=c', '{"a"=x, "a b"!=c}', r'"a"="\x41"', r'"a"="\u00e9"'),
    *(r'"a"="x\ty"', '"a"="x,y"', '"a"=~"x|y",', r'"a"=~"\\d+"', r'"a"="\101"', r'"a b"="\""'),
]


@every_version
def test_matchers_are_read_as_a_real_server_does(suite: str, tmp_path: Path) -> None:
    with running(suite, tmp_path) as real:
        utf8 = real.version >= (0, 27)
        texts = MATCHERS + UTF8_MATCHERS * utf8
        values = [
            "x",
            "y",
            "xy",
            "x,y",
            "`x`",
            "{x",
            "12",
            "x\ty",
            r"x\ty",
            "x\n",
            '"',
            "\\",
            "}",
            "x}",
        ]
        values += [
            "=",
            "é",
            "xx",
            "--",
            "x y",
            "X",
            r"x\,y",
            "A",
            r"\x41",
            "'x'",
            "É",
            "\u0661",
            "z",
        ]
        firing = [alert(n="0"), *(alert(a=value) for value in values), alert(a="x", b="y")]
        if utf8:
            firing += [(("a b", "c"),), (("é", "é"),), (("a b", '"'),)]
        routes = [
            {"matchers": [text], "receiver": f"r{number}", "continue": True}
            for number, text in enumerate(texts)
        ]
        routes_re = [
            {"match_re": {"a": pattern}, "receiver": f"p{number}", "continue": True}
            for number, pattern in enumerate(PATTERNS)
        ]
        text = json.dumps(
            {
                "route": {"receiver": "root", "routes": routes + routes_re},
                "receivers": [
                    {"name": "root"},
                    *({"name": r["receiver"]} for r in routes + routes_re),
                ],
            }
        )
        model = Config.load(text)
        real.load(text)
        real.fire(firing)
        found = real.alerts()
        assert {*found} == {*firing}
        for labels, item in found.items():
            by_model = [match.receiver for match in routes_for(model, labels)]
            assert names(item) == by_model, labels
    taken = {name for item in found.values() for name in names(item)}
    assert len(taken) > len(texts)  # nearly every matcher takes something


@every_version
def test_matchers_that_the_model_refuses_a_real_server_refuses(suite: str, tmp_path: Path) -> None:
    with running(suite, tmp_path) as real:
        for text in UNREADABLE:
            routes = [{"matchers": [text]}]
            broken = {"route": {"receiver": "r", "routes": routes}, "receivers": [{"name": "r"}]}
            with pytest.raises(HTTPError) as caught:
                real.load(json.dumps(broken))
            caught.value.close()
            assert caught.value.code == 500, text


ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/St_Johns",
    "Asia/Kolkata",
    "Pacific/Kiritimati",
    "Etc/GMT+12",
]
DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]


def drawn_interval(draw: random.Random, now: datetime) -> dict[str, object]:
    """An interval that changes at no moment near now, and is active now about as often as not."""

    def span(low: int, high: int, text: Callable[[int], str] = str) -> str:
        begin, end = sorted(draw.choices(range(low, high + 1), k=2))
        return text(begin) if begin == end else f"{text(begin)}:{text(end)}"

    while True:
        fields: dict[str, object] = {"location": draw.choice(ZONES)}
        for field in draw.sample(["times", "weekdays", "days_of_month", "months", "years"], 2):
            match field:
                case "times":
                    start, end = sorted(draw.sample(range(25), 2))
                    times = {"start_time": f"{start:02}:00", "end_time": f"{end:02}:00"}
                    fields[field] = [times]
                case "weekdays":
                    fields[field] = [span(0, 6, DAYS.__getitem__), draw.choice(DAYS)]
                case "days_of_month":
                    fields[field] = [draw.choice([span(1, 31), span(-31, -1), "1:-1", "-3:-1"])]
                case "months":
                    fields[field] = [span(1, 12)]
                case _:
                    fields[field] = [span(now.year - 2, now.year + 2)] * draw.randint(0, 2)
        try:
            interval = TimeInterval.read(fields)
        except ConfigError:  # a range of days that no month has
            continue
        around = [now + timedelta(minutes=minutes) for minutes in (-2, 0, 2)]
        if len({interval.contains(at) for at in around}) == 1:
            return fields


class Server(ThreadingHTTPServer):
    request_queue_size = 1024  # they all come at once


class Hooks:
    """Receives webhooks on loopback, and notes who was notified of which alert."""

    def __init__(self) -> None:
        self.received: set[tuple[Pairs, str]] = set()

    @contextmanager
    def listening(self) -> Iterator[str]:
        received = self.received

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for item in body["alerts"]:
                    received.add((tuple(sorted(item["labels"].items())), self.path.strip("/")))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = Server(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@every_version
def test_notifications_go_to_whom_the_model_predicts_at_this_hour(
    suite: str, tmp_path: Path
) -> None:
    draw = random.Random(25)  # noqa: S311 - repeatable
    now = datetime.now(UTC)
    hooks = Hooks()
    count = 120
    intervals = [
        {"name": f"t{number}", "time_intervals": [drawn_interval(draw, now) for _ in range(2)]}
        for number in range(count)
    ]
    routes = []
    for number in range(count):
        used = {
            field: [f"t{draw.randrange(count)}" for _ in range(draw.randint(0, 2))]
            for field in ("active_time_intervals", "mute_time_intervals")
        }
        routes.append({"receiver": f"r{number}", "continue": True, **used})
    firing = [SOURCE, TARGET, alert(b="1")]
    with hooks.listening() as url, running(suite, tmp_path) as real:
        text = json.dumps(
            {
                "route": {
                    "receiver": "root",
                    "group_by": ["..."],
                    "group_wait": "700ms",  # time enough to know all sources
                    "routes": routes,
                },
                "receivers": [{"name": "root"}]
                + [
                    {"name": r["receiver"], "webhook_configs": [{"url": f"{url}/{r['receiver']}"}]}
                    for r in routes
                ],
                "inhibit_rules": [{"source_matchers": ["s=1"], "target_matchers": ["t=1"]}],
                "time_intervals": intervals,
            }
        )
        model = Config.load(text)
        real.load(text)
        real.fire(firing)
        expected = {
            (labels, receiver)
            for labels, received in notified(model, firing, datetime.now(UTC)).items()
            for receiver in received
        }
        assert len(firing) < len(expected) < count * 2 - len(firing)
        wait_until(lambda: hooks.received >= expected, 15, 0.05, "the notifications")
        time.sleep(0.3)  # whoever is not to be notified would have been by now
        assert hooks.received == expected
        if real.version >= (0, 28):  # from here on a group reports that its route is muted
            matches = {match.receiver: match for match in routes_for(model, SOURCE)}

            def as_predicted() -> bool:
                groups = [g for g in real.groups() if tuple(g["labels"].items()) != TARGET]
                assert len(groups) == 2 * count
                return all(
                    any(item["status"]["mutedBy"] for item in group["alerts"])
                    != is_active(model, matches[group["receiver"]["name"]], datetime.now(UTC))
                    for group in groups
                )

            wait_until(as_predicted, what="each group to be muted, or not, as predicted")


@every_version
def test_golden_configs_route_and_inhibit_as_a_real_server_does(suite: str, tmp_path: Path) -> None:
    inhibited = 0
    with running(suite, tmp_path) as real:
        for case in CASES:
            if case == "channels" and real.version < (0, 28):
                continue
            text = golden_text(case)
            model, firing = Config.load(text), [*burning(case)]
            rules = f"inhibit_rules:\n- {json.dumps(SIGNAL_RULE)}"
            everything = [*SIGNALS[0], *firing, *SIGNALS[1]]
            found = decided(real, text.replace("inhibit_rules:", rules), everything)
            ids = {item["fingerprint"]: labels for labels, item in found.items()}
            for labels in firing:
                item = found[tuple(sorted(labels))]
                assert names(item) == [m.receiver for m in routes_for(model, labels)], labels
                sources = inhibitors(model, labels, firing)
                by = [ids[source] for source in item["status"]["inhibitedBy"]]
                assert bool(by) == bool(sources), (case, labels)
                assert {*by} <= {tuple(sorted(source)) for source in sources}
                inhibited += bool(by)
                # What a rule of ours does never depends on which of several sources is remembered.
                one = inhibitors(model, labels, firing, one_source=True)
                assert bool(one) == bool(sources)
            real.resolve(everything)
    assert inhibited > len(CASES)


def burning(case: str) -> Iterator[Pairs]:
    """Give each alert of a case, burn alerts with each of the windows that inhibition reads."""
    windows = {"page-fast": "1h", "page-slow": "6h", "ticket-fast": "1d", "ticket-slow": "3d"}
    for route in expected_routes(case):
        labels = dict(route.labels)
        if labels["tier"] in windows:
            labels["long_window"] = windows[labels["tier"]]
        yield tuple(labels.items())


@every_version
def test_the_model_and_amtool_agree_on_the_routes_of_golden_alerts(suite: str) -> None:
    folder = ROOT / "golden" / "escalation" / "alertmanager"
    model = Config.load(golden_text("escalation"))
    for route in expected_routes("escalation"):
        command: list[str | Path] = [tool(suite, "amtool"), "config", "routes", "test"]
        command.append(f"--config.file={folder / 'alertmanager.yml'}")
        command += [f"{name}={value}" for name, value in route.labels]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        by_model = [match.receiver for match in routes_for(model, route.labels)]
        assert done.stdout.strip().split(",") == by_model
