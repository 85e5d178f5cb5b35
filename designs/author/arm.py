"""The camera arm of a floor: its shapes, its milling, and the route that makes it."""

import math

from cam import Mill, Rectangle
from manifold3d import Manifold
from solids import box, chamfered, plate, rod, rounded

STOCK = (110.0, 80.0, 6.0)
BOLT = 5.4  # hole for a screw of 5 mm
NUT = 9.4  # across the corners of its nut


def _row(one: Manifold, count: int, step: float) -> Manifold:
    """Several on one plate, in a row."""
    found = one
    for n in range(1, count):
        found += one.translate((n * step, 0, 0))
    return found


def links() -> Manifold:
    """Three links of the arm, 70 mm from joint to joint."""
    body = plate(rounded(84, 14, 6.9), 5)
    for x in (7, 77):
        body -= rod((x, 7), BOLT, 20, 16).translate((0, 0, -1))
    body -= box((20, 5, -1), (64, 9, 9))
    return body + body.translate((0, 18, 0)) + body.translate((0, 36, 0))


def knobs() -> Manifold:
    """Four knobs with a seat for a nut."""
    star = rod((0, 0), 22, 9, 24)
    for n in range(6):
        angle = n * math.pi / 3
        star -= rod((13 * math.cos(angle), 13 * math.sin(angle)), 9, 30, 12).translate((0, 0, -1))
    star -= rod((0, 0), BOLT, 30, 16).translate((0, 0, -1))
    star -= rod((0, 0), NUT, 10, 6).translate((0, 0, 5))
    return _row(star, 4, 26)


def washers() -> Manifold:
    """Eight washers that let a joint turn."""
    one = rod((0, 0), 13, 1.2, 24) - rod((0, 0), BOLT, 5, 16).translate((0, 0, -1))
    row = _row(one, 4, 16)
    return row + row.translate((0, 16, 0))


def yoke() -> Manifold:
    """Foot with two cheeks that hold a link."""
    foot = plate(chamfered(34, 30, 3), 4)
    for x, y in ((6, 6), (28, 6), (6, 24), (28, 24)):
        foot -= rod((x, y), 3.4, 20, 12).translate((0, 0, -1))
    cheek = plate([(9, 0), (25, 0), (25, 20), (20, 26), (14, 26), (9, 20)], 4).rotate((90, 0, 0))
    pair = cheek.translate((0, 12.2, 4)) + cheek.translate((0, 21.8, 4))
    hole = rod((0, 0), BOLT, 60, 16).rotate((90, 0, 0)).translate((17, 50, 22))
    return foot + pair - hole


def pan_yoke() -> Manifold:
    """Yoke on a round foot, for the pan disc."""
    return yoke() + rod((17, 15), 34, 3, 32) - rod((17, 15), BOLT, 9, 16).translate((0, 0, -1))


def tray() -> Manifold:
    """Tray that takes a camera module of 25 x 24 mm."""
    body = box((0, 0, 0), (34, 32, 9)) - box((3, 3, 2), (31, 29, 20)) - box((8, -1, 4), (26, 5, 20))
    body -= rod((17, 16), 10, 9, 24).translate((0, 0, -1))
    ear = plate([(0, 0), (14, 0), (14, 12), (7, 18), (0, 12)], 5).rotate((90, 0, 0))
    hole = rod((0, 0), BOLT, 40, 16).rotate((90, 0, 0)).translate((17, 45, 18))
    return body + ear.translate((10, 34, 5)) - hole


def hood() -> Manifold:
    """Hood against stray light."""
    outer = Manifold.cylinder(12, 11, 15, 32)
    return outer - Manifold.cylinder(14, 9, 13.6, 32).translate((0, 0, -1))


def lid() -> Manifold:
    """Lid of the tray."""
    body = plate(chamfered(33.6, 31.6, 2), 2)
    return body - _row(rod((8, 16), 2.5, 9, 12), 5, 4.5).translate((0, 0, -1))


def clips() -> Manifold:
    """Four clips that hold the cable along a link."""
    ring = rod((0, 0), 9, 6, 24) - rod((0, 0), 6.4, 9, 24).translate((0, 0, -1))
    one = ring - box((-2.4, 2, -1), (2.4, 9, 9)) + box((-6, -6.2, 0), (6, -4, 6))
    return _row(one, 4, 16)


def feet() -> Manifold:
    """Four feet of the base."""
    one = Manifold.cylinder(6, 8, 6.5, 24) - rod((0, 0), 3.4, 20, 12).translate((0, 0, -1))
    return _row(one - rod((0, 0), 6.6, 9, 16).translate((0, 0, 3)), 4, 19)


def handle() -> Manifold:
    """Grip at the end of the arm."""
    body = plate(rounded(60, 18, 8.9), 6)
    for x in (9, 51):
        body -= rod((x, 9), BOLT, 20, 16).translate((0, 0, -1))
    return body


def panel(width: float, depth: float, holes: tuple[tuple[float, float, float], ...]) -> Manifold:
    """Milled panel with round holes (x, y, diameter)."""
    body = plate(rounded(width, depth, 4), STOCK[2])
    for x, y, diameter in holes:
        body -= rod((x, y), diameter, 20).translate((0, 0, -1))
    return body


