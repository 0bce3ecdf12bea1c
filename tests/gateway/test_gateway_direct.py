"""Files that are sent by themselves, before the job that they are for."""

import asyncio
import hashlib
import json
import os
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from gateway_kit import API, DRAWING, KEYS, MAX_UPLOAD, PER_TENANT, detail
from redis.asyncio import Redis
from stack import BUCKET, s3_client

MB = 1024**2
SHA256 = hashlib.sha256(DRAWING).hexdigest()


def announced(content=DRAWING, **more):
    return {"file_name": "part.dxf", "size": len(content), "media_type": "image/vnd.dxf"} | more


async def opened(client, *files):
    answer = await client.http.post(f"{API}/2d/uploads", json={"files": list(files)})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def send(client, slot, content=DRAWING):
    """Exactly as the answer says, and with nothing else: no API key."""
    async with httpx.AsyncClient(base_url=client.base, timeout=60) as http:
        return await http.request(
            slot["method"], slot["url"], content=content, headers=slot["headers"]
        )


async def sent(client, content=DRAWING, **more):
    upload = await opened(client, announced(content, **more))
    (slot,) = upload["files"]
    answer = await send(client, slot, content)
    assert answer.status_code == 200, answer.text
    return upload


async def search(client, body, **query):
    return await client.http.post(f"{API}/2d/search", params={"async": "true"} | query, json=body)


@pytest.fixture(params=["local", "s3"])
def sender(request):
    """A tenant of a gateway with each kind of store."""
    return request.getfixturevalue({"local": "client", "s3": "s3_client_of_gateway"}[request.param])


async def test_a_file_is_sent_and_then_searched_with(sender, prefect):
    """The job has the reference that was given, with the announced size, and the file lies there."""
    upload = await sent(sender, sha256=SHA256)
    answer = await search(sender, {"upload_id": upload["upload_id"]})
    job_id = answer.json()["job_id"]
    parameters = prefect.run(job_id)["parameters"]
    assert parameters["ticket_id"] == upload["upload_id"]
    (ref,) = parameters["files"]
    assert (ref["size"], ref["sha256"], ref["file_name"]) == (len(DRAWING), SHA256, "part.dxf")
    assert sender.stored(ref) == DRAWING


@pytest.mark.parametrize("several", [False, True])
async def test_a_file_ref_stands_for_its_upload(sender, prefect, several):
    """As it was given, or in a list; what the client adds to it is not believed."""
    upload = await sent(sender)
    ref = upload["files"][0]["file_ref"] | {"file_name": "evil.dxf"}
    answer = await search(sender, {"file_ref": [ref] if several else ref})
    (kept,) = prefect.run(answer.json()["job_id"])["parameters"]["files"]
    assert kept["file_name"] == "part.dxf"


async def test_files_of_one_upload_are_one_job(sender, prefect):
    """In the order in which they were announced."""
    upload = await opened(sender, *(announced(file_name=f"{n}.dxf") for n in range(3)))
    for slot in reversed(upload["files"]):
        assert (await send(sender, slot)).status_code == 200
    answer = await search(sender, {"upload_id": upload["upload_id"]})
    files = prefect.run(answer.json()["job_id"])["parameters"]["files"]
    assert [ref["file_name"] for ref in files] == ["0.dxf", "1.dxf", "2.dxf"]


async def test_geometry_comes_with_the_reference(client, prefect):
    """As parts of a form: the reference first."""
    upload = await sent(client)
    parts = [("upload_id", (None, upload["upload_id"])), ("geom_json", ("g.json", b'{"a": 1}'))]
    answer = await client.http.post(f"{API}/2d/search", files=parts, params={"async": "true"})
    parameters = prefect.run(answer.json()["job_id"])["parameters"]
    assert parameters["geometry"]["path"].startswith(upload["upload_id"])
    assert len(parameters["files"]) == 1


async def test_what_was_not_sent_is_not_searched_with(sender, prefect):
    """409 says how much is there; the upload can go on, and the job is made then."""
    upload = await opened(sender, announced())
    said = detail(await search(sender, {"upload_id": upload["upload_id"]}), 409)
    assert said["error"] == "UPLOAD_INCOMPLETE"
    assert f"0 of {len(DRAWING)}" in said["message"]
    await send(sender, upload["files"][0])
    assert (await search(sender, {"upload_id": upload["upload_id"]})).status_code == 200


