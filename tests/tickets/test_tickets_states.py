"""The life of tickets, walked at random against a real Redis and compared with a plain model."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from dedup2d.errors import ConflictError, QueueFullError, RequestError
from dedup2d.settings import read_settings
from dedup2d.tickets.connect import connect
from dedup2d.tickets.keys import Keys
from dedup2d.tickets.model import Ticket
from dedup2d.tickets.queue import TicketQueue

MAX_JOBS, MAX_JOBS_PER_TENANT = 4, 3


@dataclass
class Known:
    """What must be true of one ticket."""

    tenant: str
    key: str | None
    job: str = ""
    open: bool = True


class TicketLife(RuleBasedStateMachine):
    data_dir: Path
    tickets = Bundle("tickets")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.redis: Any = None
        self.known: dict[str, Known] = {}
        self.holders: dict[str, str] = {}  # a place can be leased without its ticket
        self.records: dict[tuple[str, str], tuple[str, str]] = {}  # tenant, key: ticket, digest

    @initialize()
    def open_queue(self) -> None:
        self.redis = connect(read_settings({}, data_dir=self.data_dir))
        self.keys = Keys(f"s{uuid.uuid4().hex[:8]}")
        self.queue = TicketQueue(self.redis, prefix=self.keys.prefix, ttl_s=3600)

    def teardown(self) -> None:
        self.runner.run(self.redis.aclose())
        self.runner.close()

    def run(self, call: Any) -> Any:
        return self.runner.run(call)

    def open_ids(self, tenant: str | None = None) -> list[str]:
        return sorted(
            ticket_id
            for ticket_id, it in self.known.items()
            if it.open and tenant in {None, it.tenant}
        )

    @rule(
        target=tickets,
        tenant=st.sampled_from(["acme", "globex"]),
        key=st.sampled_from([None, "k1", "k2"]),
        digest=st.sampled_from(["d1", "d2"]),
    )
    def admit(self, tenant: str, key: str | None, digest: str) -> str:
        ticket = Ticket(ticket_id=uuid.uuid4().hex, tenant_id=tenant)
        limits = {"max_jobs": MAX_JOBS, "max_jobs_per_tenant": MAX_JOBS_PER_TENANT}
        call = self.queue.admit(ticket, **limits, idempotency_key=key, request_digest=digest)
        first = self.records.get((tenant, key)) if key else None
        if first and (self.known[first[0]].job or self.known[first[0]].open):
            if first[1] != digest:
                with pytest.raises(ConflictError):
                    self.run(call)
                return first[0]
            answer = self.run(call)
            assert not answer.created
            assert (answer.ticket.ticket_id, answer.ticket.job_id) == (
                first[0],
                self.known[first[0]].job,
            )
            return first[0]
        full = len(self.open_ids()) >= MAX_JOBS
        if full or len(self.open_ids(tenant)) >= MAX_JOBS_PER_TENANT:
            with pytest.raises(QueueFullError):
                self.run(call)
            return "never admitted"
        assert self.run(call).created
        self.known[ticket.ticket_id] = Known(tenant, key)
        if key:
            self.records[tenant, key] = (ticket.ticket_id, digest)
        return ticket.ticket_id

    @rule(ticket_id=tickets, job=st.sampled_from(["job-1", "job-2"]))
    def bind(self, ticket_id: str, job: str) -> None:
        job = f"{job}-of-{ticket_id}"
        it = self.known.get(ticket_id)
        if it and it.open and it.job in {"", job}:
            assert self.run(self.queue.bind(ticket_id, job)).job_id == job
            it.job = job
        else:
            with pytest.raises(RequestError):
                self.run(self.queue.bind(ticket_id, job))

    @rule(ticket_id=tickets, holder=st.sampled_from(["w1", "w2"]))
    def lease(self, ticket_id: str, holder: str) -> None:
        holds = self.holders.setdefault(ticket_id, holder)
        assert self.run(self.queue.lease(ticket_id, holder, 60)) is (holds == holder)

    @rule(ticket_id=tickets, holder=st.sampled_from(["w1", "w2"]))
    def release(self, ticket_id: str, holder: str) -> None:
        self.run(self.queue.release(ticket_id, holder))
        if self.holders.get(ticket_id) == holder:
            del self.holders[ticket_id]

    @rule(ticket_id=tickets)
    def close(self, ticket_id: str) -> None:
        self.run(self.queue.close(ticket_id))
        self.holders.pop(ticket_id, None)
        if it := self.known.get(ticket_id):
            it.open = False

    @rule(ticket_id=consumes(tickets))
    def expire(self, ticket_id: str) -> None:
        """Time passes: what Redis would do at the ticket's end."""
        it = self.known.get(ticket_id)
        if it is None or not it.open:
            return
        gone = [self.keys.ticket(ticket_id), self.keys.lease(ticket_id), self.keys.job(it.job)]
        self.run(self.redis.delete(*gone))
        for name in (self.keys.active, self.keys.active_of(it.tenant)):
            self.run(self.redis.zadd(name, {ticket_id: 1}))
        it.open = False
        self.holders.pop(ticket_id, None)

    @invariant()
    def counts_agree(self) -> None:
        if self.redis is None:
            return
        counts = self.run(self.queue.counts())
        tenants = {it.tenant for it in self.known.values() if it.open}
        assert counts.active == len(self.open_ids())
        assert counts.per_tenant == {name: len(self.open_ids(name)) for name in tenants}

    @invariant()
    def open_tickets_are_found_and_others_are_not(self) -> None:
        for ticket_id, it in self.known.items():
            ticket = self.run(self.queue.get(ticket_id))
            assert (ticket is not None) is it.open
            if it.job:
                assert self.run(self.queue.by_job(it.job)) == ticket


def test_whatever_happens_to_tickets_the_queue_agrees_with_the_model(ticket_data):
    TicketLife.data_dir = ticket_data
    run_state_machine_as_test(
        TicketLife,
        settings=settings(
            max_examples=40,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
