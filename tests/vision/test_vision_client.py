from __future__ import annotations

import asyncio
import hashlib
import socket
import time

import psutil
import pytest
from fake_vision import Misbehaviour, candidate, search_answer

from dedup2d.errors import DrawingError, RequestError, ServiceError
from dedup2d.options import Mode, SearchOptions
from dedup2d.report import Relation, Verdict

OPTIONS = SearchOptions()
DOWN = Misbehaviour(status=503, body={"detail": "index not ready"})


async def test_a_search_sends_the_file_and_every_option_as_the_contract_words_them(
    matcher, fake, drawing
):
    options = SearchOptions(mode=Mode.PRECISE, max_results=0, compute_diff=False, enable_ml=True)
    await matcher.search(drawing, options, tenant="t")
    (seen,) = fake.seen
    assert seen.path == "/api/v2/search"
    assert (seen.file_name, seen.size) == ("flange.png", drawing.size)
    assert seen.sha256 == drawing.file_hash
    assert seen.form == {
        "mode": "precise",
        "max_results": "0",
        "compute_diff": "false",
        "enable_ml": "true",
        "enable_geometric": "false",
    }


async def test_a_report_keeps_the_answers_fields_and_calls_equal_bytes_exact(
    matcher, fake, drawing
):
    fake.search_body = search_answer(
        total_matches=3,
        duplicates=[candidate(similarity=0.96), candidate(file_hash=drawing.file_hash)],
        similar=[candidate(drawing_id="d-3", similarity=0.85, verdict="similar")],
    )
    report = await matcher.search(drawing, OPTIONS, tenant="t")
    assert [match.relation for match in report.matches] == [
        Relation.EXACT,
        Relation.SIMILAR,
        Relation.SIMILAR,
    ]
    assert [match.verdict for match in report.matches] == [
        Verdict.DUPLICATE,
        Verdict.DUPLICATE,
        Verdict.SIMILAR,
    ]
    assert (report.total_matches, report.timing) == (3, {"total_ms": 12.0})
    assert report.query.file_hash == drawing.file_hash


async def test_a_hash_that_is_no_sha256_stays_as_it_is(matcher, fake, drawing):
    """The predecessor failed the whole job for one md5 (A19)."""
    report = await matcher.search(drawing, OPTIONS, tenant="t")
    assert report.duplicates[0].file_hash == "0" * 32


async def test_a_similarity_rounded_to_just_above_one_is_one(matcher, fake, drawing):
    fake.search_body = search_answer(duplicates=[candidate(similarity=1.0000001)])
    report = await matcher.search(drawing, OPTIONS, tenant="t")
    assert report.duplicates[0].similarity == 1


async def test_a_search_that_the_service_calls_failed_says_why_without_its_paths(
    matcher, fake, drawing
):
    fake.search_body = search_answer(
        success=False, error={"message": "cannot open /srv/index/l1.faiss"}
    )
    report = await matcher.search(drawing, OPTIONS, tenant="t")
    assert report.error.code == "VISION_SEARCH_FAILED"
    assert report.error.message == "cannot open ..."


@pytest.mark.parametrize(
    "body",
    [
        "<html>gateway</html>",
        "",
        [],
        {"success": True},
        search_answer(duplicates=[{k: v for k, v in candidate().items() if k != "confidence"}]),
        search_answer(duplicates=[candidate(similarity=1.5)]),
        search_answer(total_matches=-1),
    ],
    ids=["html", "empty", "list", "fields missing", "no confidence", "over one", "negative"],
)
async def test_a_malformed_answer_is_an_error_when_it_arrives(matcher, fake, drawing, body):
    """The predecessor stored it as completed and answered 500 for ever (A11)."""
    fake.misbehave(*[Misbehaviour(body=body)] * 2)
    with pytest.raises(ServiceError) as caught:
        await matcher.search(drawing, OPTIONS, tenant="t")
    assert (caught.value.service, caught.value.code) == ("vision", "VISION_BAD_ANSWER")
    assert len(fake.seen) == 2