async def test_another_tenants_upload_is_not_to_be_had(client, other, prefect):
    """Neither by its id nor by its reference, and not its files."""
    upload = await sent(client)
    ref = upload["files"][0]["file_ref"]
    assert detail(await search(other, {"upload_id": upload["upload_id"]}), 404)
    assert detail(await search(other, {"file_ref": ref}), 400)["error"] == "FOREIGN_REF"
    place = f"{API}/2d/uploads/{upload['upload_id']}"
    for method, url in [("HEAD", "/files/0"), ("PUT", "/files/0"), ("DELETE", "")]:
        answer = await other.http.request(method, place + url, content=b"x")
        assert answer.status_code == 404
    assert prefect.runs_of(other.tenant) == []
    assert (await search(client, {"upload_id": upload["upload_id"]})).status_code == 200


@pytest.mark.parametrize(
    "ref",
    [
        {"backend": "local", "path": "other/part.dxf"},
        {"backend": "local", "path": "part.dxf"},
        {"backend": "s3", "bucket": "drawings", "key": "a/b"},
    ],
)
async def test_a_reference_of_no_upload_is_refused(client, prefect, ref):
    """Whatever else lies in the store, or out of it, is nobody's to name."""
    assert detail(await search(client, {"file_ref": ref}), 400)["error"] == "FOREIGN_REF"
    assert prefect.runs_of(client.tenant) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"upload_id": None}, "MULTIPART_EXPECTED"),
        ({"file_ref": []}, "MULTIPART_EXPECTED"),
        ({"file_ref": {"backend": "local", "path": "../x"}}, "INVALID_REFERENCE"),
        ({"file_ref": {"backend": "ftp", "path": "x"}}, "INVALID_REFERENCE"),
        ({"upload_id": "x" * 65}, "INVALID_REFERENCE"),
        ({"upload_id": 5}, "INVALID_REFERENCE"),
        ([], "INVALID_REFERENCE"),
        ("x" * 70_000, "FILE_TOO_LARGE"),
    ],
)
async def test_a_malformed_reference_is_refused(client, body, code):
    """With a code, before anything is looked at."""
    answer = await search(client, body)
    assert answer.status_code in {400, 413, 415}
    assert answer.json()["detail"]["error"] == code


async def test_a_reference_after_a_file_is_refused(client, empty_uploads):
    """A drawing is either sent or named."""
    parts = [("file", ("part.dxf", DRAWING)), ("upload_id", (None, "x"))]
    answer = await client.http.post(f"{API}/2d/search", files=parts)
    assert detail(answer, 400)["error"] == "REFERENCE_MISPLACED"
    assert client.uploads == []


async def test_the_same_upload_gives_the_same_job(client, prefect):
    """However often it is asked for; with other options it is taken."""
    upload = await sent(client)
    body = {"upload_id": upload["upload_id"]}
    answers = await asyncio.gather(*(search(client, body) for _ in range(8)))
    jobs = {answer.json()["job_id"] for answer in answers if answer.status_code == 200}
    assert len(jobs) == 1
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert (await search(client, body)).json()["job_id"] in jobs
    assert detail(await search(client, body, max_results=3), 409)["error"] == "UPLOAD_USED"
    assert len(prefect.runs_of(client.tenant)) == 1
    place = f"{API}/2d/uploads/{upload['upload_id']}"
    for method, url in [("PUT", "/files/0"), ("DELETE", "")]:
        answer = await client.http.request(method, place + url, content=DRAWING)
        assert detail(answer, 409)["error"] == "UPLOAD_USED"


async def test_a_key_that_stands_for_another_drawing_is_a_conflict(client, prefect):
    """Idempotency keys hold for direct uploads too."""
    key = {"Idempotency-Key": "order-1"}
    first, second = await sent(client), await sent(client, DRAWING + b"0\n")
    url = f"{API}/2d/search?async=true"
    answers = [
        await client.http.post(url, json={"upload_id": upload["upload_id"]}, headers=key)
        for upload in (first, first, second)
    ]
    assert answers[0].json()["job_id"] == answers[1].json()["job_id"]
    assert detail(answers[2], 409)["error"] == "IDEMPOTENCY_CONFLICT"


