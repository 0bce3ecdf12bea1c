"""From ezdxf's entities to strokes and texts; blocks are exploded, curves flattened."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Final

import ezdxf
import numpy as np
from ezdxf import path as paths
from ezdxf import xclip
from ezdxf.math import Vec3
from ezdxf.render import hatching

from dedup2d.drawing import Text
from dedup2d.drawing.model import Floats
from dedup2d.errors import DrawingError
from dedup2d.reading.builder import FARTHEST, TOO_DENSE, DrawingBuilder
from dedup2d.reading.clipping import Clip
from dedup2d.reading.dxf import mosaics
from dedup2d.reading.dxf.meshes import grid_edges, mesh_size, polyface_edges
from dedup2d.reading.geometry import bulged_chain, chain, flatten_arcs, without_zero_length
from dedup2d.reading.patterns import MOST_LINES

# What a parser of other people's files lets through besides its own errors.
PARSER_ERRORS: Final = (
    ezdxf.DXFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RecursionError,
    StopIteration,
    NotImplementedError,
    struct.error,
    EOFError,
    OSError,
)
_PER_SPAN: Final = 16  # pieces of a spline between two knots
_FLAT: Final = 1e-3  # distance of chords from a curve, as a share of the curve's extent
_NOT_DRAWN: Final = frozenset({"POINT", "VIEWPORT", "XLINE", "RAY"})
_STRUCTURE: Final = frozenset({"SEQEND", "ATTDEF"})  # nothing of a drawing


class EntityWalker:
    """Adds every entity it is shown to ``builder``; what it cannot read becomes a finding."""

    def __init__(self, builder: DrawingBuilder, hidden_layers: frozenset[str]) -> None:
        self._builder = builder
        self._hidden = hidden_layers
        self._dimension: float | None = None
        self._in_dimension = False
        self._faces: list[tuple[Floats, int]] = []  # filled, of the block that is walked
        self._draw: dict[str, Callable[[Any, int], None]] = {
            "LINE": self._line,
            "CIRCLE": self._arc,
            "ARC": self._arc,
            "LWPOLYLINE": self._lwpolyline,
            "ELLIPSE": self._curve,
            "SPLINE": self._spline,
            "HELIX": self._spline,
            "MESH": self._mesh,
            "SOLID": self._face,
            "TRACE": self._face,
            "3DFACE": self._outline,
            "HATCH": self._hatch,
            "MPOLYGON": self._hatch,
            "TEXT": self._text,
            "ATTRIB": self._text,
            "MTEXT": self._mtext,
            "LEADER": self._leader,
        }

    def walk(self, entities: Iterable[Any], prefix: str = "", depth: int = 0) -> None:
        """Read ``entities``; ``prefix`` is put before their kind, ``depth`` counts blocks."""
        self._builder.meter.check_depth(depth)
        around, self._faces = self._faces, []
        for entity in entities:
            kind = entity.dxftype()
            try:
                self._read(entity, kind, prefix, depth)
            except DrawingError:
                raise
            except PARSER_ERRORS:
                self._builder.find("ENTITY_BROKEN", f"{kind} entities that cannot be read.")
        self._fill()
        self._faces = around

    def _read(self, entity: Any, kind: str, prefix: str, depth: int) -> None:
        self._builder.meter.spend(0)
        layer = entity.dxf.get("layer", "0")
        # The faces of a mesh have an "invisible" of their own: which edges are not drawn.
        invisible = kind != "3DFACE" and entity.dxf.get("invisible", 0)
        if layer.lower() in self._hidden or invisible:
            self._builder.find("LAYER_HIDDEN", "Entities that are switched off or frozen.")
            return
        source = self._builder.source(prefix + kind, layer, entity.dxf.get("handle", "") or "")
        if kind in self._draw:
            self._draw[kind](entity, source)
        elif kind == "INSERT":
            self._insert(entity, depth)
        elif kind == "POLYLINE":
            self._polyline(entity, source)
        elif "DIMENSION" in kind:
            self._dimensioned(entity, kind, depth)
        elif kind in {"MLINE", "ACAD_TABLE", "MULTILEADER"}:
            self.walk(entity.virtual_entities(), f"{kind}/", depth + 1)
        elif kind in _NOT_DRAWN:
            self._builder.find("ENTITY_NOT_DRAWN", f"{kind} entities have no strokes.")
        elif kind not in _STRUCTURE:
            self._builder.find("ENTITY_SKIPPED", f"{kind} entities are not read.")

    def _insert(self, entity: Any, depth: int) -> None:
        self._builder.meter.check_depth(depth + 1)
        for axis in ("xscale", "yscale", "zscale"):
            if entity.dxf.get(axis, 1.0) == 0:
                entity.dxf.set(axis, 1.0)
        inserts = entity.multi_insert() if entity.mcount > 1 else (entity,)
        clip = _clip(entity)
        for insert in inserts:
            if clip is None:
                self.walk(insert.virtual_entities(), "INSERT/", depth + 1)
                continue
            inner = DrawingBuilder(self._builder.meter)
            EntityWalker(inner, self._hidden).walk(insert.virtual_entities(), "INSERT/", depth + 1)
            x, y, _ = insert.dxf.insert - entity.dxf.insert
            self._builder.add_clipped(inner, clip.moved(np.array([x, y])))
        self.walk(entity.attribs, "INSERT/", depth + 1)

    def _dimensioned(self, entity: Any, kind: str, depth: int) -> None:
        self._in_dimension = True
        self._dimension = _measured(entity)
        self.walk(entity.virtual_entities(), f"{kind}/", depth + 1)
        self._in_dimension = False

    def _line(self, entity: Any, source: int) -> None:
        start, end = entity.dxf.start, entity.dxf.end
        self._builder.add_segments(np.array([[start.x, start.y, end.x, end.y]]), source)

    def _arc(self, entity: Any, source: int) -> None:
        normal = entity.dxf.extrusion
        if abs(normal.x) > 1e-9 or abs(normal.y) > 1e-9:  # noqa: PLR2004  # not seen from above
            self._curve(entity, source)
            return
        centre = entity.ocs().to_wcs(entity.dxf.center)
        start, sweep = 0.0, math.tau
        if entity.dxftype() == "ARC":
            start, end = math.radians(entity.dxf.start_angle), math.radians(entity.dxf.end_angle)
            sweep = (end - start) % math.tau or math.tau
        if normal.z < 0:
            start = math.pi - start - sweep
        arc = [centre.x, centre.y, abs(entity.dxf.radius), start, start + sweep]
        self._builder.add_arcs(np.array([arc]), source)

    def _lwpolyline(self, entity: Any, source: int) -> None:
        rows = np.array([(x, y, bulge) for x, y, bulge in entity.get_points("xyb")])
        self._bulged(rows, entity.closed, entity, source)

    def _polyline(self, entity: Any, source: int) -> None:
        if entity.is_2d_polyline:
            vertices = [v for v in entity.vertices if not v.dxf.flags & 16]
            rows = np.array([(*v.dxf.location.vec2, v.dxf.get("bulge", 0.0)) for v in vertices])
            self._bulged(rows, entity.is_closed, entity, source)
        elif entity.is_3d_polyline:
            vertices = [v for v in entity.vertices if not v.dxf.flags & 16]
            points = np.array([tuple(v.dxf.location.vec2) for v in vertices]).reshape(-1, 2)
            self._builder.add_segments(chain(points, closed=entity.is_closed), source)
        else:
            self._builder.add_segments(_mesh_edges(entity), source)

    def _bulged(self, rows: Floats, closed: bool, entity: Any, source: int) -> None:
        if not len(rows):
            return
        ocs = entity.ocs()
        normal = Vec3(entity.dxf.extrusion)
        if abs(normal.x) < 1e-9 and abs(normal.y) < 1e-9:  # noqa: PLR2004  # seen from above
            if normal.z < 0:
                rows = rows * np.array([-1.0, 1.0, -1.0])
            segments, arcs = bulged_chain(rows[:, :2], rows[:, 2], closed=closed)
            self._builder.add_segments(segments, source)
            self._builder.add_arcs(arcs, source)
            return
        segments, arcs = bulged_chain(rows[:, :2], rows[:, 2], closed=closed)
        for strokes, add in (
            (segments, self._builder.add_segments),
            (flatten_arcs(arcs)[0], self._builder.add_curves),
        ):
            z = entity.dxf.get("elevation", 0.0)
            height = z.z if isinstance(z, Vec3) else z
            ends = [ocs.to_wcs(Vec3(x, y, height)) for x, y in strokes.reshape(-1, 2)]
            flat = np.array([(end.x, end.y) for end in ends]).reshape(-1, 4)
            add(flat, source)

    def _curve(self, entity: Any, source: int) -> None:
        self._flattened(paths.make_path(entity), source)

    def _flattened(self, path: Any, source: int) -> None:
        hull = np.array([(p.x, p.y) for p in path.control_vertices()]).reshape(-1, 2)
        if len(hull) > 1 and self._is_placed(hull):
            extent = max(float(np.ptp(hull, axis=0).max()), 1e-9)
            points = np.array([(p.x, p.y) for p in path.flattening(extent * _FLAT)])
            self._builder.add_curves(chain(points), source)

    def _is_placed(self, hull: Floats) -> bool:
        """False for debris, which ezdxf would halve for ever to get it flat."""
        if (np.abs(hull) < FARTHEST).all():
            return True
        self._builder.find("COORDINATE_OUT_OF_RANGE", "Strokes without a sensible place.")
        return False

    def _spline(self, entity: Any, source: int) -> None:
        # Not by its path, whose Bezier curves only come near to a rational spline; and not by
        # adaptive flattening, which leaves the domain of unclamped ones and never ends where
        # the curve is no number.
        spline = entity.construction_tool()
        if not self._is_placed(np.array([(p.x, p.y) for p in spline.control_points])):
            return
        knots = np.asarray(spline.knots())
        spans = np.unique(np.clip(knots, knots[spline.degree], knots[spline.count]))
        at = np.linspace(spans[:-1], spans[1:], _PER_SPAN, endpoint=False, axis=1).ravel()
        points = np.array([(p.x, p.y) for p in spline.points([*at, spans[-1]])])
        self._builder.add_curves(chain(points), source)

    def _mesh(self, entity: Any, source: int) -> None:
        corners = [Vec3(vertex) for vertex in entity.vertices]
        edges = {
            tuple(sorted(edge))
            for face in entity.faces
            for edge in zip(face, [*face[1:], face[0]], strict=True)
        }
        rows = [(*corners[a].vec2, *corners[b].vec2) for a, b in sorted(edges)]
        strokes = without_zero_length(np.array(rows).reshape(-1, 4))
        self._builder.add_segments(strokes, source)

    def _outline(self, entity: Any, source: int) -> None:
        corners = np.array([(p.x, p.y) for p in entity.wcs_vertices()])
        edges = chain(corners, closed=True)
        if entity.dxftype() == "3DFACE":
            edges = edges[np.array(entity.get_edges_visibility()[: len(edges)], bool)]
        self._builder.add_segments(without_zero_length(edges), source)

    def _face(self, entity: Any, source: int) -> None:
        corners = [(p.x, p.y) for p in entity.wcs_vertices()]
        padded = np.array((corners + corners[-1:] * 4)[:4])
        self._faces.append((padded, source))

    def _fill(self) -> None:
        if not self._faces:
            return
        corners = np.stack([face for face, _ in self._faces])
        source = np.array([source for _, source in self._faces], np.int32)
        strokes = mosaics.outlines(corners, np.zeros(len(corners), np.intp))
        self._builder.add_segments(strokes.segments, source[strokes.segment_owner])
        self._builder.add_curves(strokes.curves, source[strokes.curve_owner])
        self._builder.add_seams(strokes.beside)

    def _leader(self, entity: Any, source: int) -> None:
        points = np.array([(Vec3(p).x, Vec3(p).y) for p in entity.vertices])
        self._builder.add_segments(chain(points), source)

    def _hatch(self, entity: Any, source: int) -> None:
        for boundary in paths.from_hatch(entity):
            if boundary.has_curves:
                self._flattened(boundary, source)
            else:
                points = np.array([(p.x, p.y) for p in boundary.control_vertices()])
                strokes = chain(points, closed=not boundary.is_closed)
                self._builder.add_segments(without_zero_length(strokes), source)
        lines = np.array(list(islice(_pattern(entity), MOST_LINES + 1))).reshape(-1, 4)
        if len(lines) > MOST_LINES:
            self._builder.find("HATCHING_TOO_DENSE", TOO_DENSE)
        else:
            self._builder.add_hatching(lines, np.full(len(lines), source))

    def _text(self, entity: Any, _source: int) -> None:
        anchor = entity.ocs().to_wcs(entity.dxf.insert)
        self._say(entity, anchor, entity.dxf.get("height", 0.0), entity.dxf.get("rotation", 0.0))

    def _mtext(self, entity: Any, _source: int) -> None:
        height = entity.dxf.get("char_height", 0.0)
        self._say(entity, entity.dxf.insert, height, entity.get_rotation())

    def _say(self, entity: Any, anchor: Any, height: float, turn: float) -> None:
        tag = entity.dxf.get("tag", "") if entity.dxftype() == "ATTRIB" else ""
        role = "attribute" if tag else "dimension" if self._in_dimension else "text"
        measured = self._dimension if role == "dimension" else None
        text = Text(
            value=entity.plain_text(),
            x=anchor.x,
            y=anchor.y,
            height=height,
            rotation_deg=turn,
            role=role,
            tag=tag,
            measured=measured,
            layer=entity.dxf.get("layer", "0"),
        )
        self._builder.add_text(text)


def _clip(insert: Any) -> Clip | None:
    """What is shown of a block reference, in the world; None for all of it."""
    clip = xclip.XClip(insert)
    if not clip.is_clipping_enabled:
        return None
    path = clip.get_wcs_clipping_path()
    polygon = np.array([(p.x, p.y) for p in path.inner_polygon()]).reshape(-1, 2)
    return Clip(polygon, path.is_inverted_clip) if len(polygon) else None


def _pattern(entity: Any) -> Iterator[tuple[float, float, float, float]]:
    """Both ends of each pattern line; ``hatching.hatch_entity`` gives turned ones twice."""
    if entity.pattern is None or entity.dxf.solid_fill:
        return
    ocs, height = entity.ocs(), Vec3(entity.dxf.elevation).z
    boundary = hatching.hatch_boundary_paths(entity)
    for baseline in hatching.pattern_baselines(entity):
        for line in hatching.hatch_paths(baseline, boundary):
            for ends in baseline.pattern_renderer(line.distance).render(line.start, line.end):
                start, end = (ocs.to_wcs(Vec3(p.x, p.y, height)) for p in ends)
                if not start.isclose(end):
                    yield start.x, start.y, end.x, end.y


def _mesh_edges(entity: Any) -> Floats:
    rows = [(v.dxf.location.x, v.dxf.location.y) for v in entity.vertices]
    points = np.array(rows).reshape(-1, 2)
    flags = np.array([v.dxf.flags for v in entity.vertices])
    if not entity.is_poly_face_mesh:
        points = points[(flags & 16) == 0]  # without control points of a smoothed surface
        names = ("m_count", "n_count", "m_smooth_density", "n_smooth_density")
        size = mesh_size(len(points), [entity.dxf.get(name, 0) for name in names])
        return grid_edges(points, size, entity.dxf.flags)
    names = ("vtx0", "vtx1", "vtx2", "vtx3")
    corners = [[v.dxf.get(name, 0) for name in names] for v in entity.vertices]
    return polyface_edges(points, flags, np.array(corners))


def _measured(entity: Any) -> float | None:
    stored = entity.dxf.get("actual_measurement", None)
    if stored is not None and stored >= 0:
        return float(stored)
    try:
        value = entity.get_measurement()
    except PARSER_ERRORS:
        return None
    return float(value) if isinstance(value, int | float) else None
