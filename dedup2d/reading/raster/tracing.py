"""From a skeleton to its paths: ordered pixels between ends and junctions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra

from dedup2d.reading.raster.thinning import AROUND, Mask, Places, neighbour_codes

_JUNCTION = 3  # branches


def trace(skeleton: Mask) -> list[NDArray[np.float64]]:
    """Paths of a skeleton (h, w) 0/1 with an empty border: each (k, 2) x, y in pixels, y down.

    Paths end at junctions, the nearest junction pixel included; closed paths end where they
    began. The order of paths and of pixels depends on the image only.
    """
    width = skeleton.shape[1]
    flat = skeleton.ravel()
    at = np.flatnonzero(flat)
    branches = _BRANCHES[neighbour_codes(flat, at, width)]
    junction = np.zeros(len(flat), bool)
    junction[at[branches >= _JUNCTION]] = True
    nodes = at[branches < _JUNCTION]
    links = _links(nodes, flat, junction, width)
    links, forks = _without_forks(links, len(nodes))
    junction[nodes[forks]] = True
    paths = []
    for path, is_closed in _ordered(links, ~forks):
        pixels = nodes[path]
        pixels = (
            np.append(pixels, pixels[0]) if is_closed else _to_junctions(pixels, junction, width)
        )
        paths.append(np.column_stack([pixels % width, pixels // width]).astype(np.float64))
    return paths


def _links(nodes: Places, flat: Mask, junction: NDArray[np.bool_], width: int) -> Places:
    """(m, 2) pairs of nodes that touch, without diagonals past a common neighbour."""
    place = np.full(len(flat), -1, dtype=np.intp)
    place[nodes] = np.arange(len(nodes))
    pairs = []
    for dy, dx in AROUND[1:5]:  # half of the directions; the other half is the same pairs
        other = place[nodes + dy * width + dx]
        joined = other >= 0
        if dy and dx:
            corner_a, corner_b = nodes + dx, nodes + dy * width
            joined &= ~((flat[corner_a] == 1) & ~junction[corner_a])
            joined &= ~((flat[corner_b] == 1) & ~junction[corner_b])
        pairs.append(np.column_stack([np.flatnonzero(joined), other[joined]]))
    return np.concatenate(pairs)


def _without_forks(links: Places, count: int) -> tuple[Places, NDArray[np.bool_]]:
    degree = np.bincount(links.ravel(), minlength=count)
    forks = degree > 2  # noqa: PLR2004  # a path's pixel has two neighbours
    return links[~forks[links].any(axis=1)], forks


def _ordered(links: Places, kept: NDArray[np.bool_]) -> list[tuple[Places, bool]]:
    """Node indices of each path in order, and whether it is closed."""
    count = len(kept)
    if not count:
        return []
    links = links[np.lexsort((links[:, 1], links[:, 0]))]
    _, label = connected_components(_graph(links, count), directed=False)
    degree = np.bincount(links.ravel(), minlength=count)
    open_labels = np.unique(label[degree < 2])  # noqa: PLR2004  # a path's end
    is_ring = np.ones(label.max() + 1, bool)
    is_ring[open_labels] = False
    # A ring is cut at its first pixel: one of its two links is taken out.
    _, first = np.unique(label[links[:, 0]], return_index=True)
    cut = first[is_ring[label[links[first, 0]]]] if len(links) else first
    links = np.delete(links, cut, axis=0)
    degree = np.bincount(links.ravel(), minlength=count)
    ends = np.flatnonzero(degree < 2)  # noqa: PLR2004
    _, first_end = np.unique(label[ends], return_index=True)
    rank = dijkstra(
        _graph(links, count),
        directed=False,
        indices=ends[first_end],
        unweighted=True,
        min_only=True,
    )
    order = np.lexsort((rank, label))
    borders = np.flatnonzero(np.diff(label[order])) + 1
    return [
        (path, bool(is_ring[label[path[0]]])) for path in np.split(order, borders) if kept[path[0]]
    ]


def _graph(links: Places, count: int) -> csr_matrix:
    ones = np.ones(len(links), np.float64)
    return csr_matrix((ones, (links[:, 0], links[:, 1])), shape=(count, count))


def _to_junctions(pixels: Places, junction: NDArray[np.bool_], width: int) -> Places:
    head = _junction_beside(int(pixels[0]), junction, width, -1)
    tail = _junction_beside(int(pixels[-1]), junction, width, head if len(pixels) == 1 else -1)
    parts = ([head] if head >= 0 else []), pixels, ([tail] if tail >= 0 else [])
    return np.concatenate([np.asarray(part, dtype=np.intp) for part in parts])


def _junction_beside(pixel: int, junction: NDArray[np.bool_], width: int, other_than: int) -> int:
    for dy, dx in (*AROUND[0::2], *AROUND[1::2]):
        beside = pixel + dy * width + dx
        if junction[beside] and beside != other_than:
            return beside
    return -1


def _branch_counts() -> NDArray[np.uint8]:
    codes = np.arange(256, dtype=np.uint16)
    bits = [(codes >> k) & 1 for k in range(8)]
    rises = sum((bits[k] == 0) & (bits[(k + 1) % 8] == 1) for k in range(8))
    return np.asarray(rises, dtype=np.uint8)


_BRANCHES = _branch_counts()
