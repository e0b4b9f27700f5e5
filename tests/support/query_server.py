"""A server of Prometheus' query API on loopback, whose answers a test gives."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

Answer = Callable[[str], list[dict[str, Any]]]


@contextmanager
def serving(answer: Answer, alerts: object = None) -> Iterator[tuple[str, list[str]]]:
    """Serve the query API from a function; alerts are a page of their own, or there is none."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            query = parse_qs(body)["query"][0]
            asked.append(query)
            if query == "time()":
                self.send({"resultType": "scalar", "result": [1_800_000_000, "1800000000"]})
            else:
                self.send({"resultType": "vector", "result": answer(query)})

        def do_GET(self) -> None:
            if alerts is None:
                self.send_error(404)
            else:
                self.send(alerts)

        def send(self, data: object) -> None:
            body = json.dumps({"status": "success", "data": data}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


def sample(value: object, **labels: str) -> dict[str, Any]:
    """Return one sample of a vector."""
    return {"metric": labels, "value": [1_800_000_000, str(value)]}
