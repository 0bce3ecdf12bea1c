"""Whatever is asked with whatever key: no answer has anything of another tenant."""

import asyncio
import os
import random
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from gateway_kit import API
from prefect.settings import PREFECT_API_URL, temporary_settings

from dedup2d.gateway.app import create_app
from dedup2d.jobs.model import JobStatus, Outcome
from dedup2d.jobs.outcomes import keep_outcome
from dedup2d.settings import read_settings
from dedup2d.tenants.model import Tenant, tenant_id_of
from dedup2d.tickets.deliveries import delivery_id_of, new_delivery
from dedup2d.tickets.model import LoggedAttempt

REQUESTS = int(os.environ.get("DEDUP2D_ISOLATION_REQUESTS", "1000"))  # 10,000: 3 minutes
AT_ONCE = 8
JOBS = 5


@dataclass
class Somebody:
    """A tenant; ``mark`` is in all that is theirs and in nothing else."""

    tenant_id: str
    keys: list[str]
    mark: str = field(default_factory=lambda: f"mark{secrets.token_hex(8)}")
    jobs: list[str] = field(default_factory=list)
    drawings: list[str] = field(default_factory=list)

    @property
    def secrets(self):
        deliveries = map(delivery_id_of, self.jobs)
        return {self.mark, self.tenant_id, *self.keys, *self.jobs, *self.drawings, *deliveries}


def strangers_keys(registered):
    """Keys that nobody has: forged, ended, revoked, odd."""
    ended, old, _ = Tenant.new("ended")
    ended, _ = ended.with_new_key(timedelta(0))
    revoked, gone, _ = Tenant.new("gone")
    revoked = revoked.model_copy(update={"revoked_at": datetime.now(UTC)})
    forged = [key[:-2] + "xx" for key in registered] + ["", "test", "\x00", "ü", "d2_", "a" * 900]
    return [ended, revoked], [old, gone, *forged]


@pytest.fixture
async def served(prefect, tmp_path, redis, data):
    """The gateway in this process, four tenants with jobs in every state, and an HTTP client."""
    keys = [secrets.token_hex(16) for _ in range(2)]
    people = [Somebody(tenant_id_of(key.encode()), [key]) for key in keys]
    settings = read_settings({}, data_dir=tmp_path).model_copy(
        update={
            "api_keys": tuple(keys),
            "redis_url": f"unix://{next(data.rglob('*.sock'))}",
            "redis_key_prefix": f"t{uuid.uuid4().hex[:8]}",
        }
    )
    app = create_app(settings)
    with temporary_settings(updates={PREFECT_API_URL: f"http://127.0.0.1:{prefect.port}/api"}):
        async with app.router.lifespan_context(app):
            gateway = app.state.gateway
            made = [Tenant.new(f"tenant-{number}") for number in range(2)]
            for tenant, key, _ in made:
                rotated, second = tenant.with_new_key(timedelta(hours=1))
                gateway.services.tenants.save(rotated)
                people.append(Somebody(tenant.tenant_id, [key, second]))
            nobodies, bad_keys = strangers_keys([key for _, key, _ in made])
            for nobody in nobodies:
                gateway.services.tenants.save(nobody)
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
                for somebody in people:
                    await _give_a_vault(http, somebody)
                    await _give_jobs(http, prefect, gateway.services, somebody)
                yield http, people, bad_keys


async def _give_a_vault(http, somebody):
    """One drawing that nobody else has."""
    lines = "".join(
        f"0\nLINE\n8\n0\n10\n0\n20\n{7 * n}\n11\n{n * n + 50}\n21\n{13 * n}\n" for n in range(30)
    )
    drawing = f"0\nSECTION\n2\nENTITIES\n{lines}0\nENDSEC\n0\nEOF\n999\n{somebody.mark}\n"
    added = await http.post(
        f"{API}/2d/index/add",
        params={"user_name": somebody.mark},
        files={"file": (f"{somebody.mark}.dxf", drawing)},
        headers={"X-API-Key": somebody.keys[0]},
    )
    assert added.status_code == 200, added.text
    somebody.drawings.append(added.json()["drawing_id"])
    somebody.drawings.append(added.json()["file_hash"])


