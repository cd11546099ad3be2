"""The API: `uvicorn --factory include.reports.api:create_app`.

Whoever asks for a report is answered before it is made: the request goes into Redis, and a worker
takes it from there. `/reports/blocking` is how such a service begins: the caller waits.
"""

from __future__ import annotations

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
from .guard import KeyRequired
from .links import Links
from .making import export_report
from .messages import Messages
from .records import New, Record
from .requests import report_id, report_object
from .settings import Settings
from .settings import settings as read_settings

CALLERS_KEY = "Idempotency-Key"
MOST_OF_A_KEY = 200


class Service:
    """What the requests share: the settings, the way to Redis, the maker of links."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.front = Front(settings.broker.get_secret_value())
        self.messages = Messages(celery)
        self.links = Links(settings)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application. Raises TerminalError when a setting is missing or wrong."""
    settings = settings or read_settings()

    @asynccontextmanager
    async def lifespan(api: FastAPI) -> AsyncIterator[None]:
        api.state.service = Service(settings)
        yield
        await api.state.service.front.close()

    # Its pages of documentation would be open to whoever has no key.
    api = FastAPI(
        title="Reports", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None
    )
    api.add_middleware(KeyRequired, key=settings.api_key, free=("/health",))
    api.get("/health")(health)
    api.add_route("/reports", create, methods=["POST"])
    api.post("/reports/blocking")(create_blocking)
    api.get("/reports/{id}")(show)
    for kind, handler in HANDLERS.items():
        api.add_exception_handler(kind, handler)
    return api


async def service(request: HttpRequest) -> Service:
    """The service that the application made when it started."""
    return request.app.state.service


Shared = Annotated[Service, Depends(service)]


async def health(shared: Shared) -> dict[str, str]:
    """Whether reports can be accepted: Redis answers."""
    await shared.front.ping()
    return {"status": "healthy"}


async def create(http: HttpRequest) -> JSONResponse:
    """Accepts a report: what is answered is in Redis, on its disk.

    It is a route of Starlette, and validates its body itself: by way of FastAPI's dependencies each
    request would take three times the CPU.
    """
    shared: Service = http.app.state.service
    callers_key = _callers_key(http.headers.get(CALLERS_KEY))
    wanted = _parse(await http.body())
    new = report_id(callers_key)
    text = wanted.model_dump_json()
    kept, state = await shared.front.accept(
        New(new, text, report_object(wanted, new), shared.messages.make(new))
    )
    if kept != text:
        raise _problem("header", CALLERS_KEY, "it belongs to another request already")
    return JSONResponse({"id": new, "state": state}, 202, {"Location": f"/reports/{new}"})


def _parse(body: bytes) -> Request:
    try:
        return Request.model_validate_json(body)
    except ValidationError as invalid:
        problem = invalid.errors(include_url=False, include_context=False)[0]
        raise _problem("body", *problem["loc"], problem["msg"]) from None


def _callers_key(sent: str | None) -> str | None:
    if sent is not None and not 1 <= len(sent) <= MOST_OF_A_KEY:
        raise _problem("header", CALLERS_KEY, f"expected 1 to {MOST_OF_A_KEY} characters")
    return sent


def _problem(*where: str | int) -> RequestValidationError:
    """As FastAPI words its own: `where` ends with the words."""
    return RequestValidationError([{"loc": where[:-1], "msg": where[-1]}])


def create_blocking(wanted: Request, shared: Shared) -> dict[str, Any]:
    """Makes the report while the caller waits: as long as it takes, in this very process."""
    new = report_id()
    place = report_object(wanted, new)
    made = export_report(wanted, place, shared.settings)
    told = {"id": new, "state": "done", "rows": made.rows, "bytes": made.bytes}
    return told | shared.links.to(place)


async def show(id: str, shared: Shared) -> dict[str, Any]:  # noqa: A002  its name in the path
    """How a report stands, and where it can be fetched when it is done."""
    record = await shared.front.find(id)
    if record is None:
        raise HTTPException(404, f"there is no report {id[:64]!r}, or no longer")
    return _shown(record, shared)


def _shown(record: Record, shared: Service) -> dict[str, Any]:
    told = {
        "id": record.id, "state": record.state, "rows": record.rows,
        **record.request.model_dump(mode="json", exclude_none=True), **record.times,
    }  # fmt: skip
    if record.state == "done":
        told |= {"bytes": record.bytes, **shared.links.to(record.object)}
    elif record.error:
        told["error"] = record.error
    return told


def _message(status: int, error: str, **more: str) -> JSONResponse:
    return JSONResponse({"error": error, **more}, status)


async def _invalid(_: HttpRequest, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    problem = error.errors()[0]
    field = ".".join(str(part) for part in problem["loc"][1:]) or "body"
    words = str(problem["msg"]).removeprefix("Value error, ")
    return _message(422, f"{field}: {words}", field=field)


async def _refused(_: HttpRequest, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _message(error.status_code, str(error.detail))


async def _away(_: HttpRequest, error: Exception) -> JSONResponse:
    answer = _message(503, "reports cannot be accepted or looked up now: Redis is away; try again")
    answer.headers["Retry-After"] = "5"
    return answer


async def _unmade(_: HttpRequest, error: Exception) -> JSONResponse:
    """Only the blocking way tells the caller so: the other keeps it in the record."""
    assert isinstance(error, LandfallError)
    return _message(503 if error.retryable else 500, str(error))


HANDLERS: dict[type[Exception], Any] = {
    RequestValidationError: _invalid,
    HTTPException: _refused,
    RedisAway: _away,
    LandfallError: _unmade,
}
