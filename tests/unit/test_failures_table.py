"""The table of what is tried how often says what the code does."""

from pathlib import Path

from sagamart.app import BATCH_S_MAX, CLOSE_S_MAX
from sagamart.messaging.dead_letters import ATTEMPTS_MAX, DEAD_IN_A_ROW_MAX, RETRY_LETTER_S
from sagamart.messaging.inbox import INBOX_DAYS
from sagamart.messaging.limits import Limits
from sagamart.messaging.outbox import LEASE_S, RETRY_S
from sagamart.messaging.outside import BACKOFF_S, BACKOFF_S_MAX, FINISH_S, Outside
from sagamart.messaging.postgres import ANSWER_S_MAX as DATABASE_ANSWER_S_MAX
from sagamart.messaging.postgres import CONNECT_S_MAX, SESSION
from sagamart.messaging.requests import REQUESTS_KEPT_DAYS, Overloaded
from sagamart.messaging.standstill import STANDS_S
from sagamart.messaging.timers import REFIRE_S
from sagamart.messaging.transport.http import BACKOFF_S as POST_BACKOFF_S
from sagamart.messaging.transport.http import BACKOFF_S_MAX as POST_BACKOFF_S_MAX
from sagamart.messaging.transport.http import HANDLED_S_MAX, QUEUE_MAX
from sagamart.messaging.transport.kafka_client import (
    BUFFER_MESSAGES_MAX,
    DELIVERY_S_MAX,
    RECONNECT_MS_MAX,
    SESSION_S,
    producer_properties,
)
from sagamart.messaging.transport.kafka_intake import CALL_S_MAX, COMMIT_S
from sagamart.messaging.transport.kafka_producer import TOO_LARGE_RETRY_S
from sagamart.messaging.transport.reached import REMEMBERED_MAX
from sagamart.messaging.worker import LOCKED_BATCHES
from sagamart.platform.http.server import STOP_WAIT_S
from sagamart.shop.notifications.delivering import ATTEMPTS_MAX as ATTEMPTS_MAX_WEBHOOK
from sagamart.shop.notifications.delivering import PAUSE_FACTOR, PAUSE_S, PAUSE_S_MAX
from sagamart.shop.notifications.dispatching import UNKNOWN_OUTCOMES_MAX
from sagamart.shop.notifications.emailing import EMAIL_S_MAX
from sagamart.shop.notifications.posting import ANSWER_S_MAX, FAILURES_MAX, SPARED_S
from sagamart.shop.notifications.settings import EmailSection, SmsSection
from sagamart.shop.notifications.smtp import LETTER_S_MAX
from sagamart.shop.payments.decide import LOOK_S, LOOK_S_MAX, SILENCE_S
from sagamart.shop.payments.outside import DEADLINE_S

PAGE = Path(__file__).parents[2] / "docs/reference/failures.md"

IDLE = "idle_in_transaction_session_timeout"
LIMITS = Limits()
RECONNECT_MS = producer_properties({})["reconnect.backoff.ms"]
OUTSIDE = Outside(name="any", calls={})
EMAIL, SMS = EmailSection(), SmsSection()

