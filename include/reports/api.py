"""The API: `uvicorn --factory include.reports.api:create_app`.

The API answers a request for a report before the report is made: it puts the request into Redis,
and a worker takes it from there. `/reports/blocking` shows the simple design instead, where the
caller waits until the report is made.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi import Request as HttpRequest
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from include.landfall.errors import LandfallError

from .app import app as celery
from .catalogue import Request
from .front import Front, RedisAway
from .guard import BodyLimit, KeyRequired
from .links import Links
from .making import export_report, for_callers
from .messages import Messages
from .records import NewReport, Record
from .requests import object_key, report_id
from .settings import Settings
from .settings import settings as read_settings

log = logging.getLogger(__name__)
IDEMPOTENCY_HEADER = "Idempotency-Key"
MAX_IDEMPOTENCY_KEY = 200  # characters


class Service:
    """The objects that all requests share: settings, the client of Redis, messages, links."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.front = Front(settings.broker.get_secret_value())
        self.messages = Messages(celery)
        self.links = Links(settings)

    async def close(self) -> None:
        """Closes the connections to Redis and the S3 client."""
        self.links.close()
        await self.front.close()


def create_app(settings: Settings | None = None) -> FastAPI:
    """Creates the application.

    Raises: TerminalError when a setting is missing or wrong.
    """
    settings = settings or read_settings()

    @asynccontextmanager
    async def lifespan(api: FastAPI) -> AsyncIterator[None]:
        api.state.service = Service(settings)
        try:
            yield
        finally:
            await api.state.service.close()

    # The service has no pages of documentation (/docs, /redoc, /openapi.json): a browser cannot
    # send the key, and without a key nobody may read them.
    api = FastAPI(
        title="Reports", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None
    )
    api.add_middleware(BodyLimit)  # the middleware that is added last is asked first
    api.add_middleware(KeyRequired, key=settings.api_key, free=("/health",))
    api.get("/health")(health)
    api.add_route("/reports", create, methods=["POST"])
    api.post("/reports/blocking")(create_blocking)
    api.get("/reports/{id}")(show)
    for error_class, handler in HANDLERS.items():
        api.add_exception_handler(error_class, handler)
    return api


async def service(request: HttpRequest) -> Service:
    """Returns the service that the application created when it started."""
    return request.app.state.service


Shared = Annotated[Service, Depends(service)]


async def health(shared: Shared) -> dict[str, str]:
    """Answers 200 when the API can accept reports, which means that Redis answers."""
    await shared.front.ping()
    return {"status": "healthy"}


async def create(http: HttpRequest) -> JSONResponse:
    """Accepts a report. It answers when the request is in Redis, on its disk.

    This is a route of Starlette that validates its body itself, because a request would take three
    times the CPU with FastAPI's dependencies.
    """
    shared: Service = http.app.state.service
    idempotency_key = _checked(http.headers.get(IDEMPOTENCY_HEADER))
    request = _parse(await http.body())
    new_id = report_id(idempotency_key)
    text = request.model_dump_json()
    message = shared.messages.make(new_id)
    kept_request, state = await shared.front.accept(
        NewReport(new_id, text, object_key(request, new_id), message)
    )
    if kept_request != text:
        raise _problem("it belongs to another request already", "header", IDEMPOTENCY_HEADER)
    return JSONResponse({"id": new_id, "state": state}, 202, {"Location": f"/reports/{new_id}"})


def _parse(body: bytes) -> Request:
    try:
        return Request.model_validate_json(body)
    except ValidationError as invalid:
        problem = invalid.errors(include_url=False, include_context=False)[0]
        raise _problem(problem["msg"], "body", *problem["loc"]) from None


def _checked(idempotency_key: str | None) -> str | None:
    if idempotency_key is not None and not 1 <= len(idempotency_key) <= MAX_IDEMPOTENCY_KEY:
        expected = f"expected 1 to {MAX_IDEMPOTENCY_KEY} characters"
        raise _problem(expected, "header", IDEMPOTENCY_HEADER)
    return idempotency_key


def _problem(message: str, *location: str | int) -> RequestValidationError:
    """Returns an error in the form of FastAPI's own."""
    return RequestValidationError([{"loc": location, "msg": message}])


def create_blocking(request: Request, shared: Shared) -> dict[str, Any]:
    """Makes the report in this process while the caller waits."""
    new_id = report_id()
    key = object_key(request, new_id)
    exported = export_report(request, key, shared.settings)
    answer = {"id": new_id, "state": "done", "rows": exported.rows, "bytes": exported.bytes}
    return answer | shared.links.sign(key)


async def show(id: str, shared: Shared) -> dict[str, Any]:  # noqa: A002  the path names it id
    """Returns the state of a report, and its link when it is done."""
    record = await shared.front.find(id)
    if record is None:
        raise HTTPException(404, f"there is no report {id[:64]!r}, or no longer")
    return _describe(record, shared)


def _describe(record: Record, shared: Service) -> dict[str, Any]:
    answer = {
        "id": record.id, "state": record.state, "rows": record.rows,
        **record.request.model_dump(mode="json", exclude_none=True), **record.times,
    }  # fmt: skip
    if record.state == "done":
        answer |= {"bytes": record.bytes, **shared.links.sign(record.object_key)}
    elif record.error:
        answer["error"] = record.error
    return answer


def _error_answer(status: int, error: str, **more: str) -> JSONResponse:
    return JSONResponse({"error": error, **more}, status)


async def _invalid(_: HttpRequest, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    problem = error.errors()[0]
    field = ".".join(str(part) for part in problem["loc"][1:]) or "body"
    message = str(problem["msg"]).removeprefix("Value error, ")
    return _error_answer(422, f"{field}: {message}", field=field)


async def _refused(_: HttpRequest, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _error_answer(error.status_code, str(error.detail))


async def _redis_away(_: HttpRequest, error: Exception) -> JSONResponse:
    answer = _error_answer(
        503, "reports cannot be accepted or looked up now: Redis is away; try again"
    )
    answer.headers["Retry-After"] = "5"
    return answer


async def _not_made(_: HttpRequest, error: Exception) -> JSONResponse:
    """Answers a blocking request whose report failed. A queued report keeps its error in Redis."""
    assert isinstance(error, LandfallError)
    log.warning("a blocking report failed: %s", error)
    return _error_answer(503 if error.retryable else 500, for_callers(error))


HANDLERS: dict[type[Exception], Any] = {
    RequestValidationError: _invalid,
    HTTPException: _refused,
    RedisAway: _redis_away,
    LandfallError: _not_made,
}
