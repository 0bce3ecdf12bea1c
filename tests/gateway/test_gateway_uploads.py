"""Bodies of all kinds: what arrives is stored whole, and what fails leaves nothing."""

import asyncio
import hashlib
import json
import os

import pytest
from gateway_kit import API, DRAWING, MAX_UPLOAD, detail

MB = 1024**2


async def upload(client, body, *, boundary="frontier", headers=None):
    given = {"Content-Type": f"multipart/form-data; boundary={boundary}"} | (headers or {})
    url = f"{API}/2d/search?async=true"
    return await client.http.post(url, content=body, headers=given)


def head(name="file", file_name="part.dxf"):
    disposition = f'Content-Disposition: form-data; name="{name}"; filename="{file_name}"'
    return f"--frontier\r\n{disposition}\r\n\r\n".encode()


END = b"\r\n--frontier--\r\n"


async def settled(client):
    """Wait until the gateway has undone what a broken request left behind."""
    for _ in range(100):
        if not client.uploads:
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"left behind: {client.uploads}")


async def test_the_upload_is_stored_whole_and_the_job_carries_its_reference(
    client, prefect, empty_uploads
):
    """The flow run has sha256, size and name of the file, and the file lies in the store."""
    content = os.urandom(3 * MB)
    job_id = (await client.search(("größe.dxf", content), **{"async": "true"})).json()["job_id"]
    (ref,) = prefect.run(job_id)["parameters"]["files"]
    assert ref["sha256"] == hashlib.sha256(content).hexdigest()
    assert ref["size"] == len(content)
    assert ref["file_name"] == "größe.dxf"
    assert (empty_uploads / ref["path"]).read_bytes() == content


@pytest.mark.parametrize("geometry_first", [True, False])
async def test_geometry_json_is_stored_before_or_after_the_file(
    client, prefect, empty_uploads, geometry_first
):
    """geom_json goes to the store too; the flow run carries its reference."""
    geometry = json.dumps({"entities": [{"type": "LINE"}]}).encode()
    parts = [("geom_json", ("g.json", geometry)), ("file", ("part.dxf", DRAWING))]
    if not geometry_first:
        parts.reverse()
    answer = await client.http.post(f"{API}/2d/search", files=parts, params={"async": "true"})
    ref = prefect.run(answer.json()["job_id"])["parameters"]["geometry"]
    assert (empty_uploads / ref["path"]).read_bytes() == geometry


async def test_several_files_are_one_job(client, prefect):
    """A batch is one flow run with its drawings in the given order."""
    more = [("file", (f"{n}.dxf", DRAWING)) for n in range(5)]
    answer = await client.search(extra=more, **{"async": "true"})
    names = [r["file_name"] for r in prefect.run(answer.json()["job_id"])["parameters"]["files"]]
    assert names == ["part.dxf", "0.dxf", "1.dxf", "2.dxf", "3.dxf", "4.dxf"]


async def test_more_files_than_a_job_can_carry_are_refused(client, empty_uploads):
    """Their references must fit into a flow run's parameters; none of them stays."""
    name = "n" * 250 + ".dxf"
    more = [("file", (name, DRAWING)) for _ in range(900)]
    assert detail(await client.search(extra=more), 413)["error"] == "TOO_MANY_FILES"
    assert client.uploads == []


async def test_a_name_that_leaves_the_store_is_made_safe(client, prefect, empty_uploads):
    """``../`` in a file name does not leave the job's folder."""
    answer = await client.search(("../../evil.dxf", DRAWING), **{"async": "true"})
    (ref,) = prefect.run(answer.json()["job_id"])["parameters"]["files"]
    assert ".." not in ref["path"]
    assert (empty_uploads / ref["path"]).is_file()


@pytest.mark.parametrize(
    ("geometry", "said"),
    [
        (b"", "Empty geom_json"),
        (b"{", "Invalid geom_json: "),
        (b"[1]", "Invalid geom_json: it must be a JSON object, not an array"),
        (b'{"a": NaN}', "Invalid geom_json: NaN"),
        (b'{"entities": 5}', "Invalid geom_json: entities must be an array, not a number"),
        (b'{"blocks": []}', "Invalid geom_json: blocks must be an object, not an array"),
        (b"\xff\xfe\xff", "Invalid geom_json: "),
        (b"[" * 100_000, "Invalid geom_json: it is nested too deeply"),
        (b"[" + b"1," * MB + b"1]", "Invalid geom_json: it must be a JSON object, not an array"),
    ],
)
async def test_geometry_that_is_no_json_object_is_refused(client, empty_uploads, geometry, said):
    """The predecessor's sentences; neither file nor geometry stays."""
    answer = await client.search(extra=[("geom_json", ("g.json", geometry))])
    assert detail(answer, 400).startswith(said)
    assert client.uploads == []


