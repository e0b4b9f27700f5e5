"""Receives what Alertmanager sends, Slack, PagerDuty, e-mail and webhook alike, in order.

    python sink.py --http 0.0.0.0:9102 --smtp 0.0.0.0:2525

Each service has its own path, to be used in place of the real one's address:

    slack       /slack/<anything>          opsgenie  /opsgenie/
    pagerduty   /pagerduty/v2/enqueue      msteams   /msteams/<name>
    webhook     /webhook/<name>            discord   /discord/<name>
    telegram    /telegram                  e-mail    the SMTP port, without TLS or AUTH

Where the names of others lead here too, as aliases on a network do, whatever else is asked of a
name with a dot is a webhook of that name: http://dashboard.internal/hooks/slo.
"""

from __future__ import annotations

import argparse
import asyncio
import email
import email.policy
import json
import re
import signal
import socket
import threading
import time
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import urlsplit

from aiosmtpd.smtp import SMTP, Envelope

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal[
    "slack", "pagerduty", "email", "webhook", "opsgenie", "msteams", "discord", "telegram"
]
Status = Literal["firing", "resolved"]
Payload = dict[str, Any]
Address = tuple[str, int]

ANY_PORT: Address = ("127.0.0.1", 0)
OPENS_RESOLVED = re.compile(r"(?:\W|:\w+:)*resolved\b", re.IGNORECASE)
PAGERDUTY_STATUS: dict[str, Status] = {"trigger": "firing", "resolve": "resolved"}


@dataclass(frozen=True, slots=True)
class Notification:
    """One message that would have reached someone; `at` is in Unix seconds."""

    at: float
    kind: Kind
    destination: str
    status: Status
    title: str
    text: str
    payload: Payload = field(compare=False, repr=False)

    def __str__(self) -> str:
        at = datetime.fromtimestamp(self.at, UTC)
        title = " ".join(self.title.split())
        return f"{at:%H:%M:%S}  {self.status:<8}  {self.kind:<9}  {self.destination:<32}  {title}"


@dataclass(frozen=True, slots=True)
class Request:
    """What a service was sent: the path below its own, the authorization, the JSON body."""

    path: str
    authorization: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class Message:
    """What a service would have shown, to whom."""

    destination: str
    status: Status
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the real service would have answered: text as it is, a dict as JSON."""

    status: HTTPStatus
    body: str | Payload


def said_status(*texts: str) -> Status:
    """Tell `resolved`, if a text opens with that word, brackets and emoji aside, from `firing`."""
    return "resolved" if any(OPENS_RESOLVED.match(text) for text in texts) else "firing"


def slack(request: Request) -> tuple[Message, Answer]:
    """Read an incoming webhook; nothing but a plain `ok` counts as success."""
    shown = request.payload["attachments"][0]
    title, text = shown.get("title", ""), shown.get("text", "")
    destination = request.payload.get("channel", request.path)
    return Message(destination, said_status(title, text), title, text), Answer(HTTPStatus.OK, "ok")


def pagerduty(request: Request) -> tuple[Message, Answer]:
    """Read an event of the Events API v2."""
    event, shown = request.payload, request.payload["payload"]
    details = shown.get("custom_details", {})
    text = "\n".join(f"{name}: {value}" for name, value in details.items())
    status = PAGERDUTY_STATUS[event["event_action"]]
    answer = {
        "status": "success",
        "message": "Event processed",
        "dedup_key": event["dedup_key"],
    }
    return (
        Message(event["routing_key"], status, shown["summary"], text),
        Answer(HTTPStatus.ACCEPTED, answer),
    )


def webhook(request: Request) -> tuple[Message, Answer]:
    """Read Alertmanager's own JSON, titled by what the alerts of the group have in common."""
    group = request.payload
    labels, annotations = group["commonLabels"], group["commonAnnotations"]
    title = annotations.get("summary") or labels.get("alertname") or group["groupKey"]
    message = Message(request.path, group["status"], title, annotations.get("description", ""))
    return message, Answer(HTTPStatus.OK, "")


def opsgenie(request: Request) -> tuple[Message, Answer]:
    """Read an alert of the Alert API; one that is closed tells only its alias."""
    answer = Answer(
        HTTPStatus.ACCEPTED,
        {"result": "Request will be processed", "took": 0.0, "requestId": "00000000"},
    )
    key = request.authorization.removeprefix("GenieKey ")
    if closed := re.fullmatch(r"v2/alerts/([^/]+)/close", request.path):
        return Message(key, "resolved", closed[1], ""), answer
    alert = request.payload
    return Message(key, "firing", alert["message"], alert.get("description", "")), answer


