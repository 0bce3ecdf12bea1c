"""Every Redis key and every lifetime, in this file only. Every key expires.

    {prefix}:ticket:{ticket}        hash    ticket (JSON), tenant, job, idempotency (a key)
    {prefix}:job:{job}              string  the job's ticket
    {prefix}:lease:{ticket}         string  who works on it; lives as long as the lease
    {prefix}:active                 zset    admitted tickets by expiry (Unix seconds)
    {prefix}:active:{tenant}        zset    the same of one tenant
    {prefix}:tenants                zset    tenants that have or had tickets, by expiry
    {prefix}:idempotency:{digest}   hash    version, ticket, job, digest of the request, created
    {prefix}:bells:run              stream  a job waits; competing consumers
    {prefix}:bells:cancel           stream  a job is to stop; every worker reads all
    {prefix}:moves:{job}            string  how often its state was seen to change
    {prefix}:progress:{job}         string  drawings done of a job that has many (JSON)
    {prefix}:upload:{upload}        string  session of a direct upload (JSON)
    {prefix}:delivery:{job}         hash    state, delivery (JSON)
    {prefix}:delivery:{job}:log     list    its attempts (JSON), the oldest first
    {prefix}:deliveries:due         zset    jobs by when somebody may send next (Unix seconds)
    {prefix}:receiver:{digest}      hash    since, failures, off: a receiver that fails
    {prefix}:rate:{tenant}          string  when the tenant's next request is on time
    {prefix}:uploaded:{tenant}:{d}  string  bytes the tenant uploaded on one day (UTC)

The scripts take keys of several tickets in one step. On a Redis Cluster choose a prefix in
braces (``{dedup2d}``), so that all of them share a slot.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

UNBOUND_TTL_S: Final = 600  # a ticket whose flow run was never created frees its place
KEEP_S: Final = 24 * 3600  # idempotency records, counting keys and bells, at least
BELLS_KEPT: Final = 1000  # a hint that was not heard that long is found by polling
BELL_BATCH: Final = 16  # bells one worker takes at once
BELL_BLOCK_S: Final = 2.0  # one blocking read; below SOCKET_TIMEOUT_S
WORKERS: Final = "workers"  # the consumer group of the run bells

MOVES_KEPT_S: Final = 600  # longer than anybody trusts what was seen before a move

CONNECT_TIMEOUT_S: Final = 2.0
SOCKET_TIMEOUT_S: Final = 5.0
MAX_CONNECTIONS: Final = 32  # of one client; more calls at once take turns
HEALTH_CHECK_S: Final = 30
RETRIES: Final = 3  # of a lost connection, not of a time-out
RETRY_BASE_S: Final = 0.05
RETRY_CAP_S: Final = 0.5

CLAIM_S: Final = 120.0  # a delivery whose sender fell silent may be taken over
ATTEMPTS_LOGGED: Final = 100  # of one delivery; the oldest go first
RECEIVER_KEPT_S: Final = 30 * 86400  # from its last failure; then it has a clean slate
RECEIVER_FAILURES: Final = 10  # at least, before a receiver is switched off
COUNTED_S: Final = 2 * 86400  # what was uploaded on one day, for the clocks of all machines


@dataclass(frozen=True, slots=True)
class Keys:
    """The names below one prefix."""

    prefix: str

    def ticket(self, ticket_id: str) -> str:
        """Hash of one ticket."""
        return f"{self.prefix}:ticket:{ticket_id}"

    def job(self, job_id: str) -> str:
        """The ticket of a job."""
        return f"{self.prefix}:job:{job_id}"

    def moves(self, job_id: str) -> str:
        """How often a job's state was seen to change."""
        return f"{self.prefix}:moves:{job_id}"

    def lease(self, ticket_id: str) -> str:
        """Who works on a ticket."""
        return f"{self.prefix}:lease:{ticket_id}"

    @property
    def active(self) -> str:
        """All admitted tickets."""
        return f"{self.prefix}:active"

    def active_of(self, tenant_id: str) -> str:
        """The admitted tickets of one tenant."""
        return f"{self.prefix}:active:{tenant_id}"

    @property
    def tenants(self) -> str:
        """Tenants that may have admitted tickets."""
        return f"{self.prefix}:tenants"

    def idempotency(self, tenant_id: str, key: str) -> str:
        """Record of one idempotency key; a digest, because clients choose keys freely."""
        digest = hashlib.sha256(f"{tenant_id}\0{key}".encode()).hexdigest()[:32]
        return f"{self.prefix}:idempotency:{digest}"

    @property
    def run_bells(self) -> str:
        """Stream: a job waits."""
        return f"{self.prefix}:bells:run"

    @property
    def cancel_bells(self) -> str:
        """Stream: a job is to stop."""
        return f"{self.prefix}:bells:cancel"

    def progress(self, job_id: str) -> str:
        """How far a job of many drawings is."""
        return f"{self.prefix}:progress:{job_id}"

    def upload(self, upload_id: str) -> str:
        """Session of a direct upload."""
        return f"{self.prefix}:upload:{upload_id}"

    def delivery(self, job_id: str) -> str:
        """Hash of a job's delivery."""
        return f"{self.prefix}:delivery:{job_id}"

    def delivery_log(self, job_id: str) -> str:
        """List of the attempts of a job's delivery."""
        return f"{self.prefix}:delivery:{job_id}:log"

    @property
    def due(self) -> str:
        """Jobs whose delivery is pending, by when somebody may send."""
        return f"{self.prefix}:deliveries:due"

    def receiver(self, tenant_id: str, origin: str) -> str:
        """How a tenant's receiver does."""
        digest = hashlib.sha256(f"{tenant_id}\0{origin}".encode()).hexdigest()[:32]
        return f"{self.prefix}:receiver:{digest}"

    def rate(self, tenant_id: str) -> str:
        """When a tenant's next request is on time."""
        return f"{self.prefix}:rate:{tenant_id}"

    def uploaded(self, tenant_id: str, day: str) -> str:
        """Bytes that a tenant uploaded on ``day``."""
        return f"{self.prefix}:uploaded:{tenant_id}:{day}"