async def test_an_empty_file_is_refused(client, empty_uploads):
    """A drawing of no bytes gets the predecessor's answer."""
    assert detail(await client.search(("part.dxf", b"")), 400) == "Empty file"
    assert client.uploads == []


async def test_an_empty_file_in_a_batch_takes_the_others_with_it(client, empty_uploads):
    """Half a batch is no job; the files before the empty one are deleted."""
    answer = await client.search(extra=[("file", ("empty.dxf", b""))])
    assert detail(answer, 400) == "Empty file"
    assert client.uploads == []


async def test_a_body_without_a_file_is_refused_as_fastapi_does(client, empty_uploads):
    """The predecessor's clients know this answer as FastAPI's own."""
    answer = await client.http.post(f"{API}/2d/search", files={"other": b"x"})
    (problem,) = detail(answer, 422)
    assert (problem["type"], problem["loc"]) == ("missing", ["body", "file"])
    assert client.uploads == []


@pytest.mark.parametrize(
    ("body", "boundary"),
    [
        (head() + DRAWING, "frontier"),
        (head() + DRAWING + END[:-6], "frontier"),
        (head() + DRAWING + END, "other"),
        (head() + DRAWING + END, ""),
        (b"", "frontier"),
    ],
)
async def test_half_a_body_is_refused_and_leaves_nothing(client, empty_uploads, body, boundary):
    """Truncated, unbounded or empty bodies get a clear 4xx."""
    answer = await upload(client, body, boundary=boundary)
    assert detail(answer, 400)["error"] == "MALFORMED_MULTIPART"
    assert client.uploads == []


async def test_a_body_that_is_no_form_is_refused(client):
    """JSON is not an upload."""
    answer = await client.http.post(f"{API}/2d/search", json={})
    assert detail(answer, 415)["error"] == "MULTIPART_EXPECTED"


async def raw_request(gateway, client, content_length, body):
    """Send a request by hand, then hang up after ``body``."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.base.split(":")[-1]))
    lines = [
        f"POST {API}/2d/search?async=true HTTP/1.1",
        "Host: 127.0.0.1",
        f"X-API-Key: {client.key}",
        f"Content-Length: {content_length}",
        "Content-Type: multipart/form-data; boundary=frontier",
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    await writer.drain()
    return reader, writer


async def test_a_connection_that_breaks_leaves_nothing(gateway, client, prefect, empty_uploads):
    """Half an upload, then silence for ever: file, folder and ticket are gone."""
    _, writer = await raw_request(gateway, client, 50 * MB, head() + b"x" * 5 * MB)
    await asyncio.sleep(0.3)
    writer.transport.abort()
    await settled(client)
    assert prefect.runs_of(client.tenant) == []
    for _ in range(5):
        await client.submit()  # every place of the tenant is free


async def test_a_content_length_that_is_too_short_gets_an_answer(gateway, client, empty_uploads):
    """The body ends where its length says, which is in the middle of the file."""
    reader, writer = await raw_request(gateway, client, 200, head() + b"x" * 1000 + END)
    status = await reader.readline()
    writer.close()
    assert b" 400 " in status
    await settled(client)


async def test_a_file_over_the_limit_is_refused(client, empty_uploads):
    """With the byte that is too much, where no length was announced."""

    async def body():
        yield head()
        for _ in range(MAX_UPLOAD // MB + 1):
            yield b"x" * MB

    said = detail(await upload(client, body()), 413)
    assert said["error"] == "FILE_TOO_LARGE"
    assert str(MAX_UPLOAD) in said["message"]
    assert client.uploads == []


async def test_who_sends_without_end_is_answered_and_cut_off(gateway, client, empty_uploads):
    """A length beyond the limit is refused before the body, and the connection is closed."""
    reader, writer = await raw_request(gateway, client, 1024**4, head())

    async def send():
        while True:
            writer.write(b"x" * MB)
            await writer.drain()

    sending = asyncio.create_task(send())
    assert b" 413 " in await asyncio.wait_for(reader.readline(), 1)
    done, _ = await asyncio.wait({sending}, timeout=10)
    assert isinstance(done.pop().exception(), OSError)
    assert client.uploads == []


async def test_a_large_upload_needs_little_memory(gateway, client, prefect):
    """The gateway's resident memory grows by less than 64 MB while 150 MB pass through."""
    await client.submit()
    before, peak, digest = gateway.rss, 0, hashlib.sha256()

    async def body():
        nonlocal peak
        yield head()
        for _ in range(150):
            block = os.urandom(MB)
            digest.update(block)
            peak = max(peak, gateway.rss)
            yield block
        yield END

    answer = await upload(client, body())
    (ref,) = prefect.run(answer.json()["job_id"])["parameters"]["files"]
    assert ref["sha256"] == digest.hexdigest()
    assert peak - before < 64 * MB
