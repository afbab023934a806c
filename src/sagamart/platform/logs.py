"""Logs: one JSON line an event in the Elastic Common Schema, or a readable line on a terminal, on standard error.

Rules:
- The hot path does not log: not per request, not per message.
- What other libraries log by `logging` takes the same way.
- Values under names such as `password` or `token` are never written, whoever logs them.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO, cast, get_args

import ecs_logging
import structlog
from structlog.typing import EventDict, Processor

from sagamart.platform.ecs import as_ecs

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "json", "console"]

SECRET_NAMES = ("password", "passwd", "secret", "token", "authorization", "cookie", "private_key")
HIDDEN = "***"


def configure(
    node: str, version: str, level: Level = "info", form: Format = "auto", stream: TextIO | None = None
) -> None:
    """Set up logging for this process.  `auto` is for people where the stream is a terminal, else JSON."""
    stream = sys.stderr if stream is None else stream
    readable = form == "console" or (form == "auto" and stream.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        _hide_secrets,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(_for_people() if readable else _for_machines(node, version)),
            ],
        )
    )
    logging.getLogger().handlers = [handler]
    for quiet in ("alembic", "asyncio", "httpx", "uvicorn.access", "uvicorn.error"):
        logging.getLogger(quiet).setLevel(logging.WARNING)
    set_level(level)


def set_level(level: Level) -> None:
    """Write from this level on."""
    logging.getLogger().setLevel(level.upper())


def level() -> Level:
    """The least level written now."""
    name = logging.getLevelName(logging.getLogger().level).lower()
    return cast("Level", name) if name in get_args(Level) else "error"


def _for_people() -> list[Processor]:
    plain = structlog.dev.plain_traceback  # a traceback with the values of its variables would show secrets
    return [structlog.processors.TimeStamper("%H:%M:%S"), structlog.dev.ConsoleRenderer(exception_formatter=plain)]


def _for_machines(node: str, version: str) -> list[Processor]:
    def add_origin(_logger: Any, _method: str, event: EventDict) -> EventDict:
        line = as_ecs(event)  # the schema's `service` is the program; one of the shop's is a label
        return line | {"service.name": "sagamart", "service.version": version, "service.node.name": node}

    return [_name_error, _format_exception, add_origin, _as_ecs]


_ecs = ecs_logging.StructlogFormatter(ensure_ascii=False)


def _as_ecs(logger: Any, method: str, event: EventDict) -> str:
    return str(_ecs(logger, method, dict(event)))


def _format_exception(logger: Any, method: str, event: EventDict) -> EventDict:
    told = structlog.processors.format_exc_info(logger, method, event)
    if "exception" in told:
        told["error.stack_trace"] = told.pop("exception")
    return told


def _name_error(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """The exception's type and words in fields of their own, so that they can be searched for."""
    given = event.get("exc_info")
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["error.type"] = type(error).__name__
        event["error.message"] = str(error)
    return event


def _hide_secrets(_logger: Any, _method: str, event: EventDict) -> EventDict:
    return _without_secrets(event)


def _without_secrets(values: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in values.items():
        if any(secret in str(name).lower() for secret in SECRET_NAMES):
            values[name] = HIDDEN
        elif isinstance(value, dict):
            values[name] = _without_secrets(dict(value))
    return values
