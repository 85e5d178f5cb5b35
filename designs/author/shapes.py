"""The shapes of our designs, each from a few dimensions in mm; printed parts lie as printed."""

import math

from manifold3d import Manifold
from solids import box, chamfered, plate, rod, rounded

# Plate that carries the clamp; the milling program is made from the same numbers.
PLATE = (90.0, 60.0, 6.0)
PLATE_RADIUS = 8.0
SEAT = (33.0, 18.0, 24.0, 24.0, 2.0)  # x, y, width, depth, how deep
SEAT_RADIUS = 2.0
HOLES = ((10.0, 10.0), (80.0, 10.0), (10.0, 50.0), (80.0, 50.0))
HOLE = 5.2
SLOTS = ((16.0, 30.0), (74.0, 30.0))  # centres
SLOT = (7.0, 20.0)  # width in x, length in y

PIVOT = 11.0  # height of the pivot above the bracket's foot
GAP = 8.6  # between the cheeks
LEVER = 8.1  # thickness of the lever


def cable_clip(cable: float = 6.0) -> Manifold:
    """Clip that holds one cable to a bench: a C with flat faces, and a foot with a screw hole."""
    width, wall = 9.9, 1.8
    inner, outer = cable + 0.4, cable + 0.4 + 2 * wall
    centre = (outer / 2, outer / 2)
    ring = plate(_octagon(centre, outer), width) - plate(_octagon(centre, inner), width)
    mouth = box(
        (centre[0] - cable * 0.38, centre[1], -1), (centre[0] + cable * 0.38, outer + 1, width + 1)
    )
    foot = plate([(0, 0), (27.2, 0), (28, 0.8), (28, 1.8), (0, 1.8)], width)
    screw = rod((0, 0), 4.4, 20, 16).rotate((-90, 0, 0)).translate((20, -5, width / 2))
    channel = plate(_octagon(centre, inner), width + 2).translate((0, 0, -1))
    return ring - mouth + (foot - screw - channel)


def _octagon(centre: tuple[float, float], across: float) -> list[tuple[float, float]]:
    radius = across / 2 / math.cos(math.pi / 8)
    angles = [math.pi / 8 + n * math.pi / 4 for n in range(8)]
    return [(centre[0] + radius * math.cos(a), centre[1] + radius * math.sin(a)) for a in angles]


def spool_tag() -> Manifold:
    """Tag that hooks onto the rim of a spool; its frame takes a paper label of 34 x 20 mm."""
    body = plate(chamfered(58, 26, 3), 1.8) - box((3, 3, 1.2), (37, 23, 3))
    rim = box((43, 6, -1), (46.4, 30, 3))
    hole = rod((52.2, 5.5), 4.0, 3, 16).translate((0, 0, -0.5))
    return body - rim - hole


def clamp_plate() -> Manifold:
    """Base of the clamp: a seat for the bracket, four screw holes, two slots for a bench."""
    width, depth, height = PLATE
    x, y, w, d, deep = SEAT
    body = plate(rounded(width, depth, PLATE_RADIUS), height)
    body -= plate(rounded(w, d, SEAT_RADIUS), 10).translate((x, y, height - deep))
    for hole in HOLES:
        body -= rod(hole, HOLE, 20).translate((0, 0, -1))
    for sx, sy in SLOTS:
        slot = rounded(SLOT[0], SLOT[1], SLOT[0] / 2 - 0.001)
        body -= plate(slot, 20).translate((sx - SLOT[0] / 2, sy - SLOT[1] / 2, -1))
    return body


def clamp_bracket() -> Manifold:
    """Bracket pressed into the plate's seat; the lever snaps between the bumps of its cheeks."""
    x, y = SEAT[2] - 0.2, SEAT[3] - 0.2
    wall = (x - GAP) / 2 - 3.2
    left = x / 2 - GAP / 2 - wall
    foot = plate(chamfered(x, y, 1.2), 3.0)
    profile = [(3, 0), (y - 3, 0), (y / 2 + 5, PIVOT + 6), (y / 2 - 5, PIVOT + 6)]
    cheek = plate(profile, wall).rotate((90, 0, 90))
    bump = Manifold.cylinder(1.6, 3.2, 1.2, 16).rotate((0, 90, 0))
    one = cheek + bump.translate((wall, y / 2, PIVOT))
    return (
        foot
        + one.translate((left, 0, 3))
        + one.translate((-x / 2, -y / 2, 0)).rotate((0, 0, 180)).translate((x / 2 - left, y / 2, 3))
    )


def clamp_lever() -> Manifold:
    """Lever with an eccentric nose: pushed down, it presses the work onto the plate and stays."""
    radius, offset = 8.5, 2.0
    nose = [
        (offset * 0.6 + radius * math.cos(a), offset + radius * math.sin(a))
        for a in (2 * math.pi * n / 16 for n in range(16))
    ]
    grip = [(0, 2), (52, 5), (56, 7), (56, 10), (52, 12), (0, 10.5)]
    lever = plate(nose, LEVER) + plate(grip, LEVER)
    pivot = rod((0, 0), 6.8, LEVER + 2, 12).translate((0, 0, -1))
    thumb = rod((47, 15.2), 10, LEVER + 2, 12).translate((0, 0, -1))
    return lever - pivot - thumb