async def _give_jobs(http, prefect, services, somebody):
    """Waiting, running, completed with a result, failed with a reason, cancelled; with webhooks."""
    kinds = ["", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"]
    for kind in kinds[:JOBS]:
        answer = await http.post(
            f"{API}/2d/search",
            params={"async": "true", "callback_url": f"https://{somebody.mark}.example/hook"},
            files={"file": (f"{somebody.mark}.dxf", f"0\nEOF\n{somebody.mark}")},
            headers={"X-API-Key": somebody.keys[0], "Idempotency-Key": f"same-{kind}"},
        )
        job_id = answer.raise_for_status().json()["job_id"]
        somebody.jobs.append(job_id)
        if not kind:
            continue
        outcome = Outcome(
            job_id=job_id,
            tenant_id=somebody.tenant_id,
            status=JobStatus.COMPLETED,
            result={"query": somebody.mark},
        )
        await keep_outcome(services.results, outcome)
        await asyncio.to_thread(prefect.set_state, job_id, kind, f"CODE: {somebody.mark}")
        url = f"https://{somebody.mark}.example/hook"
        claimed = await services.ledger.claim(
            new_delivery(job_id, tenant_id=somebody.tenant_id, url=url)
        )
        attempt = LoggedAttempt(at=datetime.now(UTC), duration_s=1, error=somebody.mark)
        await services.ledger.record(claimed[0].model_copy(update={"status": "failed"}), attempt)


def any_request(dice, people, ids):
    """One of everything that can be asked, with an id of anybody or of nobody."""
    job_id = dice.choice([*ids, str(uuid.UUID(int=dice.getrandbits(128))), "nonsense", "%2e%2e"])
    delivery = dice.choice([delivery_id_of(job_id), delivery_id_of(dice.choice(ids)), "x"])
    status = dice.choice(["pending", "completed", "failed", "canceled", "bogus", ""])
    limit = dice.choice([1, 50, 200, 0])
    mine = dice.choice(people).mark
    upload = {"files": {"file": (f"{mine}.dxf", f"0\nEOF\n{mine}")}}
    kind = f"same-{dice.choice(['', 'COMPLETED', 'new'])}"
    paths = [
        ("GET", f"/2d/jobs/{job_id}", {}, 8),
        ("GET", f"/2d/jobs?limit={limit}" + f"&status={status}" * bool(status), {}, 4),
        ("GET", f"/2d/jobs/{job_id}/deliveries", {}, 5),
        ("POST", f"/2d/jobs/{job_id}/deliveries/{delivery}/replay", {}, 3),
        ("POST", f"/2d/jobs/{job_id}/cancel", {}, 1),
        ("GET", "/2d/presets", {}, 1),
        ("GET", "/2d/health", {}, 1),
        ("POST", "/2d/index/rebuild", {}, 1),
        ("POST", "/2d/search?async=true", {"headers": {"Idempotency-Key": kind}} | upload, 1),
        ("GET", f"/2d/{dice.choice(['geom', 'jobs', 'config'])}/{job_id}/exists", {}, 1),
    ]
    (chosen,) = dice.choices(paths, [weight for *_, weight in paths])
    return chosen[:3]


async def test_no_answer_has_anything_of_another_tenant(served):
    http, people, bad_keys = served
    dice = random.Random(20261126)
    ids = [job_id for somebody in people for job_id in somebody.jobs]
    own = {key: somebody for somebody in people for key in somebody.keys}
    seen = []

    async def ask():
        method, path, more = any_request(dice, people, ids)
        key = dice.choice([*own, *own, *own, *bad_keys])
        headers = more.pop("headers", {}) | {"X-API-Key": key.encode()}
        answer = await http.request(method, API + path, headers=headers, **more)
        somebody = own.get(key)
        text = f"{answer.headers} {answer.text}"
        asked_for = f"{path} {more}"
        foreign = {
            secret
            for other in people
            if other is not somebody
            for secret in other.secrets
            if secret in text and secret not in asked_for
        }
        assert not foreign, f"{method} {path} as {somebody}: {answer.text}"
        assert answer.status_code != 500, answer.text
        if somebody is None and "health" not in path:
            assert answer.status_code in {401, 404, 405}, answer.text
        seen.append((answer.status_code, somebody is not None and somebody.mark in text))

    async def stream(count):
        for _ in range(count):
            await ask()

    await asyncio.gather(*(stream(REQUESTS // AT_ONCE) for _ in range(AT_ONCE)))
    assert {200, 202, 401, 403, 404} <= {status for status, _ in seen}
    assert sum(has_own for _, has_own in seen) > len(seen) / 20
