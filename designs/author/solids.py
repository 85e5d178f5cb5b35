"""Solids in mm, and meshes that come out the same byte for byte each time they are made."""

import math
import struct
from pathlib import Path

import manifold3d
import numpy as np
import trimesh
from manifold3d import CrossSection, Manifold

Point = tuple[float, float]
FACETS = 32


def plate(points: list[Point], height: float) -> Manifold:
    """Prism over a counter-clockwise polygon."""
    return Manifold.extrude(CrossSection([np.array(points)]), height)


def box(low: tuple[float, float, float], high: tuple[float, float, float]) -> Manifold:
    """Box between two corners."""
    size = (high[0] - low[0], high[1] - low[1], high[2] - low[2])
    return Manifold.cube(size).translate(low)


def rod(centre: Point, diameter: float, height: float, facets: int = FACETS) -> Manifold:
    """Upright cylinder standing on z = 0."""
    radius = diameter / 2
    return Manifold.cylinder(height, radius, radius, facets).translate((*centre, 0.0))


def rounded(width: float, depth: float, radius: float, facets: int = 8) -> list[Point]:
    """Rectangle from (0, 0) with rounded corners, counter-clockwise."""
    points: list[Point] = []
    corners = ((width, 0), (width, depth), (0, depth), (0, 0))
    for number, (x, y) in enumerate(corners):
        cx = x - radius if x else radius
        cy = y - radius if y else radius
        for step in range(facets + 1):
            angle = math.pi / 2 * (number - 1 + step / facets)
            points.append((cx + radius * math.cos(angle), cy + radius * math.sin(angle)))
    return points


def chamfered(width: float, depth: float, cut: float) -> list[Point]:
    """Rectangle from (0, 0) with its corners cut off, counter-clockwise."""
    return [
        (cut, 0), (width - cut, 0), (width, cut), (width, depth - cut),
        (width - cut, depth), (cut, depth), (0, depth - cut), (0, cut),
    ]  # fmt: skip


def mesh_of(solid: Manifold) -> trimesh.Trimesh:
    """Watertight mesh of a solid, lowest corner at the origin, triangles in a fixed order."""
    if solid.status() != manifold3d.Error.NoError or solid.is_empty():
        raise ValueError("the solid is broken")
    low = solid.bounding_box()[:3]
    raw = solid.translate((-low[0], -low[1], -low[2])).to_mesh()
    points = np.round(np.asarray(raw.vert_properties)[:, :3].astype(float), 4) + 0.0
    corners = points[np.asarray(raw.tri_verts)]
    triangles = sorted(_turned(triangle) for triangle in corners.tolist())
    mesh = trimesh.Trimesh(
        np.array(triangles).reshape(-1, 3), np.arange(3 * len(triangles)).reshape(-1, 3)
    )
    mesh.merge_vertices()
    if not (mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0):
        raise ValueError("the mesh is not watertight")
    return mesh


def _turned(triangle: list[list[float]]) -> tuple[tuple[float, ...], ...]:
    first = triangle.index(min(triangle))
    return tuple(tuple(p) for p in triangle[first:] + triangle[:first])


def write_stl(mesh: trimesh.Trimesh, path: Path) -> None:
    """Write binary STL; the header carries no date."""
    rows = [struct.pack("<80sI", b"Fabcommons, CERN-OHL-W-2.0", len(mesh.faces))]
    for normal, corners in zip(mesh.face_normals, mesh.triangles, strict=True):
        flat = [*np.round(normal, 5) + 0.0, *corners.reshape(9)]
        rows.append(struct.pack("<12fH", *flat, 0))
    path.write_bytes(b"".join(rows))
