"""The ticket queue: who is admitted, who works on what, and the doorbell.

Prefect's own queue stays the truth about jobs. Redis holds what Prefect has no place for:
capacity, idempotency keys, leases and a bell that saves the wait for the next poll. The clock
is Redis's, so that machines need not agree on the time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from dedup2d.errors import ConflictError, QueueFullError, RequestError
from dedup2d.tickets import keys
from dedup2d.tickets.connect import queue_errors, script
from dedup2d.tickets.keys import Keys
from dedup2d.tickets.model import MAX_TICKET_BYTES, Admission, Bell, Ticket

_PAGE: Final = 200  # ids of tickets that a sweep reads in one round trip


class Counts(BaseModel):
    """Admitted tickets: those that wait and those that are worked on."""

    model_config = ConfigDict(frozen=True)

    active: int
    per_tenant: dict[str, int]


class TicketQueue:
    """Tickets below ``prefix`` in one Redis, which answers with text (``decode_responses``).

    A bound ticket lives ``ttl_s`` seconds from its binding and from each renewal of its lease.
    Every method raises ServiceError ``QUEUE_UNAVAILABLE`` when Redis does not answer; every
    one may then be called again with the same arguments, without a second effect.
    """

    def __init__(self, redis: Redis, *, prefix: str, ttl_s: int) -> None:
        self._redis: Any = redis  # its annotations are unions over protocols and decoding
        self._keys = Keys(prefix)
        self._ttl_s = ttl_s
        self._keep_s = max(ttl_s, keys.KEEP_S)
        self._heard: dict[str, dict[str, str]] = {}  # consumer -> stream -> last id seen
        self._admit = redis.register_script(script("admit"))
        self._bind = redis.register_script(script("extend", "bind"))
        self._lease = redis.register_script(script("extend", "lease"))
        self._release = redis.register_script(script("release"))
        self._close = redis.register_script(script("close"))
        self._counts = redis.register_script(script("counts"))
        self._ring = redis.register_script(script("ring"))
        self._join = redis.register_script(script("join"))

    async def admit(
        self,
        ticket: Ticket,
        *,
        max_jobs: int,
        max_jobs_per_tenant: int,
        idempotency_key: str | None = None,
        request_digest: str = "",
    ) -> Admission:
        """Give the ticket a place, or the place that its idempotency key has already.

        Unless ``bind`` follows within ``UNBOUND_TTL_S`` seconds, the place is free again. With
        ``created=False`` the first submit's ticket is given: without files if it is closed by
        now, and with an empty ``job_id`` while its flow run is just being created. Raises
        QueueFullError (of all tenants, then of this one), ConflictError
        ``IDEMPOTENCY_CONFLICT`` and RequestError ``TICKET_TOO_LARGE``.
        """
        text = _within_limit(ticket)
        record = self._keys.idempotency(ticket.tenant_id, idempotency_key or "")
        with queue_errors():
            answer: list[Any] = await self._admit(
                keys=[*self._counting(ticket.ticket_id, ticket.tenant_id), record],
                args=[
                    ticket.ticket_id,
                    text,
                    ticket.tenant_id,
                    max_jobs,
                    max_jobs_per_tenant,
                    min(self._ttl_s, keys.UNBOUND_TTL_S),
                    self._keep_s,
                    0 if idempotency_key is None else 1,
                    request_digest,
                    ticket.created_at.isoformat(),
                    self._keys.ticket(""),
                ],
            )
        return _admission(ticket, answer)

    async def bind(self, ticket_id: str, job_id: str) -> Ticket:
        """Tie the ticket to its flow run and ring for it; gives the ticket with its job.

        Raises RequestError ``TICKET_GONE`` where the ticket expired or was closed, and
        ConflictError ``TICKET_BOUND`` where it has another job.
        """
        ticket = await self.get(ticket_id)
        if ticket is None:
            raise _gone(ticket_id)
        counting = self._counting(ticket_id, ticket.tenant_id)
        with queue_errors():
            answer = await self._bind(
                keys=[*counting, self._keys.job(job_id), self._keys.run_bells],
                args=[
                    ticket_id,
                    job_id,
                    self._ttl_s,
                    self._keep_s,
                    ticket.tenant_id,
                    keys.BELLS_KEPT,
                ],
            )
        if answer == "gone":
            raise _gone(ticket_id)
        if answer == "other":
            raise ConflictError("TICKET_BOUND", f"Ticket {ticket_id} belongs to another job.")
        return _of_job(ticket, job_id)

    async def ring(self, bell: Bell) -> None:
        """Wake one worker (``run``), or tell all of them (``cancel``)."""
        stream = self._keys.run_bells if bell.kind == "run" else self._keys.cancel_bells
        with queue_errors():
            await self._ring(keys=[stream], args=[bell.job_id, keys.BELLS_KEPT, self._keep_s])

    async def get(self, ticket_id: str) -> Ticket | None:
        """The ticket, or None where it expired or was closed."""
        with queue_errors():
            text, job_id = await self._redis.hmget(self._keys.ticket(ticket_id), "ticket", "job")
        return _of_job(Ticket.model_validate_json(text), job_id) if text else None

    async def by_job(self, job_id: str) -> Ticket | None:
        """The ticket of a flow run, or None."""
        with queue_errors():
            ticket_id = await self._redis.get(self._keys.job(job_id))
        return await self.get(ticket_id) if ticket_id else None

    async def job_of_idempotency_key(self, tenant_id: str, key: str) -> str | None:
        """The job that a tenant's idempotency key stands for, or None."""
        with queue_errors():
            job_id = await self._redis.hget(self._keys.idempotency(tenant_id, key), "job")
        return job_id or None

    async def lease(self, ticket_id: str, holder: str, ttl_s: float) -> bool:
        """Take the place for ``ttl_s`` seconds, or renew; False where another one holds it.

        A place is known by its ticket's id, whether or not the ticket is there (a run that
        Prefect started has none until its second task); a ticket that is there lives on.
        """
        with queue_errors():
            answer = await self._lease(
                keys=[
                    self._keys.ticket(ticket_id),
                    self._keys.active,
                    self._keys.tenants,
                    self._keys.lease(ticket_id),
                ],
                args=[
                    ticket_id,
                    holder,
                    self._ttl_s,
                    self._keep_s,
                    round(ttl_s * 1000),
                    self._keys.active_of(""),
                    self._keys.job(""),
                ],
            )
        return bool(answer == "held")

    async def holder(self, ticket_id: str) -> str | None:
        """Who has the lease of this place; None where nobody has."""
        with queue_errors():
            holder: str | None = await self._redis.get(self._keys.lease(ticket_id))
        return holder

    async def release(self, ticket_id: str, holder: str) -> None:
        """Give the lease back; somebody else's is left alone."""
        with queue_errors():
            await self._release(keys=[self._keys.lease(ticket_id)], args=[holder])

    async def close(self, ticket_id: str) -> None:
        """Remove all of the ticket; twice is fine.

        The idempotency record stays for its time, so that the same submit once more gets the
        same job; a record that never got a job goes too.
        """
        with queue_errors():
            await self._close(
                keys=[
                    self._keys.ticket(ticket_id),
                    self._keys.active,
                    self._keys.lease(ticket_id),
                ],
                args=[ticket_id, self._keys.active_of(""), self._keys.job("")],
            )

    async def bells(self, consumer: str, *, block_s: float) -> list[Bell]:
        """What has rung since ``consumer`` (a worker's name) asked last; cancellations first.

        Waits up to ``block_s`` seconds for the first bell; may come back earlier with nothing.
        Of the workers one gets each ``run`` bell, also one that rang before any worker was
        there; each gets every ``cancel`` bell that rings after its first call. Bells are
        hints: one that a dying worker had taken is found by polling Prefect.
        """
        with queue_errors():
            heard = self._heard.get(consumer)
            if heard is None:
                heard = self._heard[consumer] = await self._last_ids()
            runs = await self._take(consumer)
            rung = await self._listen(heard, 0 if runs else block_s)
            if rung[self._keys.run_bells] and not runs:
                runs = await self._take(consumer)
        stops = [Bell(kind="cancel", job_id=job) for job in rung[self._keys.cancel_bells]]
        return stops + [Bell(kind="run", job_id=job) for job in runs]

    async def tell_moved(self, job_id: str) -> int:
        """Say that the job's state has changed; gives how often that was said."""
        key = self._keys.moves(job_id)
        with queue_errors():
            async with self._redis.pipeline(transaction=True) as both:
                said, _ = await both.incr(key).expire(key, keys.MOVES_KEPT_S).execute()
        return int(said)

    async def moves(self, job_id: str) -> int:
        """How often somebody said that the job's state has changed."""
        with queue_errors():
            said = await self._redis.get(self._keys.moves(job_id))
        return int(said or 0)

    async def counts(self) -> Counts:
        """How many tickets are admitted, over all and by tenant."""
        with queue_errors():
            total, *pairs = await self._counts(
                keys=[self._keys.active, self._keys.tenants], args=[self._keys.active_of("")]
            )
        return Counts(active=total, per_tenant=dict(zip(pairs[::2], pairs[1::2], strict=True)))

    async def open_tickets(self) -> AsyncIterator[Ticket]:
        """Every admitted ticket, for the sweep; one that comes or goes meanwhile may be missed."""
        seen: set[str] = set()
        with queue_errors():
            async for ticket_id, _ in self._redis.zscan_iter(self._keys.active, count=_PAGE):
                seen.add(str(ticket_id))
        for ticket_id in sorted(seen):
            ticket = await self.get(ticket_id)
            if ticket is not None:
                yield ticket

    async def aclose(self) -> None:
        """Close the client, for all who share it."""
        with queue_errors():
            await self._redis.aclose()

    def _counting(self, ticket_id: str, tenant_id: str) -> list[str]:
        active_of = self._keys.active_of(tenant_id)
        return [self._keys.ticket(ticket_id), self._keys.active, active_of, self._keys.tenants]

    async def _last_ids(self) -> dict[str, str]:
        last = {}
        for stream in (self._keys.run_bells, self._keys.cancel_bells):
            newest = await self._redis.xrevrange(stream, count=1)
            last[stream] = newest[0][0] if newest else "0-0"
        return last

    async def _take(self, consumer: str) -> list[str]:
        """Run bells for this worker alone; taken is acknowledged, a bell is only a hint."""
        stream = self._keys.run_bells
        for _ in range(2):
            try:
                answer = await self._redis.xreadgroup(
                    keys.WORKERS, consumer, {stream: ">"}, count=keys.BELL_BATCH, noack=True
                )
            except ResponseError as error:
                if not str(error).startswith("NOGROUP"):
                    raise
                # first worker ever, or Redis lost its data
                await self._join(keys=[stream], args=[keys.WORKERS, self._keep_s])
            else:
                return [fields["job"] for _, entries in answer or () for _, fields in entries]
        return []

    async def _listen(self, heard: dict[str, str], block_s: float) -> dict[str, list[str]]:
        """New entries of both streams; reading them takes nothing from other workers."""
        rung: dict[str, list[str]] = {stream: [] for stream in heard}
        block_ms = round(min(block_s, keys.BELL_BLOCK_S) * 1000) or None  # 0 would block for ever
        answer = await self._redis.xread(dict(heard), block=block_ms)
        for stream, entries in answer or ():
            heard[stream] = entries[-1][0]
            rung[stream] = [fields["job"] for _, fields in entries]
        return rung


