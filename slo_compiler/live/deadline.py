"""A time limit for a whole request: a timeout of the socket begins anew with each byte."""

from __future__ import annotations

import socket
import threading
import urllib.request
from contextlib import suppress
from typing import Any, Self


class Deadline:
    """Ends the connections of a request when its time is over, whatever they wait for."""

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            for each in self._sockets:
                each.close()
            self._sockets.clear()

    def connect(self, *arguments: Any, **options: Any) -> socket.socket:  # noqa: ANN401  (socket's)
        """Open a connection that ends at the deadline.

        Raises:
            TimeoutError: the time is over.
        """
        opened = socket.create_connection(*arguments, **options)
        with self._lock:
            if self.expired:
                opened.close()
                raise TimeoutError
            # TLS takes over the descriptor; a copy of it still ends the connection.
            self._sockets.append(opened.dup())
        return opened

    def _end(self) -> None:
        with self._lock:
            self.expired = True
            for each in self._sockets:
                with suppress(OSError):  # the other side was faster
                    each.shutdown(socket.SHUT_RDWR)


class TimedRequest(urllib.request.Request):
    """A request with its deadline: several threads send some at once, each within its own."""

    def __init__(self, deadline: Deadline, *arguments: Any) -> None:  # noqa: ANN401  (urllib's)
        super().__init__(*arguments)
        self.deadline = deadline


class _Watched(urllib.request.AbstractHTTPHandler):
    """Opens the connection of a request by its deadline."""

    def do_open(self, http_class: Any, req: Any, **options: Any) -> Any:  # noqa: ANN401  (urllib's)
        """Open a connection of a class, and send the request."""

        def connection(host: str, **settings: Any) -> Any:  # noqa: ANN401  (http.client's)
            made = http_class(host, **settings)
            made._create_connection = req.deadline.connect  # noqa: SLF001  (the one place to set it)
            return made

        return super().do_open(connection, req, **options)


class WatchedHTTP(_Watched, urllib.request.HTTPHandler):
    """Requests by HTTP."""


class WatchedHTTPS(_Watched, urllib.request.HTTPSHandler):
    """Requests by HTTPS."""
