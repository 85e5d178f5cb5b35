"""What our designs are: their parts, their words, and how a floor makes them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import arm
import shapes
from cam import Mill, Rectangle
from manifold3d import Manifold

LICENCE = "CERN-OHL-W-2.0"
LICENSOR = "Fabcommons contributors"
VERSION = "1.0.0"
REPO = "."  # the repository that holds the design; put its address in when publishing
STOCK = (110.0, 80.0, 6.0)


@dataclass(frozen=True, slots=True)
class Printed:
    """A part that PrusaSlicer prepares."""

    name: str
    title: str
    shape: Callable[[], Manifold]
    material: str = "petg"
    count: int = 1
    yields: int = 1
    share: bool = False
    instead: "Milled | None" = None


@dataclass(frozen=True, slots=True)
class Milled:
    """A part that our own milling script prepares; stock in mm."""

    name: str
    title: str
    shape: Callable[[], Manifold]
    program: Callable[[], str]
    material: str = "mdf-6"
    count: int = 1


@dataclass(frozen=True, slots=True)
class Assembly:
    """What a cell and a person do with the parts."""

    work_master: str
    duration_s: int
    instructions: str
    payload_g: int


@dataclass(frozen=True, slots=True)
class Item:
    """One design folder."""

    name: str
    title: str
    function: str
    parts: tuple[Printed | Milled, ...]
    check: str
    assembly: Assembly | None = None
    route: str = ""

    def all_parts(self) -> tuple[Printed | Milled, ...]:
        """Parts with what may be made instead of one."""
        others = (p.instead for p in self.parts if isinstance(p, Printed))
        return (*self.parts, *(part for part in others if part is not None))


def plate_program() -> str:
    """Milling program of the clamp's plate; it lies 8 mm inside its stock."""
    width, depth, height = shapes.PLATE
    mill = Mill("clamp-plate: base of the toggle clamp")
    mill.begin(STOCK)
    edge = (STOCK[0] - width) / 2, (STOCK[1] - depth) / 2
    through = height + 0.3
    for x, y in shapes.HOLES:
        mill.bore(x + edge[0], y + edge[1], shapes.HOLE, through)
    x, y, w, d, deep = shapes.SEAT
    seat = Rectangle(0, 0, w, d, shapes.SEAT_RADIUS).moved(x + edge[0], y + edge[1])
    mill.pocket(seat, deep)
    for x, y in shapes.SLOTS:
        w, d = shapes.SLOT
        slot = Rectangle(-w / 2, -d / 2, w / 2, d / 2, w / 2).moved(x + edge[0], y + edge[1])
        mill.pocket(slot, through)
    outline = Rectangle(0, 0, width, depth, shapes.PLATE_RADIUS).moved(*edge)
    mill.contour(outline, through, tab=(6.0, 1.6))
    return mill.end()


_PLATE = Milled("clamp-plate", "Clamp plate", shapes.clamp_plate, plate_program)


def _panel(name: str, title: str, size: tuple[float, float, Any], **more: Any) -> Milled:
    return Milled(
        name, title, partial(arm.panel, *size), partial(arm.panel_program, title, *size), **more
    )


_ARM = (
    Printed("links", "Links", arm.links, count=3, yields=3),
    Printed("knobs", "Knobs", arm.knobs, count=4, yields=4, share=True),
    Printed("washers", "Washers", arm.washers, count=8, yields=8),
    Printed("yoke", "Yoke", arm.yoke),
    Printed("pan-yoke", "Pan yoke", arm.pan_yoke),
    Printed("tray", "Camera tray", arm.tray),
    Printed("hood", "Hood", arm.hood),
    Printed("lid", "Lid", arm.lid),
    Printed("clips", "Cable clips", arm.clips, count=4, yields=4, share=True),
    Printed("feet", "Feet", arm.feet, count=4, yields=4, share=True),
    Printed(
        "handle",
        "Grip",
        arm.handle,
        instead=_panel("handle-milled", "Milled grip", arm.GRIP),
    ),
    _panel("base", "Base", arm.BASE),
    _panel("weight", "Counterweight", arm.WEIGHT, count=2),
    _panel("disc", "Pan disc", arm.DISC),
    _panel("jaw", "Jaw", arm.JAW, count=2),
)

ITEMS = (
    Item(
        "cable-clip",
        "Cable clip",
        "Holds one cable of 6 mm along a bench or a machine frame; one screw of 4 mm.",
        (Printed("cable-clip", "Cable clip", shapes.cable_clip),),
        "Press a 6 mm cable in: it snaps and stays. No strings in the screw hole.",
    ),
    Item(
        "spool-tag",
        "Spool tag",
        "Hooks onto the rim of a filament spool; its frame takes a paper label of 34 x 20 mm.",
        (Printed("spool-tag", "Spool tag", shapes.spool_tag),),
        "Hook it onto a rim of 3 mm: it holds upside down. The frame is flat.",
    ),
    Item(
        "clamp-plate",
        "Clamp plate",
        "Small fixture plate of 90 x 60 mm with a seat for the toggle clamp and slots for a bench.",
        (_PLATE,),
        "Break the tabs and sand them. The seat is 24 mm wide, +0.2 -0, and 2 mm deep.",
    ),
    Item(
        "toggle-clamp",
        "Toggle clamp",
        "Quick clamp for drilling and gluing: pushing the lever down presses work onto the plate.",
        (
            Printed("clamp-bracket", "Bracket", shapes.clamp_bracket),
            Printed("clamp-lever", "Lever", shapes.clamp_lever),
            _PLATE,
        ),
        "Close the lever on a 4 mm strip: it stays, and the strip cannot be pulled out by hand.",
        Assembly(
            "toggle-clamp-v1",
            90,
            "Press the bracket into the seat of the plate, then snap the lever between its cheeks.",
            payload_g=250,
        ),
    ),
    Item(
        "camera-arm",
        "Camera arm",
        "Holds a camera over a machine: three links on a weighted base, with a clamp for a bench.",
        _ARM,
        "Stretched out level with 200 g on its tray it sinks at most 3 mm in a minute.",
        route=arm.ROUTE,
    ),
)
