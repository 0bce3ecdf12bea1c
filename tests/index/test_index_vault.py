"""The vault's index on disk: what is found, kept, seen by others, and said when broken."""

import dataclasses
import math
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from dedup2d.drawing.model import Drawing
from dedup2d.errors import ServiceError
from dedup2d.index.catalogue import FILE_NAME
from dedup2d.index.index import Index, NewDrawing
from dedup2d.index.postings import Postings
from dedup2d.matching.fingerprint import decode, encode, fingerprint
from dedup2d.matching.subject import subject
from dedup2d.samples import drawing


def sketchy(seed):
    """Random strokes: cheap, and no two are alike."""
    r = np.random.default_rng(seed)
    arcs = np.column_stack(
        [r.uniform(0, 100, (8, 2)), r.uniform(1, 9, 8), np.zeros(8), np.full(8, math.tau)]
    )
    return Drawing(segments=r.uniform(0, 100, (20, 4)), arcs=arcs, format="dxf")


def new(seed, tenant="t", **more):
    return NewDrawing(tenant, f"{seed:064x}", f"{seed}.dxf", fingerprint(sketchy(seed)), **more)


@pytest.fixture
def index(tmp_path):
    found = Index(tmp_path / "index")
    found.add([new(seed) for seed in range(12)])
    yield found
    found.close()


def test_the_turned_drawing_is_the_most_promising_candidate(index):
    d = sketchy(5)
    turned = dataclasses.replace(
        d, segments=d.segments[:, [1, 0, 3, 2]], arcs=d.arcs[:, [1, 0, 2, 3, 4]]
    )
    best, *_ = index.candidates(fingerprint(turned), tenant="t")
    assert best.entry.file_name == "5.dxf"
    assert best.signature < 1e-6
    assert not best.same_bytes


def test_equal_bytes_are_found_whatever_the_geometry(index):
    found = index.candidates(fingerprint(sketchy(99)), tenant="t", sha256=f"{3:064x}")
    assert found[0].same_bytes
    assert found[0].entry.file_name == "3.dxf"


def test_the_same_bytes_twice_are_one_entry_with_the_newer_name(index):
    again = dataclasses.replace(new(4), file_name="renamed.dxf", path="b/renamed.dxf")
    (drawing_id,) = index.add([again])
    assert index.count("t") == 12
    assert index.entry("t", drawing_id).file_name == "renamed.dxf"


def test_tenants_do_not_see_each_other(index):
    index.add([new(50, tenant="other")])
    assert index.count("t") == 12
    assert [
        c.entry.file_name for c in index.candidates(fingerprint(sketchy(0)), tenant="other")
    ] in (
        [],
        ["50.dxf"],
    )


def test_a_removed_drawing_is_no_candidate_any_more(index):
    drawing_id = index.candidates(fingerprint(sketchy(7)), tenant="t")[0].entry.drawing_id
    assert index.remove("t", drawing_id)
    assert not index.remove("t", drawing_id)
    names = [c.entry.file_name for c in index.candidates(fingerprint(sketchy(7)), tenant="t")]
    assert "7.dxf" not in names


def test_a_reader_sees_what_another_writer_adds_and_removes(index, tmp_path):
    reader = Index(tmp_path / "index")
    assert not any(
        c.signature < 1e-9 for c in reader.candidates(fingerprint(sketchy(77)), tenant="t")
    )
    (drawing_id,) = index.add([new(77)])
    assert reader.candidates(fingerprint(sketchy(77)), tenant="t")[0].entry.drawing_id == drawing_id
    index.remove("t", drawing_id)
    assert not any(
        c.signature < 1e-9 for c in reader.candidates(fingerprint(sketchy(77)), tenant="t")
    )
    reader.close()


def read_all(folder):
    found = Index(folder)
    found.candidates(fingerprint(sketchy(0)), tenant="t")
    for entry in found.entries():
        found.fingerprint(entry.number)


