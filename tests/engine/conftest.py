"""A real matcher with real children, and real DXF files."""

import math
from itertools import pairwise

import ezdxf
import numpy as np
import pytest

from dedup2d.engine import EmbeddedMatcher
from dedup2d.settings import read_settings


@pytest.fixture(scope="session")
def write_dxf():
    def write(path, seed=0, *, turn=0.0, hole=0.0, text="PART 7", mirrored=False):
        r = np.random.default_rng(seed)
        doc = ezdxf.new("R2010")
        space = doc.modelspace()
        rotate = complex(math.cos(turn), math.sin(turn))

        def at(z):
            z = rotate * (z.conjugate() if mirrored else z)
            return float(z.real), float(z.imag)

        points = [complex(*p) for p in r.uniform(0, 200, (14, 2)).tolist()]
        for a, b in pairwise(points):
            space.add_line(at(a), at(b))
        for k, p in enumerate(points[::2]):
            space.add_circle(at(p + 11 + (hole if k == 3 else 0)), 3.0 + k)
        space.add_text(text).set_placement(at(5 + 5j))
        doc.saveas(path)
        return path

    return write


@pytest.fixture(scope="session")
async def matcher(tmp_path_factory):
    data = tmp_path_factory.mktemp("engine")
    environ = {"DEDUP2D_DATA_DIR": str(data), "DEDUP2D_WORKER_PROCESSES": "1"}
    found = EmbeddedMatcher(read_settings(environ))
    yield found
    await found.aclose()
