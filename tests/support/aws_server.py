"""moto's S3 and STS as a server, which knows whose keys are good and remembers who came.

moto itself takes any key. This server refuses a key of S3 that STS did not give out, or that has
ended: so a load that goes through has taken on the role, and has renewed its key.
"""

from __future__ import annotations

import io
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

REFUSED = "<{tag}><Error><Code>{code}</Code><Message>{code}</Message></Error></{tag}>"


@dataclass
class AwsServer:
    """A running server. Without `asks_for_role` S3 takes any key, as moto does."""

    endpoint: str = ""
    asks_for_role: bool = True
    key_seconds: float = 3600  # for which a key of STS is good
    s3_seconds: float = 0  # for which a request to S3 waits
    sts_answer: tuple[int, str] | None = None  # what STS answers instead: status and code
    keys: dict[str, float] = field(default_factory=dict)  # given out by STS, and when each ends
    sts_requests: list[dict[str, str]] = field(default_factory=list)  # the requests to STS
    s3_requests: list[tuple[str, float]] = field(default_factory=list)  # key and time of each

    def __post_init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)

    def forget(self) -> None:
        """Makes the server as it was at the start. Its objects stay."""
        endpoint = self.endpoint
        self.__init__(endpoint)  # type: ignore[misc]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answers a request."""
        request, form = Request(environ), {}
        if (request.method, request.path) == ("POST", "/"):  # STS's form; S3 posts elsewhere
            body = request.get_data()
            environ["wsgi.input"] = io.BytesIO(body)
            form = dict(parse_qsl(body.decode()))
        answer = self._sts(environ, form) if "RoleArn" in form else self._s3(request, environ)
        return answer(environ, start_response)

    def _sts(self, environ: dict[str, Any], form: dict[str, str]) -> Response:
        self.sts_requests.append(form)
        if self.sts_answer:
            status, code = self.sts_answer
            return Response(REFUSED.format(tag="ErrorResponse", code=code), status)
        answer = Response.from_app(self._moto, environ)
        ends = datetime.now(UTC) + timedelta(seconds=self.key_seconds)
        text = answer.get_data(as_text=True)
        (key,) = re.findall("<AccessKeyId>(.*?)<", text)
        self.keys[key] = ends.timestamp()
        answer.set_data(re.sub("(<Expiration>).*?<", rf"\g<1>{ends.isoformat()}<", text))
        return answer

    def _s3(self, request: Request, environ: dict[str, Any]) -> Response:
        time.sleep(self.s3_seconds)
        (key,) = re.findall("Credential=(.*?)/", request.headers.get("Authorization", "")) or [""]
        self.s3_requests.append((key, time.time()))
        if self.asks_for_role and self.keys.get(key, 0) < time.time():
            code = "ExpiredToken" if key in self.keys else "AccessDenied"
            return Response(f"<Error><Code>{code}</Code></Error>", 400 if key in self.keys else 403)
        return Response.from_app(self._moto, environ)


class _Silent(WSGIRequestHandler):
    def log_request(self, *_: Any) -> None:
        pass


@contextmanager
def aws_server(certificate: tuple[str, str] | None = None) -> Iterator[AwsServer]:
    """Starts a server on localhost; with a certificate and its key it speaks TLS."""
    server = AwsServer()
    http = make_server(
        "127.0.0.1", 0, server, True, ssl_context=certificate, request_handler=_Silent
    )
    server.endpoint = f"{'https' if certificate else 'http'}://127.0.0.1:{http.port}"
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