@pytest.mark.parametrize("damage", [b"", b"not a database, but long enough to be one" * 99])
def test_a_broken_file_is_a_clear_error(index, tmp_path, damage):
    index.close()
    path = tmp_path / "index" / FILE_NAME
    whole = path.read_bytes()
    path.write_bytes(damage or whole[: len(whole) // 2 + 100])
    with pytest.raises(ServiceError) as caught:
        read_all(tmp_path / "index")
    assert caught.value.code == "INDEX_DAMAGED"


def test_an_index_of_another_format_is_refused_by_name(index, tmp_path):
    index.close()
    with sqlite3.connect(tmp_path / "index" / FILE_NAME) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(ServiceError, match="format 99") as caught:
        Index(tmp_path / "index")
    assert caught.value.code == "INDEX_VERSION"


def test_old_fingerprints_are_counted_left_out_and_refreshed(index, tmp_path):
    with sqlite3.connect(tmp_path / "index" / FILE_NAME) as db:
        db.execute("UPDATE drawings SET algorithm = 0, sketch = x'' WHERE number <= 3")
    db.close()
    reader = Index(tmp_path / "index")
    assert reader.outdated("t") == 3
    assert reader.refresh("t") == 3
    assert reader.outdated() == 0
    assert reader.candidates(fingerprint(sketchy(1)), tenant="t")[0].cosine == pytest.approx(
        1, abs=0.01
    )
    reader.close()


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_index_vault import new
from dedup2d.index.index import Index
index = Index(Path(sys.argv[1]))
print("ready", flush=True)
for seed in range(1000, 100000):
    index.add([new(seed)])
"""


def test_a_killed_writer_leaves_a_usable_index(index, tmp_path):
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", WRITER, str(tmp_path / "index"), here]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE)
    writer.stdout.readline()
    deadline = time.monotonic() + 20
    while index.count("t") < 15 and time.monotonic() < deadline:
        time.sleep(0.01)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    after = Index(tmp_path / "index")
    seed = 1000 + after.count("t") - 12 - 1
    assert after.candidates(fingerprint(sketchy(seed)), tenant="t")[0].signature < 1e-9
    after.add([new(5000)])
    after.close()


def test_tokens_are_found_and_summed_as_plain_numpy_does():
    rng = np.random.default_rng(4)
    sketches = [np.unique(rng.integers(0, 2**32, 300, dtype=np.uint32)) for _ in range(40)]
    sketches = [np.unique(np.append(s, sketches[0][:100])) for s in sketches]
    asked = np.unique(np.append(sketches[3], [0, 2**32 - 1]).astype(np.uint32))
    postings = Postings.of(sketches)
    rarity = postings.rarity_of(asked)
    held = [np.isin(asked, s) for s in sketches]
    frequency = np.sum(held, axis=0)
    plain = np.log(41 / (np.maximum(frequency, 1) + 0.5)).clip(0)
    assert np.allclose(rarity, plain)
    cosine, containment = postings.scores(asked)
    common = np.array([(rarity[h] ** 2).sum() for h in held])
    assert np.allclose(cosine, common / np.sqrt((rarity**2).sum() * postings.norms + 1e-9))
    assert np.argmax(containment) == 3


def test_the_border_is_kept_with_the_strokes_and_sought_where_it_was_not():
    framed = fingerprint(drawing("plate", 1, frame=True))
    assert framed.border is not None
    assert framed.border.any()
    parts = framed.signature, np.stack([framed.descriptor, framed.inner]), framed.sketch
    assert np.array_equal(decode(encode(framed), *parts).border, framed.border)
    older = decode(encode(dataclasses.replace(framed, border=None)), *parts)
    assert older.border is None
    assert np.array_equal(subject(older).prepared.border, framed.border)


def test_who_opens_an_index_that_another_is_making_waits(tmp_path):
    """Two children of the first ``index add`` met here; SQLite gave up at once."""
    maker = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None, check_same_thread=False)
    maker.execute("BEGIN IMMEDIATE")
    made = threading.Timer(0.2, maker.execute, ["ROLLBACK"])
    made.start()
    Index(tmp_path).close()
    made.join()
    maker.close()
