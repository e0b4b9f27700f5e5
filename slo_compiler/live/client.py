"""Asking a Prometheus over HTTP: bounded in time and size, and loud where there is no answer."""

from __future__ import annotations

import http.client
import json
import math
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from slo_compiler import __version__
from slo_compiler.live.deadline import Deadline, TimedRequest, WatchedHTTP, WatchedHTTPS

MAX_BYTES = 32 << 20  # of one answer
MAX_WORDS = 300  # characters of a server's message that are shown
DAY_SECONDS = 86_400
Headers = Sequence[tuple[str, str]]


class ServerError(Exception):
    """Nothing that speaks Prometheus' API answers: there is no use in further queries."""

    def __init__(self, message: str, help_: str = "") -> None:
        super().__init__(message)
        self.message, self.help = message, help_


class RefusedError(Exception):
    """Prometheus answers, but has no result for this query; the message is its own."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an instant query's result."""

    labels: Mapping[str, str]
    value: float


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Queries go to the given URL and no other: a redirect would take the credentials with it."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Follow nothing."""


class Client:
    """A Prometheus; equal queries are sent once."""

    def __init__(
        self, url: str, headers: Headers = (), timeout: float = 30, prefix: str = "--live-"
    ) -> None:
        self.url = url
        self._prefix = prefix  # of the command's options of credentials
        self._headers = headers
        self._timeout = timeout
        self._opener = urllib.request.build_opener(_NoRedirect, WatchedHTTP(), WatchedHTTPS())
        self._answers: dict[tuple[str, str], Any] = {}
        self.warned: dict[str, None] = {}  # the server's warnings about answers that it gives
        self.now = 0.0

    def connect(self) -> None:
        """Query the time, by the server's own clock.

        Raises:
            ServerError: no Prometheus answers.
        """
        try:
            result = self._query("time()")
        except RefusedError as error:
            raise ServerError(f"{self.url}: {error}") from None
        try:
            self.now = float(result[1])
        except (TypeError, LookupError, ValueError, OverflowError):
            raise self._foreign() from None
        if not math.isfinite(self.now):
            raise self._foreign()

    def vector(self, expr: str) -> list[Sample]:
        """Evaluate an instant query, now; samples that are no number are left out.

        Raises:
            ServerError: no Prometheus answers.
            RefusedError: Prometheus refuses the query.
        """
        return list(self._samples(self._query(expr)))

    def number(self, expr: str) -> float | None:
        """Evaluate an expression that has one sample or none."""
        return next((sample.value for sample in self.vector(expr)), None)

    def samples(self, selector: str, seconds: int, at: int) -> Any:  # noqa: ANN401  (JSON)
        """Give the samples of a selector in the seconds until a time, as they are stored.

        The answer is large, so that it is not kept.

        Raises:
            ServerError: no Prometheus answers.
            RefusedError: Prometheus refuses the query, or its answer is too large.
        """
        limit = f"{max(1, int(self._timeout))}s"
        query = {"query": f"{selector}[{seconds}s]", "time": str(at), "timeout": limit}
        data = self._fetch("query", urlencode(query), post=True)
        if not isinstance(data, dict) or not isinstance(data.get("result"), list):
            raise self._foreign()
        return data["result"]

    def has_series(self, selector: str, start: int, end: int) -> bool:
        """Whether there may be a series in a span; True if the server gives no answer."""
        parameters = {"match[]": selector, "start": str(start), "end": str(end)}
        found = self._optional("labels", parameters)
        return not isinstance(found, list) or bool(found)

    def metric_type(self, metric: str) -> str | None:
        """Return a metric's type, as its targets declare it; None if none does or they disagree."""
        data = self._optional("metadata", {"metric": metric})
        entries = data.get(metric, []) if isinstance(data, dict) else []
        types = {str(e.get("type")) for e in entries if isinstance(e, dict)} - {"unknown", ""}
        return types.pop() if len(types) == 1 else None

    def label_values(self, label: str, match: str) -> list[str]:
        """Give the values of a label on series of the last day; empty if the server cannot."""
        path = f"label/{quote(label, safe='')}/values"
        data = self._optional(path, self._day | ({"match[]": match} if match else {}))
        return [str(v) for v in data] if isinstance(data, list) else []

    def label_names(self, match: str) -> list[str]:
        """Give the labels of series of the last day; empty if the server cannot."""
        data = self._optional("labels", self._day | {"match[]": match})
        return [str(v) for v in data] if isinstance(data, list) else []

    def alerts(self) -> list[Mapping[str, Any]] | None:
        """Give the alerts that are pending or fire; None if the server has no rules of its own."""
        data = self._optional("alerts", {})
        alerts = data.get("alerts") if isinstance(data, dict) else None
        return [a for a in alerts if isinstance(a, dict)] if isinstance(alerts, list) else None

    def status(self, name: str) -> Mapping[str, Any]:
        """Query one of the server's own pages; empty if it has none, as Mimir and Thanos."""
        data = self._optional(f"status/{name}", {})
        return data if isinstance(data, dict) else {}

    @property
    def asked(self) -> int:
        """How many queries were sent."""
        return len(self._answers)

    @property
    def _day(self) -> dict[str, str]:
        return {"start": f"{self.now - DAY_SECONDS:.0f}", "end": f"{self.now:.0f}"}

    def _query(self, expr: str) -> Any:  # noqa: ANN401  (JSON)
        parameters = {"query": expr, "timeout": f"{max(1, int(self._timeout))}s"}
        data = self._ask("query", urlencode(parameters), post=True)
        if not isinstance(data, dict) or "result" not in data:
            raise self._foreign()
        return data["result"]

    def _samples(self, result: object) -> Iterator[Sample]:
        if not isinstance(result, list):
            raise self._foreign()
        try:
            for series in result:
                # A native histogram has no "value".
                value = float(series["value"][1]) if "value" in series else math.nan
                if math.isfinite(value):
                    yield Sample({str(k): str(v) for k, v in series["metric"].items()}, value)
        except (AttributeError, TypeError, LookupError, ValueError, OverflowError):
            raise self._foreign() from None

    def _optional(self, path: str, parameters: Mapping[str, str]) -> Any:  # noqa: ANN401  (JSON)
        try:
            return self._ask(path, urlencode(parameters), post=False)
        except (RefusedError, _StatusError):
            return None

    def _ask(self, path: str, parameters: str, *, post: bool) -> Any:  # noqa: ANN401  (JSON)
        key = (path, parameters)
        if key not in self._answers:
            try:
                self._answers[key] = self._fetch(path, parameters, post=post)
            except RefusedError as error:
                self._answers[key] = error
        answer = self._answers[key]
        if isinstance(answer, RefusedError):
            raise RefusedError(*answer.args)
        return answer

    def _fetch(self, path: str, parameters: str, *, post: bool) -> Any:  # noqa: ANN401  (JSON)
        url = f"{self.url}/api/v1/{path}"
        deadline = Deadline(self._timeout)
        request = TimedRequest(
            deadline,
            url if post else f"{url}?{parameters}",
            parameters.encode() if post else None,
            {**dict(self._headers), "User-Agent": f"slo-compiler/{__version__}"},
        )
        failed: urllib.error.HTTPError | None = None
        try:
            with deadline:
                try:
                    response = self._opener.open(request, timeout=self._timeout)
                except urllib.error.HTTPError as error:
                    response = failed = error
                with response:
                    body = self._read(response, deadline)
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            late = TimeoutError() if deadline.expired else error
            raise self._unreachable(late) from None
        if failed is not None:
            raise self._error(failed, body)
        return self._data(body)

    def _read(self, response: Any, deadline: Deadline) -> bytes:  # noqa: ANN401  (two kinds of it)
        body = b""
        while chunk := response.read1(1 << 16):  # what is there, however slowly it drips
            body += chunk
            if len(body) > MAX_BYTES:
                raise RefusedError(f"the answer is larger than {MAX_BYTES >> 20} MiB")
        if deadline.expired:  # which ended the connection, and so the answer
            raise TimeoutError
        return body

    def _data(self, body: bytes) -> Any:  # noqa: ANN401  (JSON)
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            raise self._foreign() from None
        if isinstance(answer, dict) and answer.get("status") == "success" and "data" in answer:
            warnings = answer.get("warnings")
            for words in map(str, warnings if isinstance(warnings, list) else ()):
                if not words.startswith("PromQL "):  # those are about the query, not the answer
                    self.warned[self._shown(words)] = None
            return answer["data"]
        if isinstance(answer, dict) and answer.get("status") == "error":
            raise RefusedError(self._shown(str(answer.get("error"))))
        raise self._foreign()

    def _error(self, error: urllib.error.HTTPError, body: bytes) -> Exception:
        """Turn an HTTP error into one of ours: with Prometheus' message, if it has one."""
        status = f"{self.url}: HTTP {error.code} {self._shown(str(error.reason))}".rstrip()
        if error.code in (401, 403):
            options = f"{self._prefix}token-file or {self._prefix}header"
            return ServerError(status, f"give credentials: {options}")
        if 300 <= error.code < 400:  # noqa: PLR2004
            return ServerError(
                f"{status}, a redirect, which is not followed",
                "give the URL that it leads to, if that is the Prometheus you mean",
            )
        try:
            self._data(body)
        except RefusedError as refused:
            return refused
        except ServerError:
            pass
        return _StatusError(status, "is this the URL that /api/v1/query follows?")

    def _unreachable(self, error: Exception) -> ServerError:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(reason, TimeoutError):
            why = f"no answer within {self._timeout:g} s"
        elif isinstance(reason, http.client.HTTPException):
            why = "the answer is not HTTP, or ends too early"
        else:
            why = self._shown(str(getattr(reason, "strerror", None) or reason))
        return ServerError(f"{self.url}: {why}", "is it running, and reachable from here?")

    def _foreign(self) -> ServerError:
        return ServerError(
            f"{self.url}: the answer is not Prometheus'",
            "is this the URL that /api/v1/query follows?",
        )

    def _shown(self, words: str) -> str:
        """Shorten a server's words, and leave out secrets that it may repeat."""
        for _, value in self._headers:
            for secret in (value, value.split()[-1]):
                words = words.replace(secret, "***")
        return " ".join(words[:MAX_WORDS].split())


class _StatusError(ServerError):
    """An HTTP error that is not Prometheus' own: this page may be missing, and others not."""
