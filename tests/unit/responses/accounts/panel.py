"""A small HTTP server on this machine that answers as a panel does, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit


class Asked(NamedTuple):
    """A request as it came: path as it stood on the line, not unescaped."""

    method: str
    path: str
    query: dict[str, str]
    fields: dict[str, str]
    body: Any


Answers = Callable[[Asked], tuple[int, Any]]


class Panel:
    """What was asked, and where it is."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[Asked] = []


@contextmanager
def panel(answers: Answers) -> Iterator[Panel]:
    """Serve; an answer is a status and JSON, or bytes, or None for an empty body."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

        def answer(self) -> None:
            target = urlsplit(self.path)
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            form = "form" in self.headers.get("Content-Type", "")
            body = dict(parse_qsl(text)) if form else json.loads(text) if text else None
            asked = Asked(self.command, target.path, dict(parse_qsl(target.query)), dict(self.headers), body)
            here.asked.append(asked)
            status, content = answers(asked)
            octets = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", str(len(octets)))
            self.end_headers()
            self.wfile.write(octets)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    server = HTTPServer(("127.0.0.1", 0), Handler)
    here = Panel(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
