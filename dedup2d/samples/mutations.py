"""What happens to drawings in an office, done to a Drawing, with the truth kept.

Every mutator returns a Mutation: the mutated drawing (the query), the pose that lays it back
onto the original (the match), and the boxes in the query's frame in which it was changed.
Mutators chain with ``Mutation.then``. The same arguments give the same result.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing.model import Drawing, Floats, Source, Text
from dedup2d.report import Pose, Region
from dedup2d.samples.dice import pick
from dedup2d.samples.plan import Motion, Plan
from dedup2d.samples.raster import extents_of
from dedup2d.samples.sheet import TitleBlock, format_for, frame, title_block
from dedup2d.samples.strokes import strokes

NO_TURN: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Mutation:
    """A mutated drawing and the truth about it.

    ``pose`` lays ``drawing`` onto the original; ``boxes`` are the changed places in
    ``drawing``'s units; ``added`` and ``removed`` count changed primitives.
    """

    drawing: Drawing
    pose: Pose = field(default_factory=Pose)
    boxes: tuple[Region, ...] = ()

    def then(self, step: Callable[[Drawing], Mutation]) -> Mutation:
        """Mutate once more; pose and boxes are carried into the new frame."""
        after = step(self.drawing)
        forth = inverse(Motion.of(after.pose))
        boxes = tuple(_moved_box(box, forth) for box in self.boxes)
        pose = pose_of(_after(Motion.of(self.pose), Motion.of(after.pose)))
        return Mutation(after.drawing, pose, boxes + after.boxes)


def moved_by(drawing: Drawing, motion: Motion) -> Drawing:
    """The drawing under a similarity; texts stay readable."""
    turn, mirrored = motion.turn, motion.mirrored
    arcs = drawing.arcs.copy()
    centers = _complex(arcs[:, :2])
    arcs[:, :2] = _pairs(turn * (centers.conj() if mirrored else centers) + motion.shift)
    arcs[:, 2] *= motion.scale
    span = arcs[:, 4] - arcs[:, 3]
    first = -arcs[:, 4] if mirrored else arcs[:, 3]
    whole = span >= math.tau - 1e-9
    arcs[:, 3] = np.where(whole, 0.0, (first + motion.angle) % math.tau)
    arcs[:, 4] = arcs[:, 3] + span
    return replace(
        drawing,
        segments=_moved_segments(drawing.segments, motion),
        curves=_moved_segments(drawing.curves, motion),
        hatching=_moved_segments(drawing.hatching, motion),
        seams=_moved_segments(drawing.seams, motion),
        arcs=arcs,
        texts=tuple(_moved_text(text, motion) for text in drawing.texts),
        tolerance=drawing.tolerance * motion.scale,
    )


def move(drawing: Drawing, dx: float, dy: float) -> Mutation:
    """Shifted by (dx, dy) drawing units."""
    return _by_motion(drawing, Motion(shift=complex(dx, dy)))


def rotate(drawing: Drawing, degrees: float) -> Mutation:
    """Turned counter-clockwise about the origin."""
    return _by_motion(drawing, Motion.of(Pose(rotation_deg=degrees)))


def mirror(drawing: Drawing) -> Mutation:
    """The part for the other hand: mirrored at the x axis, texts readable."""
    return _by_motion(drawing, Motion(mirrored=True))


def scale(drawing: Drawing, factor: float, *, unit_mm: float | None = None) -> Mutation:
    """Scaled; give ``unit_mm`` when it is the unit that changed (inch copy: 1/25.4 and 25.4)."""
    mutation = _by_motion(drawing, Motion(factor))
    if unit_mm is None:
        return mutation
    return replace(mutation, drawing=replace(mutation.drawing, unit_mm=unit_mm))


def noise(drawing: Drawing, relative: float, seed: int) -> Mutation:
    """Coordinates off by normal noise of ``relative`` times the diagonal."""
    rng = np.random.default_rng(seed)
    deviation = relative * diagonal(drawing)
    arcs = drawing.arcs.copy()
    arcs[:, :3] += rng.normal(0.0, deviation, (len(arcs), 3))
    arcs[:, 2] = np.abs(arcs[:, 2])
    shaken = replace(
        drawing,
        segments=drawing.segments + rng.normal(0.0, deviation, drawing.segments.shape),
        curves=drawing.curves + rng.normal(0.0, deviation, drawing.curves.shape),
        arcs=arcs,
    )
    return Mutation(shaken)


def split(drawing: Drawing, seed: int, *, share: float = 0.5) -> Mutation:
    """A share of the segments and arcs cut in two; nothing looks different."""
    rng = np.random.default_rng(seed)
    segments, at = _cut(drawing.segments, rng, share)
    which = drawing.segment_source[at]
    arcs, of = drawing.arcs, np.arange(len(drawing.arcs))
    chosen = rng.random(len(arcs)) < share
    middle = (arcs[:, 3] + arcs[:, 4]) / 2
    heads, tails = arcs.copy(), arcs[chosen].copy()
    heads[chosen, 4] = middle[chosen]
    tails[:, 3] = middle[chosen]
    of = np.concatenate([of, of[chosen]])
    return Mutation(
        replace(
            drawing,
            segments=segments,
            segment_source=which,
            arcs=np.concatenate([heads, tails]),
            arc_source=drawing.arc_source[of],
        )
    )


def reverse(drawing: Drawing, seed: int) -> Mutation:
    """Half of the segments run the other way."""
    flip = np.random.default_rng(seed).integers(0, 2, len(drawing.segments)) == 1
    segments = drawing.segments.copy()
    segments[flip] = segments[flip][:, [2, 3, 0, 1]]
    return Mutation(replace(drawing, segments=segments))


def duplicate(drawing: Drawing, seed: int, *, share: float = 0.2) -> Mutation:
    """A share of the primitives is there twice, as after careless copying."""
    rng = np.random.default_rng(seed)
    lines = np.flatnonzero(rng.random(len(drawing.segments)) < share)
    arcs = np.flatnonzero(rng.random(len(drawing.arcs)) < share)
    return Mutation(
        replace(
            drawing,
            segments=np.concatenate([drawing.segments, drawing.segments[lines]]),
            segment_source=np.concatenate([drawing.segment_source, drawing.segment_source[lines]]),
            arcs=np.concatenate([drawing.arcs, drawing.arcs[arcs]]),
            arc_source=np.concatenate([drawing.arc_source, drawing.arc_source[arcs]]),
        )
    )


def shuffle(drawing: Drawing, seed: int) -> Mutation:
    """Primitives and texts in another order, all on layers of other names."""
    rng = np.random.default_rng(seed)
    lines, arcs = rng.permutation(len(drawing.segments)), rng.permutation(len(drawing.arcs))
    sources = tuple(Source(s.kind, f"L{i}", "") for i, s in enumerate(drawing.sources))
    order = rng.permutation(len(drawing.texts))
    return Mutation(
        replace(
            drawing,
            segments=drawing.segments[lines],
            segment_source=drawing.segment_source[lines],
            arcs=drawing.arcs[arcs],
            arc_source=drawing.arc_source[arcs],
            sources=sources,
            texts=tuple(drawing.texts[i] for i in order),
        )
    )


def resave(drawing: Drawing, seed: int) -> Mutation:
    """Another program's file of the same drawing: order, layers, splits, directions, a shift."""
    dx, dy = np.random.default_rng(seed).uniform(-500, 500, 2)
    mutation = Mutation(drawing)
    for step in (shuffle, split, reverse, duplicate):
        mutation = mutation.then(lambda d, step=step: step(d, seed))  # type: ignore[misc]
    return mutation.then(lambda d: move(d, float(dx), float(dy)))