ROWS = (
    (
        "PostgreSQL: overtaken by another batch (version, lost insert, deadlock, lock not granted)",
        f"once without locks, then {LIMITS.conflicts_max + 1} with locks",
        f"{LIMITS.backoff_s * 2} s, doubling",
        f"{LIMITS.backoff_s_max} s",
        f"{SESSION['lock_timeout']} for a lock, {SESSION['transaction_timeout']} for a transaction",
        f"halved until the one is found: a message is dead, a request gets 503; the next {LOCKED_BATCHES} batches lock",
    ),
    (
        "PostgreSQL: connection lost, or lost inside COMMIT; the server's own trouble (SQLSTATE 53, 57, 58, XX)",
        "no limit",
        f"{LIMITS.backoff_s_max} s",
        f"{LIMITS.backoff_s_max} s",
        f"{CONNECT_S_MAX} s to connect, {DATABASE_ANSWER_S_MAX} s to answer, {SESSION[IDLE]} idle in a transaction",
        "the same batch again; inbox and requests tell what had happened. `/readyz` says no meanwhile",
    ),
    (
        "PostgreSQL: a row is refused (a constraint, a limit of the program, any other error)",
        "1",
        "-",
        "-",
        "as above",
        "the batch is halved until the one message is found, which is dead",
    ),
    (
        "A sweep fails (timers, outbox, letters, pruning), for whatever reason",
        "no limit",
        f"{LIMITS.backoff_s} s, doubling",
        f"{LIMITS.backoff_s_max} s",
        "as above",
        f"the other sweeps and the loop go on; once it has not worked for {STANDS_S} s, `/readyz` says no and why",
    ),
    (
        "A handler raises",
        "1, and 1 with locks",
        "-",
        "-",
        "-",
        f"the message is dead and its key waits; {DEAD_IN_A_ROW_MAX} dead letters in a row stop the worker",
    ),
    (
        "A message kills the process",
        f"{ATTEMPTS_MAX}",
        "-",
        "-",
        "-",
        "batches begin at one after a crash; then the message is dead",
    ),
    (
        "A released dead letter",
        "no limit",
        f"{RETRY_LETTER_S} s",
        f"{RETRY_LETTER_S} s",
        "-",
        "it leaves the table when it is handled",
    ),
    (
        "A message older than the inbox remembers",
        "0",
        "-",
        "-",
        f"{INBOX_DAYS} days",
        "dead as `too_old`, never applied blindly",
    ),
    (
        "A timer that fired and was not handled",
        "no limit",
        f"{REFIRE_S} s",
        f"{REFIRE_S} s",
        "-",
        "offered again until its firing is handled",
    ),
    (
        "Transport: a consumer is full",
        "no limit",
        f"{RETRY_S} s",
        f"{RETRY_S} s",
        "-",
        f"the message stays in the outbox, for this one alone; of {REMEMBERED_MAX} messages it is known who had them",
    ),
    (
        "HTTP: a consumer does not take a post, or does not commit it in time",
        "no limit",
        f"{POST_BACKOFF_S} s, doubling",
        f"{POST_BACKOFF_S_MAX} s",
        f"{HANDLED_S_MAX} s for the commit",
        f"posted again; {QUEUE_MAX} messages wait for each consumer, what more there is in the outbox",
    ),
    (
        "Transport: the process that had sent it is gone",
        "no limit",
        f"{LEASE_S} s (its lease)",
        f"{LEASE_S} s",
        "-",
        "any replica sends it; the node itself at its next start",
    ),
    (
        "Kafka: the brokers do not answer",
        "no limit",
        f"{RECONNECT_MS / 1000} s, doubling",
        f"{RECONNECT_MS_MAX / 1000} s",
        f"{DELIVERY_S_MAX} s for a message to be acknowledged",
        f"back to the outbox, which offers it after {RETRY_S} s. Requests are taken; `/readyz` says no meanwhile",
    ),
    (
        f"Kafka: {BUFFER_MESSAGES_MAX} messages wait for the brokers in one process",
        "no limit",
        f"{RETRY_S} s",
        f"{RETRY_S} s",
        "-",
        "the message stays in the outbox",
    ),
    (
        "Kafka: a message is too large for the brokers",
        "no limit",
        f"{TOO_LARGE_RETRY_S} s",
        f"{TOO_LARGE_RETRY_S} s",
        "-",
        "it stays in the outbox and is logged each time; raising the brokers' limit lets it go",
    ),
    (
        "Kafka: a replica stands still or is gone",
        "-",
        "-",
        "-",
        f"{SESSION_S} s (`SAGAMART_KAFKA_SESSION_S`)",
        "its siblings take over its partitions, and what it had read and not committed",
    ),
    (
        "Kafka: an offset cannot be committed",
        "no limit",
        f"{COMMIT_S} s",
        f"{COMMIT_S} s",
        f"{CALL_S_MAX} s for a question to the brokers",
        "committed with the next; after a crash the messages come again, without effect",
    ),
    (
        "Kafka: a message cannot be read, or is of a type that this version does not know",
        "1",
        "-",
        "-",
        "-",
        "dead at once, its key waits; released, it is read again by whichever version is there",
    ),
    (
        "Kafka: the next message is no longer there",
        "0",
        "-",
        "-",
        "-",
        "the consumer stops and says why, `/readyz` too: a jump would hide the loss",
    ),
    (
        "Outside call: raises, answers nonsense, or is late",
        "no limit",
        f"{BACKOFF_S} s, doubling with the intent's age",
        f"{BACKOFF_S_MAX} s",
        f"{OUTSIDE.deadline_s} s",
        "the same intent under the same key, until the adapter returns an outcome (giving up is one)",
    ),
    (
        "Outside call: the destination fails again and again",
        f"{OUTSIDE.failures_max} in a row",
        f"{OUTSIDE.open_s} s without a call",
        f"{OUTSIDE.open_s} s",
        f"{OUTSIDE.deadline_s} s",
        "one call tries whether it is over; intents wait in the outbox",
    ),
    (
        "Outside call: the process stops",
        "1",
        "-",
        "-",
        f"{FINISH_S} s",
        "what has not ended is repeated in the next life, under the same key",
    ),
    (
        "The bank has not answered (payments)",
        "no limit",
        f"as above; after {SILENCE_S} s the payment is `unknown`",
        f"{BACKOFF_S_MAX} s",
        f"{DEADLINE_S} s",
        "asked under the same key until it is final, or cancelled by key; an operator may settle it, audited",
    ),
    (
        "The bank's webhook does not come (payments)",
        "no limit",
        f"{LOOK_S} s, doubling",
        f"{LOOK_S_MAX} s",
        f"{DEADLINE_S} s",
        "the bank is asked while the customer is on its page, and when a hold should have lapsed",
    ),
    (
        "The mail server or the SMS gateway cannot take a message now (notifications)",
        f"for {EMAIL.give_up_s:.0f} s, an SMS for {SMS.give_up_s:.0f} s",
        "as above",
        f"{BACKOFF_S_MAX} s",
        f"{EMAIL_S_MAX} s",
        "it is `failed` as `given_up`; refused for good (5xx of SMTP), it is `failed` at once",
    ),
    (
        "The mail server falls silent with a letter in its hands (notifications)",
        f"{UNKNOWN_OUTCOMES_MAX}",
        f"{EMAIL.repeat_s} s, doubling",
        f"{EMAIL.repeat_s * 2 ** (UNKNOWN_OUTCOMES_MAX - 2)} s",
        f"{LETTER_S_MAX} s",
        "the same letter under the same Message-ID, counted; then it is `unknown`, for it may well have arrived",
    ),
    (
        "A webhook's receiver is down, slow or answers anything but 2xx (notifications)",
        f"{ATTEMPTS_MAX_WEBHOOK}",
        f"{PAUSE_S} s, times {PAUSE_FACTOR}",
        f"{PAUSE_S_MAX} s",
        f"{ANSWER_S_MAX} s",
        "the delivery is `failed`, and staff may replay it; 410 ends the subscription at once",
    ),
    (
        "A webhook's receiver fails again and again (notifications)",
        f"{FAILURES_MAX} in a row",
        f"{SPARED_S} s without a post",
        f"{SPARED_S} s",
        f"{ANSWER_S_MAX} s",
        "its deliveries count that as an attempt; other receivers notice nothing",
    ),
    (
        "The process is told to stop (SIGTERM)",
        "1",
        "-",
        "-",
        f"{STOP_WAIT_S} s for answers, {FINISH_S} s for calls, {BATCH_S_MAX} s for batches, {2 * CLOSE_S_MAX} s to end",
        "what has not ended is rolled back or cut, and comes again; the next life is careful",
    ),
    (
        "Requests: the service is full",
        "0",
        "-",
        "-",
        "-",
        f"{LIMITS.requests_max} wait at most, then 503 with `Retry-After: {Overloaded.retry_after_s}`",
    ),
    (
        "Requests: the client repeats one",
        "no limit",
        "-",
        "-",
        f"{REQUESTS_KEPT_DAYS} days",
        "the stored answer, under the same `Idempotency-Key`",
    ),
)


def test_the_table_of_failures_says_what_the_code_does() -> None:
    table = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")][1:]
    assert table == [f"| {' | '.join(row)} |" for row in ROWS]
