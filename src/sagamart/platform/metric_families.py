"""Every metric of the shop: its name, type, labels, unit and meaning.  `docs/reference/metrics.md` is made from it.

Rules:
- A name begins with `sagamart_`; what only grows is a counter and ends in `_total` where it is shown.
- Times are in seconds, of the process's or the database's clock.
- A label has few values, known beforehand: never an id.
- What is read off a database is the same in every replica of the service: take the `max` by service, not the sum.
"""

from typing import Literal

import msgspec

Kind = Literal["counter", "gauge", "histogram"]
Source = Literal["process", "database", "door", "audit"]

BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
BATCH_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
CALL_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
HTTP_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
STEP_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300)

S = ("service",)
OUTSIDE = ("service", "destination")


class Family(msgspec.Struct, frozen=True):
    """A metric.  `buckets` are a histogram's upper bounds, `source` is where its figures come from."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    unit: str
    meaning: str
    source: Source = "process"
    buckets: tuple[float, ...] = ()

    @property
    def shown(self) -> str:
        """The name under which it is found in Prometheus, without a histogram's endings."""
        return f"sagamart_{self.name}" + ("_total" if self.kind == "counter" else "")


INFO = Family("build_info", "gauge", ("version", "python", "node"), "", "Always 1: which version runs here")

MESSAGES = Family(
    "messages",
    "counter",
    (*S, "outcome"),
    "messages",
    "Messages: handled, stale (handled, and it changed nothing), duplicate, or dead",
)
BATCH_MESSAGES = Family("batch_messages", "histogram", S, "messages", "Messages in a batch", buckets=BATCH_SIZES)
BATCH_TIME = Family(
    "batch_seconds", "histogram", S, "seconds", "Time of a batch: one transaction", buckets=BATCH_SECONDS
)
STEP_TIME = Family(
    "step_seconds",
    "histogram",
    (*S, "type"),
    "seconds",
    "From a message's making to the commit of its handling, by its type; one message of each batch is measured",
    buckets=STEP_SECONDS,
)
QUEUE_MESSAGES = Family("queue_messages", "gauge", S, "messages", "Messages that wait for the worker")
QUEUE_REQUESTS = Family("queue_requests", "gauge", S, "requests", "Requests that wait for the worker")
UNDER_WAY = Family("under_way_messages", "gauge", S, "messages", "Messages sent by this process and not arrived")
REFUSED = Family("admission_refused", "counter", S, "requests", "Requests refused with 503 for lack of room")
FAILED = Family("worker_failed", "gauge", S, "", "1: the worker has stopped, or stands still; the log says why")
PAUSED = Family("consumer_paused", "gauge", S, "", "1: an operator has paused the service's intake of messages")
LAG = Family(
    "consumer_lag_messages", "gauge", S, "messages", "Kafka: messages not finished in this process's partitions"
)
PARTITIONS = Family("consumer_partitions", "gauge", S, "partitions", "Kafka: partitions of this process")
POOL = Family("db_pool_connections", "gauge", (*S, "state"), "connections", "Connections for reads: idle or used")

CALL_TIME = Family(
    "outside_call_seconds",
    "histogram",
    (*OUTSIDE, "outcome"),
    "seconds",
    "Time of a call outside (bank, mail, webhooks): answered or failed",
    buckets=CALL_SECONDS,
)
BREAKER = Family("outside_breaker", "gauge", OUTSIDE, "", "Circuit breaker: 0 closed, 1 half open, 2 open")
WAITING = Family("outside_waiting", "gauge", OUTSIDE, "intents", "Intents that wait in this process to be called")

HTTP_TIME = Family(
    "http_request_seconds",
    "histogram",
    ("method", "route"),
    "seconds",
    "From a request's arrival to the beginning of its answer, by route",
    buckets=HTTP_SECONDS,
)
HTTP_REQUESTS = Family(
    "http_requests", "counter", ("method", "route", "status"), "requests", "HTTP requests by the status of the answer"
)

DATABASE_UP = Family(
    "database_up", "gauge", S, "", "1: the last look into the service's database succeeded", "database"
)
OUTBOX = Family("outbox_parcels", "gauge", S, "rows", "Rows in the outbox: batches not arrived everywhere", "database")
OUTBOX_AGE = Family(
    "outbox_oldest_seconds", "gauge", S, "seconds", "Age of the oldest cause with a row in the outbox", "database"
)
TIMERS = Family("timers_armed", "gauge", S, "timers", "Timers that are armed", "database")
TIMERS_OVERDUE = Family("timers_overdue", "gauge", S, "timers", "Timers that are due and have not fired", "database")
TIMER_DELAY = Family(
    "timer_delay_seconds", "gauge", S, "seconds", "How long the oldest due timer has been due", "database"
)
DEAD = Family(
    "dead_letters", "gauge", (*S, "status"), "messages", "Dead letters: dead, or waiting behind one", "database"
)
PARKED = Family("parked_keys", "gauge", S, "keys", "Keys (orders, wallets, skus) whose messages wait", "database")
ORDERS = Family(
    "orders_open",
    "gauge",
    ("status",),
    "orders",
    "Orders of the last 30 days that have not ended, by status",
    "database",
)
ORDERS_LATE = Family(
    "orders_overdue",
    "gauge",
    ("status",),
    "orders",
    "Those of them that have been in their status for longer than it allows, and a minute more",
    "database",
)

DOOR_TIME = Family(
    "door_request_seconds",
    "histogram",
    S,
    "seconds",
    "From a request's arrival at the door to the beginning of the answer that it hands back",
    "door",
    HTTP_SECONDS,
)
DOOR_REQUESTS = Family(
    "door_requests",
    "counter",
    (*S, "status"),
    "requests",
    "Requests that the door handed on, by the status of the answer: 502, 503, 504 where it got none",
    "door",
)

AUDIT_FINDINGS = Family(
    "audit_findings", "gauge", ("invariant",), "findings", "What breaks an invariant; 0 where it holds", "audit"
)
AUDIT_ENDED = Family("audit_finished_seconds", "gauge", (), "seconds", "When the audit ended (Unix time)", "audit")
AUDIT_TIME = Family("audit_duration_seconds", "gauge", (), "seconds", "How long the audit took", "audit")

FAMILIES: tuple[Family, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Family))
"""All of them, in the order above."""