async def test_a_refused_submit_leaves_the_upload_alone(client, prefect, empty_uploads):
    """The queue is full, or Prefect away: nothing has to be sent again."""
    upload = await sent(client)
    for _ in range(PER_TENANT):
        await client.submit()
    body = {"upload_id": upload["upload_id"]}
    assert detail(await search(client, body), 429)["error"] == "JOB_QUEUE_FULL"
    (run, *_) = prefect.runs_of(client.tenant)
    await client.http.post(f"{API}/2d/jobs/{run['id']}/cancel")
    bad = [("upload_id", (None, upload["upload_id"])), ("geom_json", ("g.json", b"["))]
    answer = await client.http.post(f"{API}/2d/search?async=true", files=bad)
    detail(answer, 400)
    assert (await search(client, body)).status_code == 200


async def test_an_upload_that_broke_off_goes_on_where_it_ended(gateway, client, empty_uploads):
    """What came before the connection broke stays; HEAD says how much, PATCH sends the rest."""
    content = os.urandom(3 * MB)
    upload = await opened(client, announced(content, sha256=hashlib.sha256(content).hexdigest()))
    url = upload["files"][0]["url"]
    lines = [f"PUT {url} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(content)}"]
    _, writer = await asyncio.open_connection("127.0.0.1", int(gateway.base.split(":")[-1]))
    writer.write("\r\n".join([*lines, "", ""]).encode() + content[: 2 * MB])
    await writer.drain()
    await asyncio.sleep(0.3)
    writer.transport.abort()
    there = await offset_of(client, url)
    async with asyncio.timeout(20):
        while there == 0 or (await rest_of(client, url, content, there)).status_code == 409:
            await asyncio.sleep(0.05)  # the gateway has not noticed yet
            there = await offset_of(client, url)
    assert there <= 2 * MB
    assert await offset_of(client, url) == len(content)
    (path,) = [path for path in empty_uploads.rglob("*") if path.is_file()]
    assert path.read_bytes() == content


async def offset_of(client, url):
    answer = await client.http.head(url)
    assert answer.status_code == 200
    return int(answer.headers["Upload-Offset"])


async def rest_of(client, url, content, offset):
    headers = {"Upload-Offset": str(offset)}
    return await client.http.patch(url, content=content[offset:], headers=headers)


async def test_an_offset_that_is_not_there_is_refused(client):
    """Neither a gap nor an overlap."""
    upload = await opened(client, announced(b"0123456789"))
    url = upload["files"][0]["url"]
    assert (await rest_of(client, url, b"0123456789"[:4], 0)).status_code == 204
    for offset in (3, 5):
        answer = await rest_of(client, url, b"0123456789", offset)
        assert detail(answer, 409)["error"] == "UPLOAD_OFFSET"
    assert (await rest_of(client, url, b"0123456789", 4)).status_code == 204
    assert (await search(client, {"upload_id": upload["upload_id"]})).status_code == 200


async def test_more_than_was_announced_is_refused(client, empty_uploads):
    """Whether Content-Length says so or not; nothing beyond the size is kept."""
    upload = await opened(client, announced(b"x" * 1000))
    url = upload["files"][0]["url"]

    async def endless():
        for _ in range(100):
            yield b"x" * 999

    for content in (b"x" * 1001, endless()):
        said = detail(await client.http.put(url, content=content), 413)
        assert (said["error"], "1000" in said["message"]) == ("FILE_TOO_LARGE", True)
    assert await offset_of(client, url) <= 1000


async def test_fewer_than_was_announced_is_no_file(client):
    """409, and the rest can follow."""
    upload = await opened(client, announced(b"x" * 1000))
    url = upload["files"][0]["url"]
    answer = await client.http.put(url, content=b"x" * 400)
    assert detail(answer, 409)["error"] == "UPLOAD_INCOMPLETE"
    assert await offset_of(client, url) == 400