def _within_limit(ticket: Ticket) -> str:
    text = ticket.model_dump_json(exclude_none=True)
    if len(text.encode()) > MAX_TICKET_BYTES:
        raise RequestError(
            "TICKET_TOO_LARGE",
            f"The job's references and parameters take more than {MAX_TICKET_BYTES} bytes.",
        )
    return text


def _admission(ticket: Ticket, answer: list[Any]) -> Admission:
    match answer:
        case ["full", limit, current]:
            raise QueueFullError(limit, current)
        case ["conflict"]:
            raise ConflictError(
                "IDEMPOTENCY_CONFLICT", "This idempotency key came with another request before."
            )
        case ["known", ticket_id, job_id, created_at, text]:
            shell = {"tenant_id": ticket.tenant_id, "ticket_id": ticket_id}
            first = (
                Ticket.model_validate_json(text) if text else Ticket(**shell, created_at=created_at)
            )
            return Admission(ticket=_of_job(first, job_id), created=False)
    return Admission(ticket=ticket, created=True)


def _of_job(ticket: Ticket, job_id: str | None) -> Ticket:
    return ticket.model_copy(update={"job_id": job_id or ""})


def _gone(ticket_id: str) -> RequestError:
    return RequestError("TICKET_GONE", f"Ticket {ticket_id} has expired or was closed.")