async def test_an_endless_answer_is_cut_off(build, fake, drawing):
    fake.misbehave(Misbehaviour(body="x" * (33 * 1024**2)))
    with pytest.raises(ServiceError, match="far too long"):
        await build(vision_max_attempts=1).search(drawing, OPTIONS, tenant="t")


async def test_a_failed_search_is_asked_once_more_with_the_whole_file(matcher, fake, drawing):
    fake.misbehave(DOWN)
    report = await matcher.search(drawing, OPTIONS, tenant="t")
    assert report.success
    assert [seen.sha256 for seen in fake.seen] == [drawing.file_hash] * 2


async def test_attempts_are_bounded_and_the_error_names_the_service(build, fake, drawing):
    fake.misbehave(*[DOWN] * 5)
    with pytest.raises(ServiceError, match=r"HTTP 503.*index not ready") as caught:
        await build(vision_max_attempts=3).search(drawing, OPTIONS, tenant="t")
    assert (caught.value.service, len(fake.seen)) == ("vision", 3)


async def test_retry_after_is_waited_for(matcher, fake, drawing):
    fake.misbehave(Misbehaviour(status=429, headers={"Retry-After": "1"}))
    started = time.monotonic()
    await matcher.search(drawing, OPTIONS, tenant="t")
    assert 0.9 < time.monotonic() - started < 4


async def test_a_retry_after_beyond_the_limit_is_handed_up(matcher, fake, drawing):
    fake.misbehave(Misbehaviour(status=429, headers={"Retry-After": "120"}))
    with pytest.raises(ServiceError) as caught:
        await matcher.search(drawing, OPTIONS, tenant="t")
    assert (caught.value.code, caught.value.retry_after_s) == ("VISION_BUSY", 120)
    assert len(fake.seen) == 1


async def test_a_slow_service_is_a_time_out(build, fake, drawing):
    fake.misbehave(Misbehaviour(after_s=2))
    with pytest.raises(ServiceError, match="too long"):
        await build(vision_timeout_s=0.2, vision_max_attempts=1).search(
            drawing, OPTIONS, tenant="t"
        )


async def test_a_service_that_is_not_there_is_named(build, drawing):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(ServiceError, match="vision service cannot be reached"):
        await build(vision_url=url).search(drawing, OPTIONS, tenant="t")


@pytest.mark.parametrize("status", [400, 413, 415])
async def test_a_file_that_the_service_refuses_is_the_drawings_fault(
    matcher, fake, drawing, status
):
    fake.misbehave(Misbehaviour(status=status, body={"detail": "no image"}))
    with pytest.raises(DrawingError, match="no image") as caught:
        await matcher.search(drawing, OPTIONS, tenant="t")
    assert (caught.value.code, len(fake.seen)) == ("VISION_REFUSED_DRAWING", 1)


async def test_options_that_the_service_refuses_are_the_callers_fault(matcher, fake, drawing):
    fake.misbehave(Misbehaviour(status=422, body={"detail": [{"msg": "mode"}]}))
    with pytest.raises(RequestError):
        await matcher.search(drawing, OPTIONS, tenant="t")


async def test_a_wrong_address_is_the_services_fault_and_not_retried(matcher, fake, drawing):
    fake.misbehave(Misbehaviour(status=404, body={"detail": "Not Found"}))
    with pytest.raises(ServiceError) as caught:
        await matcher.search(drawing, OPTIONS, tenant="t")
    assert (caught.value.code, len(fake.seen)) == ("VISION_REFUSED", 1)


async def test_adding_gives_the_services_id_and_the_files_hash(matcher, fake, drawing):
    added = await matcher.add(drawing, tenant="t", user_name="ada")
    assert (added.drawing_id, added.file_hash) == ("7", drawing.file_hash)
    assert fake.seen[0].query == {"user_name": "ada", "upload_to_s3": "true"}


