"""Compiled code says what plain numpy says, and is kept where it can be."""

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dedup2d.matching import machine_code
from dedup2d.matching.field import StrokeField
from dedup2d.matching.shape import Shape, sample
from dedup2d.matching.similarity import Similarity, bundle

GIBIBYTE = 1024**3


def strokes(seed: int) -> Shape:
    rng = np.random.default_rng(seed)
    arcs = rng.uniform(0, 1, (12, 5)) * [100, 60, 20, math.tau, 0]
    arcs[:, 4] = arcs[:, 3] + rng.uniform(0.1, math.tau, 12)
    arcs[0, 4] = arcs[0, 3] + math.tau
    return Shape(rng.uniform(0, 1, (40, 4)) * [100, 60, 100, 60], arcs)


def plain_distance(shape: Shape, z: np.ndarray) -> np.ndarray:
    s, a = shape.segments, shape.arcs
    start, along = s[:, 0] + 1j * s[:, 1], s[:, 2] - s[:, 0] + 1j * (s[:, 3] - s[:, 1])
    t = np.clip(((z[:, None] - start) * along.conj()).real / np.abs(along) ** 2, 0, 1)
    to_segments = np.abs(z[:, None] - start - t * along)
    apart = z[:, None] - (a[:, 0] + 1j * a[:, 1])
    within = (np.angle(apart) - a[:, 3]) % math.tau <= a[:, 4] - a[:, 3]
    ends = [np.abs(apart - a[:, 2] * np.exp(1j * a[:, k])) for k in (3, 4)]
    to_arcs = np.where(within, np.abs(np.abs(apart) - a[:, 2]), np.minimum(*ends))
    return np.hstack([to_segments, to_arcs]).min(1)


@pytest.mark.parametrize("seed", range(5))
def test_distances_are_exact_up_to_the_limit_and_infinite_beyond(seed):
    shape = strokes(seed)
    z = np.random.default_rng(seed).uniform(-20, 120, 4000).reshape(-1, 2) @ [1, 1j]
    plain = plain_distance(shape, z)
    for limit in (0.05, 1.0, 30.0):
        found = StrokeField(shape).distances(z, Similarity(), limit)
        assert np.array_equal(np.isfinite(found), plain <= limit)
        near = plain <= limit
        assert np.allclose(found[near], plain[near], atol=1e-12)


def test_points_that_are_no_numbers_are_far_from_everything():
    field = StrokeField(strokes(1))
    z = np.array([np.nan, np.inf, -np.inf, 1e300, complex(0, np.nan)], np.complex128)
    assert np.isinf(field.distances(z, Similarity(), 1.0)).all()
    assert (field.shares(z, bundle([Similarity()])) == 0).all()


def test_every_point_of_a_shape_lies_on_it_under_any_pose():
    shape = strokes(2)
    pose = Similarity(2 - 1j, 30 + 4j, mirrored=True)
    z = sample(shape, 0.1).z
    moved = StrokeField(pose.move(shape))
    assert moved.covers(z, pose, 1e-9).all()
    assert moved.shares(z, bundle([pose]))[0] == 1.0


def test_refining_finds_the_pose_that_was_disturbed():
    shape = strokes(3)
    truth = Similarity(0.6 + 0.8j, 5 - 2j)
    start = Similarity(truth.a * 1.002, truth.b + 0.1)
    field = StrokeField(truth.move(shape))
    z = sample(shape, shape.length / 500).z
    found = field.refined(z, start, (1.0, 0.5, 0.2, 0.1, 0.05, 0.05))
    assert abs(found.a - truth.a) < 1e-9
    assert abs(found.at(50 + 30j) - truth.at(50 + 30j)) < 1e-7


def test_code_is_kept_in_the_first_folder_that_can_be_written_and_damage_is_noticed(
    tmp_path, monkeypatch
):
    file = tmp_path / "file"
    file.write_text("no folder")
    monkeypatch.setattr(machine_code, "_folders", lambda: iter((file, tmp_path / "cache")))
    assert machine_code._kept() is None
    made = machine_code._made()
    assert machine_code._kept() == made
    kept = next((tmp_path / "cache").iterdir())
    kept.write_bytes(kept.read_bytes()[:-1])
    assert machine_code._kept() is None


def test_a_child_with_limited_memory_can_compile(tmp_path):
    said = (
        "import resource, pathlib\n"
        f"resource.setrlimit(resource.RLIMIT_AS, ({4 * GIBIBYTE}, {4 * GIBIBYTE}))\n"
        "from dedup2d.matching import machine_code\n"
        f"machine_code._folders = lambda: iter((pathlib.Path({str(tmp_path)!r}),))\n"
        "machine_code.loaded()\n"
    )
    alone = {**os.environ, "NUMBA_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", said], check=True, env=alone, cwd=Path.cwd())
    assert list(tmp_path.glob("kernels-*.o"))
