"""Adding drawings to the index over HTTP, with the embedded engine."""

import hashlib
import itertools
import json

from gateway_kit import API, detail


def plate(width):
    """A DXF of one rectangle and one circle, with lengths in drawing units."""
    corners = [(0, 0), (width, 0), (width, 50), (0, 50), (0, 0)]
    pairs = ["0", "SECTION", "2", "ENTITIES"]
    for (x1, y1), (x2, y2) in itertools.pairwise(corners):
        pairs += ["0", "LINE", "8", "0", "10", x1, "20", y1, "11", x2, "21", y2]
    pairs += ["0", "CIRCLE", "8", "0", "10", width / 2, "20", 25, "40", 10]
    return "\n".join(map(str, [*pairs, "0", "ENDSEC", "0", "EOF", ""])).encode()


async def add(client, content, *, name="plate.dxf", extra=()):
    files = [("file", (name, content)), *extra]
    return await client.http.post(f"{API}/2d/index/add", files=files, params={"user_name": "me"})


def inbox(client):
    folder = client.data / "inbox"
    return sorted(folder.iterdir()) if folder.exists() else []


async def test_a_drawing_is_added_once(client, empty_uploads):
    """The predecessor's answer; the same bytes twice are one entry, and no upload is kept."""
    first = (await add(client, plate(100))).json()
    again = (await add(client, plate(100))).json()
    assert first.keys() == {
        *("success", "drawing_id", "file_hash", "message", "processing_time_ms", "s3_key")
    }
    assert first["success"] is True
    assert (first["drawing_id"], first["file_hash"]) == (again["drawing_id"], again["file_hash"])
    assert client.uploads == inbox(client) == []


async def test_a_broken_drawing_is_refused_with_its_code(client):
    """400 with the reader's code, no server path, nothing left."""
    answer = await add(client, b"\x89PNG\r\n\x1a\nnot really")
    said = detail(answer, 400)
    assert said["error"].isupper()
    assert str(client.data) not in answer.text
    assert inbox(client) == []


async def test_geometry_is_checked_before_the_drawing_is_indexed(client):
    """The predecessor indexed first and refused then."""
    answer = await add(client, plate(200), extra=[("geom_json", ("g.json", b"[]"))])
    assert detail(answer, 400).startswith("Invalid geom_json")
    geometry = json.dumps({"entities": []}).encode()
    answer = await add(client, plate(200), extra=[("geom_json", ("g.json", geometry))])
    assert answer.json()["message"].endswith("; geom_json stored")
    assert inbox(client) == []


async def test_geometry_is_kept_with_its_drawing_and_for_its_tenant(client, other):
    """Nobody else learns that somebody has the drawing; a refused drawing keeps nothing."""
    content = plate(210)
    file_hash = hashlib.sha256(content).hexdigest()
    url = f"{API}/2d/geom/{file_hash}/exists"
    geometry = [("geom_json", ("g.json", json.dumps({"entities": []}).encode()))]
    assert (await client.http.get(url)).json() == {"file_hash": file_hash, "exists": False}
    assert (await add(client, content)).status_code == 200
    assert (await client.http.get(url)).json()["exists"] is False
    assert (await add(client, content, extra=geometry)).status_code == 200
    assert (await client.http.get(url)).json() == {"file_hash": file_hash, "exists": True}
    assert (await other.http.get(url)).json()["exists"] is False
    broken = b"\x89PNG\r\n\x1a\nnot really"
    assert (await add(client, broken, extra=geometry)).status_code == 400
    url = f"{API}/2d/geom/{hashlib.sha256(broken).hexdigest()}/exists"
    assert (await client.http.get(url)).json()["exists"] is False


async def test_one_drawing_at_a_time(client):
    """A second file is refused rather than passed over."""
    answer = await add(client, plate(1), extra=[("file", ("b.dxf", plate(2)))])
    assert detail(answer, 400)["error"] == "ONE_FILE_EXPECTED"


async def test_rebuild_answers_as_the_predecessor_did(client):
    """``{success, message}``."""
    answer = (await client.http.post(f"{API}/2d/index/rebuild")).json()
    assert answer["success"] is True
    assert answer.keys() == {"success", "message"}