def msteams(request: Request) -> tuple[Message, Answer]:
    """Read a connector's message card or a workflow's adaptive card."""
    if "attachments" in request.payload:
        title, text = (
            block["text"] for block in request.payload["attachments"][0]["content"]["body"][:2]
        )
        answer = Answer(HTTPStatus.ACCEPTED, "")
    else:
        title, text = request.payload["title"], request.payload["text"]
        answer = Answer(HTTPStatus.OK, "1")
    return Message(request.path, said_status(title, text), title, text), answer


def discord(request: Request) -> tuple[Message, Answer]:
    """Read a channel's webhook, which answers with nothing."""
    shown = request.payload["embeds"][0]
    title, text = shown["title"], shown["description"]
    message = Message(request.path, said_status(title, text), title, text)
    return message, Answer(HTTPStatus.NO_CONTENT, "")


def telegram(request: Request) -> tuple[Message, Answer]:
    """Read a bot's sendMessage, whose answer must hold the message and its chat."""
    if not re.fullmatch(r"bot[^/]+/sendMessage", request.path):
        raise ValueError(f"no such method: {request.path}")
    chat, text = str(request.payload["chat_id"]), request.payload["text"]
    title = text.strip().partition("\n")[0]
    sent = {"message_id": 1, "date": 0, "chat": {"id": int(chat), "type": "group"}, "text": text}
    message = Message(chat, said_status(text), title, text)
    return message, Answer(HTTPStatus.OK, {"ok": True, "result": sent})


SERVICES: dict[Kind, Callable[[Request], tuple[Message, Answer]]] = {
    "slack": slack,
    "pagerduty": pagerduty,
    "webhook": webhook,
    "opsgenie": opsgenie,
    "msteams": msteams,
    "discord": discord,
    "telegram": telegram,
}


def mail(envelope: Envelope) -> tuple[Message, Payload]:
    """Read an e-mail's plain text, or else its HTML, for those whom the envelope names."""
    content = envelope.content
    parsed = email.message_from_bytes(
        content.encode() if isinstance(content, str) else content or b"",
        policy=email.policy.default,
    )
    body = parsed.get_body(("plain", "html"))
    text = body.get_content().replace("\r\n", "\n") if body else ""
    title = str(parsed.get("Subject", ""))
    message = Message(",".join(envelope.rcpt_tos), said_status(title), title, text)
    headers = {name: str(value) for name, value in parsed.items()}
    return message, {"from": envelope.mail_from, "to": list(envelope.rcpt_tos), "headers": headers}


class Sink:
    """Receives notifications on an HTTP and an SMTP port while entered; port 0 takes any."""

    def __init__(
        self,
        http: Address = ANY_PORT,
        smtp: Address = ANY_PORT,
        *,
        clock: Callable[[], float] = time.time,
        on_notification: Callable[[Notification], object] | None = None,
    ) -> None:
        self._http_address = http
        self._smtp_address = smtp
        self._clock = clock
        self._on_notification = on_notification
        self._received: list[Notification] = []
        self._changed = threading.Condition()
        self._exit = ExitStack()
        self.http_port = http[1]
        self.smtp_port = smtp[1]

    @property
    def notifications(self) -> list[Notification]:
        """A copy of all that has been received, oldest first."""
        with self._changed:
            return list(self._received)

    def wait_for(self, predicate: Callable[[Notification], bool], timeout: float) -> Notification:
        """Return the oldest notification that fits, received before or within `timeout` seconds.

        Raises TimeoutError, which lists what was received instead.
        """
        deadline = time.monotonic() + timeout
        seen = 0
        with self._changed:
            while True:
                for notification in self._received[seen:]:
                    if predicate(notification):
                        return notification
                seen = len(self._received)
                if not self._changed.wait(deadline - time.monotonic()):
                    received = "".join(f"\n  {notification}" for notification in self._received)
                    raise TimeoutError(f"none of these within {timeout:g}s:{received or ' none'}")

    def keep(self, kind: Kind, message: Message, payload: Payload) -> None:
        """Append one notification, received now."""
        with self._changed:
            notification = Notification(
                self._clock(),
                kind,
                message.destination,
                message.status,
                message.title,
                message.text,
                payload,
            )
            self._received.append(notification)
            self._changed.notify_all()
            # Inside the lock, so that lines are printed in the order of the list.
            if self._on_notification:
                self._on_notification(notification)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.http_port = _serve_http(self, self._http_address, stack)
            self.smtp_port = _serve_smtp(self, self._smtp_address, stack)
            self._exit = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()


