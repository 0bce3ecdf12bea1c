"""The connection to Redis: time-outs, retries and what its errors become."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as LostConnection
from redis.exceptions import RedisError

from dedup2d.errors import RequestError, ServiceError
from dedup2d.settings import Settings
from dedup2d.tickets import keys
from dedup2d.tickets.embedded import EmbeddedRedis


def connect(settings: Settings, *, start_embedded: bool = False) -> Redis:
    """A client for ``settings.redis_url``, else for the embedded Redis of the data folder.

    Nothing is sent before the first command. The embedded server is started (blocking, some
    tenths of a second) only with ``start_embedded``. The caller closes the client.
    """
    if settings.redis_url:
        return connect_url(settings.redis_url)
    embedded = EmbeddedRedis(settings.data_dir)
    return connect_url(embedded.start() if start_embedded else embedded.url)


def connect_url(url: str) -> Redis:
    """A client for a ``redis://``, ``rediss://`` or ``unix://`` address.

    A lost connection is retried with jitter for about a second; a server that does not answer
    costs one time-out. Raises RequestError ``INVALID_SETTING`` for another kind of address.
    """
    backoff = ExponentialWithJitterBackoff(base=keys.RETRY_BASE_S, cap=keys.RETRY_CAP_S)
    try:
        pool = BlockingConnectionPool.from_url(  # a burst waits for a connection, not for an error
            url,
            max_connections=keys.MAX_CONNECTIONS,
            timeout=keys.SOCKET_TIMEOUT_S,
            decode_responses=True,
            protocol=2,
            socket_connect_timeout=keys.CONNECT_TIMEOUT_S,
            socket_timeout=keys.SOCKET_TIMEOUT_S,
            health_check_interval=keys.HEALTH_CHECK_S,
            retry=Retry(backoff, keys.RETRIES, supported_errors=(LostConnection,)),
        )
    except ValueError as error:
        raise RequestError(
            "INVALID_SETTING", "DEDUP2D_REDIS_URL must start with redis://, rediss:// or unix://."
        ) from error
    return Redis.from_pool(pool)


@contextmanager
def queue_errors() -> Iterator[None]:
    """Whatever Redis or the way to it does becomes ServiceError ``QUEUE_UNAVAILABLE``."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise ServiceError(
            "queue", f"The queue does not answer ({type(error).__name__}).", retry_after_s=5
        ) from error


@cache
def script(*names: str) -> str:
    """The text of our Lua scripts, one after the other."""
    folder = files("dedup2d.tickets") / "scripts"
    return "".join((folder / f"{name}.lua").read_text("utf-8") for name in names)
