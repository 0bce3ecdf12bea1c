"""The child's task leaves the Drawing where it was told and answers in JSON."""

import json

import pytest

from dedup2d.drawing.codec import load
from dedup2d.errors import DrawingError
from dedup2d.reading.work import parse
from dedup2d.sandbox import ChildPool

DXF = "0\nSECTION\n2\nENTITIES\n0\nLINE\n8\n0\n10\n0\n20\n0\n11\n10\n21\n5\n0\nENDSEC\n0\nEOF\n"


def test_answer_is_json_and_the_drawing_lies_at_out(tmp_path):
    (tmp_path / "a.dxf").write_text(DXF)
    payload = {"path": str(tmp_path / "a.dxf"), "out": str(tmp_path / "a.drawing"), "budget": {}}
    answer = json.loads(json.dumps(parse(payload)))
    assert answer == {"format": "dxf", "primitives": 1, "texts": 0, "findings": []}
    assert load(tmp_path / "a.drawing").segments.tolist() == [[0, 0, 10, 5]]


async def test_broken_drawing_is_refused_across_the_process_border(tmp_path):
    (tmp_path / "a.dxf").write_text(DXF[:40])
    payload = {"path": str(tmp_path / "a.dxf"), "out": str(tmp_path / "a.drawing")}
    async with ChildPool(processes=1, memory_bytes=4 * 1024**3) as pool:
        with pytest.raises(DrawingError) as caught:
            await pool.run("dedup2d.reading.work:parse", payload, timeout_s=30)
    assert caught.value.code == "TRUNCATED_DRAWING"
    assert not (tmp_path / "a.drawing").exists()