def panel_program(
    title: str, width: float, depth: float, holes: tuple[tuple[float, float, float], ...]
) -> str:
    """Milling program of a panel, in the middle of its stock."""
    mill = Mill(f"{title}: camera arm")
    mill.begin(STOCK)
    edge = (STOCK[0] - width) / 2, (STOCK[1] - depth) / 2
    through = STOCK[2] + 0.3
    for x, y, diameter in holes:
        mill.bore(x + edge[0], y + edge[1], diameter, through)
    mill.contour(Rectangle(0, 0, width, depth, 4).moved(*edge), through, tab=(6.0, 1.6))
    return mill.end()


FOUR = ((8.0, 8.0, 4.2), (82.0, 8.0, 4.2), (8.0, 52.0, 4.2), (82.0, 52.0, 4.2))
YOKE = ((34.0, 21.0, 4.0), (56.0, 21.0, 4.0), (34.0, 39.0, 4.0), (56.0, 39.0, 4.0))
BASE = (90.0, 60.0, (*FOUR, *YOKE))
WEIGHT = (90.0, 60.0, FOUR)
DISC = (50.0, 50.0, ((25.0, 25.0, BOLT), (14.0, 16.0, 4.0), (36.0, 16.0, 4.0), (25.0, 40.0, 4.0)))
JAW = (60.0, 24.0, ((12.0, 12.0, BOLT), (48.0, 12.0, BOLT)))
GRIP = (60.0, 18.0, ((9.0, 9.0, BOLT), (51.0, 9.0, BOLT)))

ROUTE = """\
  - step: deburr
    process: deburr
    title: Deburr the milled parts
    after: [mill-base, mill-weight, mill-disc, mill-jaw]
    duration_s: 240
    instructions: Break the tabs, sand the edges, blow the dust out of the holes.
    checks: [No tab is left, Holes are free of dust]
  - step: carry
    process: move
    title: Carry the panels to the bench
    after: [deburr]
    duration_s: 60
    instructions: Take the four kinds of panels from the mill to the assembly bench.
  - step: join-base
    process: assemble
    title: Join base and counterweight
    after: [carry, print-yoke, print-feet]
    requires: {payload_g: 400}
    program: {kind: cell, work_master: camera-arm-base-v1, duration_s: 120}
    instructions: Lay the counterweight under the base, screw the yoke on top and the feet below.
  - step: join-pan
    process: assemble
    title: Join the pan head
    after: [carry, print-pan-yoke]
    requires: {payload_g: 100}
    program: {kind: cell, work_master: camera-arm-pan-v1, duration_s: 60}
    instructions: Screw the round yoke onto the pan disc.
  - step: glue-head
    process: station
    title: Glue hood and tray
    after: [print-tray, print-hood]
    duration_s: 120
    timer_s: 900
    instructions: Glue the hood around the hole of the tray. The glue sets in a quarter of an hour.
  - step: fit-camera
    process: station
    title: Fit the camera
    after: [glue-head, print-lid]
    duration_s: 180
    instructions: Lay the camera module into the tray, press the lid on.
  - step: join-arm
    process: assemble
    title: Join the links
    after: [print-links, print-knobs, print-washers]
    requires: {payload_g: 200}
    program: {kind: cell, work_master: camera-arm-links-v1, duration_s: 180}
    instructions: Screw the three links together, a washer on each side, a knob on each joint.
  - step: join-clamp
    process: assemble
    title: Join the bench clamp
    after: [carry, print-handle]
    requires: {payload_g: 100}
    program: {kind: cell, work_master: camera-arm-clamp-v1, duration_s: 60}
    instructions: Screw the two jaws and the grip together.
  - step: join-all
    process: station
    title: Put the arm together
    after: [join-base, join-pan, join-arm, join-clamp, fit-camera]
    duration_s: 600
    instructions: Arm on base, pan head on arm, camera on pan head, clamp on base.
    checks: [Every joint turns and stays]
  - step: clip-cable
    process: station
    title: Clip the cable on
    after: [join-all, print-clips]
    duration_s: 120
    instructions: Lead the cable along the links, four clips.
  - step: inspect
    process: inspect
    title: Inspect the camera arm
    after: [clip-cable]
    duration_s: 180
    instructions: Stretch the arm out level, hang 200 g on the tray, wait a minute, measure.
    checks: [Nothing is loose, The cable is not strained]
    measures:
      - {name: sag-um, unit: um, low: 0, high: 3000, title: How far the tray sinks in a minute}
      - {name: mass-g, unit: g, low: 150, high: 900, title: Mass of the whole arm}
    photo: true
    on_fail: {rework: tighten, at_most: 2}
  - step: pack
    process: pack
    title: Pack the camera arm
    after: [inspect]
    duration_s: 120
    instructions: Fold it, into a box with the leaflet.
rework:
  - step: tighten
    process: station
    title: Tighten the joints
    duration_s: 240
    instructions: Tighten every knob, change a washer that slips.
"""