def _serve_http(sink: Sink, address: Address, stack: ExitStack) -> int:
    """Serve until the stack closes; the port."""
    server = _HttpServer(address, _HttpHandler)
    stack.callback(server.server_close)
    server.sink = sink
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    stack.callback(thread.join)
    stack.callback(server.shutdown)
    return server.server_port


class _HttpServer(ThreadingHTTPServer):
    """Waits for its requests' threads when it closes, so that no socket outlives it."""

    daemon_threads = False
    request_queue_size = 128  # many receivers may be notified at one moment
    sink: Sink


class _HttpHandler(BaseHTTPRequestHandler):
    """POST to /<service>/<path>, answered as the service answers."""

    server: _HttpServer
    timeout = 5  # seconds that a silent client may hold up closing

    def do_POST(self) -> None:
        name, _, path = urlsplit(self.path).path.removeprefix("/").partition("/")
        kind = next((kind for kind in SERVICES if kind == name), None)
        if kind is None and (host := _foreign_name(self.headers.get("Host", ""))):
            kind, path = "webhook", "/".join(filter(None, (host, name, path)))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if kind is None:
            self._answer(Answer(HTTPStatus.NOT_FOUND, f"no service {name}"))
            return
        try:
            payload = json.loads(body)
            request = Request(path, self.headers.get("Authorization", ""), payload)
            message, answer = SERVICES[kind](request)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            self._answer(Answer(HTTPStatus.BAD_REQUEST, f"{type(error).__name__}: {error}"))
            return
        self.server.sink.keep(kind, message, payload)
        self._answer(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing: what was received is kept."""

    def _answer(self, answer: Answer) -> None:
        if isinstance(answer.body, str):
            content_type, body = "text/plain; charset=utf-8", answer.body.encode()
        else:
            content_type, body = "application/json", json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", content_type)
        if answer.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _foreign_name(host: str) -> str | None:
    """Tell the name in a Host header if it is someone else's: neither an address nor `sink`."""
    name = host.partition(":")[0].lower()
    return name if re.fullmatch(r"(?:[\w-]+\.)+[a-z][\w-]*", name) else None


def _serve_smtp(sink: Sink, address: Address, stack: ExitStack) -> int:
    """Serve until the stack closes; the port.

    aiosmtpd's Controller can neither take a free port nor close its loop when a port is
    taken, so its SMTP protocol is served here, on a socket that is bound before all else.
    """
    listener = socket.create_server(address)
    port: int = listener.getsockname()[1]
    started: Future[Callable[[], object]] = Future()

    async def serve() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        server = await loop.create_server(
            # A hostname, because the default asks the resolver for one.
            lambda: SMTP(_MailHandler(sink), hostname="sink", ident="sink", loop=loop),
            sock=listener,
        )
        started.set_result(lambda: loop.call_soon_threadsafe(stop.set))
        await stop.wait()
        # Conversations under way are cancelled by asyncio.run, and hang up on it.
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    stack.callback(thread.join)

    def stop_serving() -> None:
        started.result(timeout=5)()

    stack.callback(stop_serving)  # first: a signal may end this thread before the other one serves
    started.result(timeout=5)
    return port


class _MailHandler:
    """What aiosmtpd calls for each e-mail."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    async def handle_DATA(self, _server: SMTP, _session: object, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        message, payload = mail(envelope)
        self._sink.keep("email", message, payload)
        return "250 OK"


def _address(text: str) -> Address:
    """HOST:PORT as a pair."""
    host, _, port = text.rpartition(":")
    return host, int(port)


def main() -> None:
    """Print one line per notification until interrupted or terminated."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--http", default="127.0.0.1:9102", type=_address, metavar="HOST:PORT")
    parser.add_argument("--smtp", default="127.0.0.1:2525", type=_address, metavar="HOST:PORT")
    options = parser.parse_args()
    # A container's first process ignores SIGTERM unless it says otherwise.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        suppress(KeyboardInterrupt),
        Sink(
            options.http,
            options.smtp,
            on_notification=lambda notification: print(notification, flush=True),
        ) as sink,
    ):
        http, smtp = options.http[0], options.smtp[0]
        print(f"http on {http}:{sink.http_port}, smtp on {smtp}:{sink.smtp_port}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