async def test_another_file_than_the_announced_one_is_deleted(client, empty_uploads):
    """The sha256 that was announced is checked."""
    upload = await opened(client, announced(sha256="0" * 64))
    answer = await send(client, upload["files"][0])
    assert detail(answer, 400)["error"] == "FILE_ALTERED"
    assert client.uploads == []


async def test_an_upload_is_given_up(client, empty_uploads):
    """Its file goes, and nobody finds it any more."""
    upload = await sent(client)
    answer = await client.http.delete(f"{API}/2d/uploads/{upload['upload_id']}")
    assert answer.status_code == 204
    assert client.uploads == []
    detail(await search(client, {"upload_id": upload["upload_id"]}), 404)


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ([], 422),
        ([announced(size=0)], 422),
        ([announced(size=MAX_UPLOAD), announced(size=1)], 413),
        ([announced(sha256="abc")], 422),
        ([announced(file_name="")], 422),
        ([announced()] * 33, 422),
    ],
)
async def test_an_announcement_that_cannot_be_kept_is_refused(client, files, status):
    """Before an address is given."""
    answer = await client.http.post(f"{API}/2d/uploads", json={"files": files})
    assert answer.status_code == status


@pytest.mark.parametrize("token", ["", "x", "%00"])
async def test_a_wrong_token_is_no_address(client, token):
    """An address is as good as its token."""
    upload = await opened(client, announced())
    url = upload["files"][0]["url"].partition("?")[0]
    answer = await client.http.put(f"{url}?token={token}", content=DRAWING)
    assert detail(answer, 404)["error"] == "UPLOAD_NOT_FOUND"


async def test_redis_has_references_only_and_they_expire(client, redis):
    """A few hundred bytes for an upload, whatever its size, and no token."""
    content = os.urandom(2 * MB)
    upload = await sent(client, content)
    async with Redis.from_url(redis.url, decode_responses=True) as connection:
        key = f"dedup2d:upload:{upload['upload_id']}"
        text = await connection.get(key)
        assert len(text) < 2000
        assert 0 < await connection.ttl(key) <= 3600
    (token,) = parse_qs(urlsplit(upload["files"][0]["url"]).query)["token"]
    assert token not in text


async def test_s3_signs_size_type_and_digest(s3_client_of_gateway):
    """Another file than the announced one has no valid signature."""
    upload = await opened(s3_client_of_gateway, announced(sha256=SHA256))
    (slot,) = upload["files"]
    query = parse_qs(urlsplit(slot["url"]).query)
    signed = set(query["X-Amz-SignedHeaders"][0].split(";"))
    assert {"content-length", "content-type", "host"} <= signed
    assert "x-amz-checksum-sha256" in signed | {name.lower() for name in query}
    assert int(query["X-Amz-Expires"][0]) == 3600


async def test_a_file_of_another_size_in_the_bucket_is_not_taken(s3_client_of_gateway, s3_settings):
    """What a store let pass is found when the job is submitted."""
    upload = await opened(s3_client_of_gateway, announced())
    key = upload["files"][0]["file_ref"]["key"]
    s3_client(s3_settings).put_object(Bucket=BUCKET, Key=key, Body=b"x")
    said = detail(await search(s3_client_of_gateway, {"upload_id": upload["upload_id"]}), 409)
    assert said["error"] == "UPLOAD_INCOMPLETE"


async def test_with_s3_the_gateway_takes_no_file_itself(s3_client_of_gateway):
    """The file goes past it."""
    upload = await opened(s3_client_of_gateway, announced())
    url = f"{API}/2d/uploads/{upload['upload_id']}/files/0"
    answer = await s3_client_of_gateway.http.put(url, content=DRAWING)
    assert detail(answer, 400)["error"] == "UPLOAD_ELSEWHERE"


async def test_the_interface_describes_direct_uploads(client):
    """The document has the addresses, and a search by reference."""
    document = (await client.http.get("/openapi.json")).json()
    paths = document["paths"]
    assert {"put", "patch", "head"} <= paths[
        f"{API}/2d/uploads/{{upload_id}}/files/{{number}}"
    ].keys()
    body = paths[f"{API}/2d/search"]["post"]["requestBody"]["content"]
    assert json.dumps(body["application/json"]["example"])
    assert KEYS