@pytest.mark.parametrize("file_hash", ["", None])
async def test_adding_without_a_hash_in_the_answer_is_the_services_fault(
    matcher, fake, drawing, file_hash
):
    """The predecessor's words, which its clients know."""
    answer = {"success": True, "drawing_id": "7"}
    answer |= {} if file_hash is None else {"file_hash": file_hash}
    fake.misbehave(Misbehaviour(body=answer))
    with pytest.raises(ServiceError) as caught:
        await matcher.add(drawing, tenant="t")
    assert caught.value.code == "VISION_HASH_MISSING"
    assert caught.value.message == "dedupcad-vision response missing file_hash"


async def test_adding_and_rebuilding_are_never_repeated(matcher, fake, drawing):
    """They change the vault, and a lost answer does not mean a lost change."""
    fake.misbehave(DOWN, DOWN)
    with pytest.raises(ServiceError):
        await matcher.add(drawing, tenant="t")
    with pytest.raises(ServiceError):
        await matcher.rebuild(tenant="t")
    assert [seen.path for seen in fake.seen] == ["/api/index/add", "/api/v2/index/rebuild"]
    assert await matcher.rebuild(tenant="t") == {"success": True, "message": "rebuilt"}


async def test_health_is_passed_through_and_retried(matcher, fake):
    fake.misbehave(DOWN)
    assert await matcher.health() == {
        "status": "healthy",
        "service": "fake",
        "indexes": {"l1": 3},
    }


async def test_the_circuit_opens_after_failures_and_closes_after_one_success(build, fake, drawing):
    matcher = build(
        vision_max_attempts=1, vision_circuit_threshold=2, vision_circuit_recovery_s=0.3
    )
    fake.misbehave(DOWN, DOWN)
    for _ in range(2):
        with pytest.raises(ServiceError):
            await matcher.health()
    with pytest.raises(ServiceError) as caught:
        await matcher.search(drawing, OPTIONS, tenant="t")
    assert (caught.value.code, caught.value.retry_after_s) == ("VISION_CIRCUIT_OPEN", 1)
    assert len(fake.seen) == 2
    await asyncio.sleep(0.35)
    assert (await matcher.health())["status"] == "healthy"
    assert (await matcher.search(drawing, OPTIONS, tenant="t")).success


async def test_broken_drawings_and_cancelled_calls_do_not_open_the_circuit(build, fake, drawing):
    matcher = build(vision_circuit_threshold=1)
    fake.misbehave(Misbehaviour(status=400), Misbehaviour(after_s=1))
    with pytest.raises(DrawingError):
        await matcher.search(drawing, OPTIONS, tenant="t")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await matcher.search(drawing, OPTIONS, tenant="t")
    assert (await matcher.search(drawing, OPTIONS, tenant="t")).success


async def test_a_disabled_circuit_keeps_asking(build, fake):
    matcher = build(vision_circuit_enabled=False, vision_max_attempts=1, vision_circuit_threshold=1)
    fake.misbehave(*[DOWN] * 3)
    for _ in range(3):
        with pytest.raises(ServiceError, match="HTTP 503"):
            await matcher.health()


async def test_loading_hashes_and_measures_without_reading_the_drawing(matcher, tmp_path):
    path = tmp_path / "part.dxf"
    path.write_bytes(b"not a DXF at all")
    loaded = await matcher.load(path, tmp_path)
    assert loaded.file_hash == hashlib.sha256(b"not a DXF at all").hexdigest()
    assert (loaded.size, loaded.format, loaded.drawing_path) == (16, "dxf", None)


async def test_a_big_file_is_never_in_memory_as_a_whole(matcher, fake, tmp_path):
    """The predecessor held a file 2.7 times; the fake service in this process holds none."""
    path = tmp_path / "big.tif"
    with path.open("wb") as file:
        file.truncate(200 * 1024**2)
    loaded = await matcher.load(path, tmp_path)
    me, samples = psutil.Process(), []
    before = me.memory_info().rss
    sending = asyncio.create_task(matcher.add(loaded, tenant="t"))
    while not sending.done():
        samples.append(me.memory_info().rss)
        await asyncio.sleep(0.01)
    assert (await sending).file_hash == loaded.file_hash
    assert fake.seen[0].size == 200 * 1024**2
    assert len(samples) > 20
    assert max(samples) - before < 64 * 1024**2
