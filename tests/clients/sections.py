"""What the sections of redis-py stand on: connections, comparisons, waiting, and the run itself.

Each section begins with an empty server and new connections. A line for each says how it went: `ok NAME`, or
`FAILED NAME: WHY`; the last line is `done`.
"""

import sys
import threading
import time

import redis
from redis.exceptions import TimeoutError

PORT, PROTOCOL = int(sys.argv[1]), int(sys.argv[2])

# Far above any real reply, far below the patience of the test.
PATIENCE_SECONDS = 5

SECTIONS = []
OPEN = []


def section(name):
    """Declares the section `name`."""

    def add(body):
        SECTIONS.append((name, body))
        return body

    return add


def options(**more):
    """How every connection is made."""
    return {"port": PORT, "protocol": PROTOCOL, "decode_responses": True, "socket_timeout": PATIENCE_SECONDS} | more


def connect(**more):
    """A client that is closed when its section ends."""
    client = redis.Redis(**options(**more))
    OPEN.append(client)
    return client


def plain(value):
    """RESP2 and RESP3 answer with tuples here and lists there; what is compared is their contents."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def check(found, expected):
    """Fails unless both are the same."""
    if plain(found) != plain(expected):
        raise AssertionError(f"expected {expected!r}, found {found!r}")


def refused(kind, text, call, *arguments):
    """Fails unless the call ends with this kind of error, whose text holds `text`."""
    try:
        found = call(*arguments)
    except kind as error:
        if text not in str(error):
            raise AssertionError(f"expected an error with {text!r}, found {error}") from error
        return
    raise AssertionError(f"expected an error with {text!r}, found {found!r}")


def until(condition):
    """Waits for what another connection is about to bring about."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("what was waited for did not happen")
        time.sleep(0.002)


def message(subscriber):
    """The next message of a subscriber as `[type, pattern, channel, data]`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = subscriber.get_message(timeout=PATIENCE_SECONDS)
        if found:
            return [found["type"], found["pattern"], found["channel"], found["data"]]
    raise AssertionError("no message came")


def woken(server, block, wake):
    """What the blocking call `block` returns when `wake` is called while it blocks."""
    results = []

    def run():
        try:
            results.append(block(connect()))
        except Exception as error:  # It is what the call returned, and fails the comparison.
            results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    until(lambda: results or int(server.info("clients")["blocked_clients"]) == 1)
    wake()
    thread.join(PATIENCE_SECONDS)
    return results[0] if results else "it was not woken"


def answers(client):
    """Whether the server answers at all."""
    try:
        return client.ping()
    except TimeoutError:
        return False


def run():
    """Runs every section."""
    for name, body in SECTIONS:
        try:
            with redis.Redis(**options()) as client:
                client.flushall()
            body()
            print(f"ok {name}", flush=True)
        except Exception as error:
            why = " ".join(f"{type(error).__name__}: {error}".split())
            print(f"FAILED {name}: {why}", flush=True)
        while OPEN:
            OPEN.pop().close()
    print("done", flush=True)