def add_frame(drawing: Drawing, seed: int) -> Mutation:
    """The drawing in the middle of a framed sheet that fits, with a title block."""
    box = extents_of(drawing)
    sheet = format_for(box[2] - box[0], box[3] - box[1])
    block = TitleBlock("PART", f"NW-{seed % 10**6:06d}", scale=sheet.ratio, sheet=sheet.name)
    plan: Plan = (*frame(sheet), title_block(sheet, block))
    middle = complex(sheet.size[0], sheet.size[1] + 40) / 2 * sheet.scale
    shift = middle - complex(box[0] + box[2], box[1] + box[3]) / 2
    moved = _by_motion(drawing, Motion(shift=shift))
    return Mutation(joined(moved.drawing, strokes(plan)), moved.pose)


def on_sheet(drawing: Drawing, others: tuple[Drawing, ...], seed: int) -> Mutation:
    """The drawing beside others on one sheet, each turned by a multiple of 90 degrees or freely."""
    rng = np.random.default_rng(seed)
    everyone = [drawing, *others]
    pitch = 1.15 * max(diagonal(each) for each in everyone)
    columns = math.ceil(math.sqrt(len(everyone)))
    places = rng.permutation(len(everyone))
    sheet, first = Drawing(unit_mm=drawing.unit_mm, format=drawing.format), Mutation(drawing)
    for each, place in zip(everyone, places, strict=True):
        angle = pick(rng, 0.0, 90.0, 180.0, 270.0, round(rng.uniform(0, 360), 1))
        turn = Motion.of(Pose(rotation_deg=angle))
        box = extents_of(each)
        middle = complex(box[0] + box[2], box[1] + box[3]) / 2
        cell = complex(place % columns, place // columns) * pitch
        put = _by_motion(each, Motion(turn.turn, cell - turn(middle)))
        first = put if each is drawing else first
        sheet = joined(sheet, put.drawing)
    return replace(first, drawing=sheet)


def crop(drawing: Drawing, share: float, seed: int) -> Mutation:
    """What lies wholly in a window that covers ``share`` of the extents' area."""
    rng = np.random.default_rng(seed)
    x0, y0, x1, y1 = extents_of(drawing)
    side = math.sqrt(share)
    left = x0 + rng.uniform(0, 1 - side) * (x1 - x0)
    low = y0 + rng.uniform(0, 1 - side) * (y1 - y0)
    window = (left, low, left + side * (x1 - x0), low + side * (y1 - y0))
    kept = _within(drawing, window)
    return Mutation(replace(kept, texts=tuple(t for t in drawing.texts if _holds(window, t))))


def joined(one: Drawing, other: Drawing) -> Drawing:
    """Both drawings in one frame."""
    offset = len(one.sources)
    return replace(
        one,
        segments=np.concatenate([one.segments, other.segments]),
        arcs=np.concatenate([one.arcs, other.arcs]),
        curves=np.concatenate([one.curves, other.curves]),
        hatching=np.concatenate([one.hatching, other.hatching]),
        seams=np.concatenate([one.seams, other.seams]),
        segment_source=np.concatenate([one.segment_source, other.segment_source + offset]),
        arc_source=np.concatenate([one.arc_source, other.arc_source + offset]),
        curve_source=np.concatenate([one.curve_source, other.curve_source + offset]),
        sources=one.sources + other.sources,
        texts=one.texts + other.texts,
    )


def diagonal(drawing: Drawing) -> float:
    """Of the extents, in drawing units."""
    x0, y0, x1, y1 = extents_of(drawing)
    return math.hypot(x1 - x0, y1 - y0)


def _by_motion(drawing: Drawing, motion: Motion) -> Mutation:
    return Mutation(moved_by(drawing, motion), pose_of(inverse(motion)))


def inverse(motion: Motion) -> Motion:
    """The motion that undoes it."""
    turn, shift = motion.turn, motion.shift
    if motion.mirrored:
        return Motion((1 / turn).conjugate(), -(shift / turn).conjugate(), True)
    return Motion(1 / turn, -shift / turn)


def _after(outer: Motion, inner: Motion) -> Motion:
    """First ``inner``, then ``outer``."""
    turn = inner.turn.conjugate() if outer.mirrored else inner.turn
    return Motion(outer.turn * turn, outer(inner.shift), outer.mirrored != inner.mirrored)


def pose_of(motion: Motion) -> Pose:
    """The same motion as a Pose, its angle in [0, 360)."""
    degrees = math.degrees(motion.angle) % 360
    return Pose(
        rotation_deg=0.0 if 360 - degrees < NO_TURN else degrees,
        mirrored=motion.mirrored,
        scale=motion.scale,
        shift=(motion.shift.real, motion.shift.imag),
    )


def _moved_box(box: Region, motion: Motion) -> Region:
    corners = [
        motion(complex(x, y)) for x in (box.min_x, box.max_x) for y in (box.min_y, box.max_y)
    ]
    xs, ys = [c.real for c in corners], [c.imag for c in corners]
    return box.model_copy(
        update={"min_x": min(xs), "min_y": min(ys), "max_x": max(xs), "max_y": max(ys)}
    )


def _moved_text(text: Text, motion: Motion) -> Text:
    at = motion(complex(text.x, text.y))
    angle = math.degrees(motion.direction(math.radians(text.rotation_deg)))
    return replace(
        text,
        x=at.real,
        y=at.imag,
        height=text.height * motion.scale,
        rotation_deg=(angle + 89.9) % 180 - 89.9,
        measured=None if text.measured is None else text.measured * motion.scale,
    )


def _complex(pairs: Floats) -> np.ndarray[tuple[int], np.dtype[np.complex128]]:
    return pairs[:, 0] + 1j * pairs[:, 1]


def _pairs(points: np.ndarray[tuple[int], np.dtype[np.complex128]]) -> Floats:
    return np.stack([points.real, points.imag], axis=1)


def _moved_segments(segments: Floats, motion: Motion) -> Floats:
    points = _complex(segments.reshape(-1, 2))
    moved = motion.turn * (points.conj() if motion.mirrored else points) + motion.shift
    return _pairs(moved).reshape(-1, 4)


def _cut(segments: Floats, rng: np.random.Generator, share: float) -> tuple[Floats, Floats]:
    chosen = np.flatnonzero(rng.random(len(segments)) < share)
    at = rng.uniform(0.2, 0.8, len(chosen))[:, None]
    start, end = segments[chosen, :2], segments[chosen, 2:]
    middle = start + at * (end - start)
    heads = segments.copy()
    heads[chosen, 2:] = middle
    owners = np.concatenate([np.arange(len(segments)), chosen])
    return np.concatenate([heads, np.hstack([middle, end])]), owners


def _within(drawing: Drawing, window: tuple[float, float, float, float]) -> Drawing:
    x0, y0, x1, y1 = window

    def inside(segments: Floats) -> NDArray[np.bool_]:
        low, high = np.array([x0, y0, x0, y0]), np.array([x1, y1, x1, y1])
        return np.asarray(((segments >= low) & (segments <= high)).all(1))

    lines, curves = inside(drawing.segments), inside(drawing.curves)
    x, y, r = drawing.arcs[:, 0], drawing.arcs[:, 1], drawing.arcs[:, 2]
    arcs = (x - r >= x0) & (x + r <= x1) & (y - r >= y0) & (y + r <= y1)
    return replace(
        drawing,
        segments=drawing.segments[lines],
        segment_source=drawing.segment_source[lines],
        curves=drawing.curves[curves],
        curve_source=drawing.curve_source[curves],
        hatching=drawing.hatching[inside(drawing.hatching)],
        seams=drawing.seams[inside(drawing.seams)],
        arcs=drawing.arcs[arcs],
        arc_source=drawing.arc_source[arcs],
    )


def _holds(window: tuple[float, float, float, float], text: Text) -> bool:
    return window[0] <= text.x <= window[2] and window[1] <= text.y <= window[3]
