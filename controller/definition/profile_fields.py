"""Fields of ``production.yml``: these tables feed its reader, its problems, its docs and schema."""

from controller.definition.fields import Field, Fields
from controller.definition.profile import MAX_QUANTITY

HUMAN = ("assemble", "inspect", "station", "clean", "deburr", "tap", "load", "move", "pack")
PROCESSES = ("fdm", "mill", *HUMAN)
_UM = ("int", 1, 10_000_000)
_MG = ("int", 1, 1_000_000_000)
_S = ("int", 1, 30 * 24 * 3600)
_COUNT = ("int", 1, 1000)

REQUIRES: Fields = (
    Field("nozzle_um", _UM, False, "nozzle diameter the program was sliced for"),
    Field("volume_um", ("list", _UM, 3, 3), False, "x, y, z the machine must be able to reach"),
    Field("tool_um", _UM, False, "diameter of the cutter the program was made for"),
    Field("spindle_rpm", ("int", 1, 100_000), False, "spindle speed the machine must reach"),
    Field("payload_g", ("int", 1, 1_000_000), False, "mass the cell must be able to carry"),
)
MATERIAL: Fields = (
    Field("material", ("id",), True, "material by its id"),
    Field("mass_mg", _MG, False, "filament one run draws, as the slicer estimates it"),
    Field("pieces", ("int", 1, 1000), False, "stock pieces one run uses up"),
    Field(
        "part_mg", _MG, False, "mass of what is left of the stock in the part; the rest is scrap"
    ),
)
PROGRAM: Fields = (
    Field("file", ("path",), False, "program file, below the design's folder"),
    Field("sha256", ("sha256",), False, "SHA-256 of that file"),
    Field("kind", ("word", ("marlin", "grbl", "cell")), True, "language of the program"),
    Field("work_master", ("id",), False, "name of the work master a cell already holds; kind cell"),
    Field("duration_s", _S, True, "estimated time of one run"),
    Field("lines", ("int", 1, 10**9), False, "lines of the file"),
    Field("slicer", ("text", 80), False, "what made the program, with its version"),
    Field("slicer_profile", ("text", 80), False, "name of the settings it was made with"),
    Field("slicer_profile_sha256", ("sha256",), False, "SHA-256 of those settings"),
)
MESH: Fields = (
    Field("file", ("path",), True, "STL or 3MF file, below the design's folder"),
    Field("sha256", ("sha256",), False, "SHA-256 of that file"),
)
MEASURE: Fields = (
    Field("name", ("id",), True, "name of the value"),
    Field("title", ("text", 100), False, "what is measured, and how"),
    Field("unit", ("word", ("um", "mg", "g", "mn", "mnm", "mv", "count")), True, "its unit"),
    Field("low", ("int", -(10**9), 10**9), True, "smallest good value"),
    Field("high", ("int", -(10**9), 10**9), True, "largest good value"),
)
ON_FAIL: Fields = (
    Field("rework", ("id",), True, "rework step that mends what failed"),
    Field("at_most", ("int", 1, 10), False, "how often before it is scrap; 1 when absent"),
)
ALTERNATIVE: Fields = (
    Field("process", ("word", PROCESSES), True, "kind of work"),
    Field("requires", ("record", REQUIRES), False, "what the machine must be able to do"),
    Field("materials", ("list", ("record", MATERIAL), 0, 16), False, "what one run uses up"),
    Field("program", ("record", PROGRAM), False, "what the machine runs"),
    Field("mesh", ("record", MESH), False, "fdm without a program: what is sliced on demand"),
    Field("duration_s", _S, False, "estimated time of work without a program"),
)
STEP: Fields = (
    Field("step", ("id",), True, "id of the step"),
    Field("process", ("word", PROCESSES), True, "kind of work"),
    Field("title", ("text", 100), False, "name of the step for people"),
    Field("after", ("list", ("id",), 0, 64), False, "steps whose results it needs"),
    Field("requires", ("record", REQUIRES), False, "what the machine must be able to do"),
    Field("materials", ("list", ("record", MATERIAL), 0, 16), False, "what one run uses up"),
    Field("program", ("record", PROGRAM), False, "what the machine runs"),
    Field("mesh", ("record", MESH), False, "fdm without a program: what is sliced on demand"),
    Field("duration_s", _S, False, "estimated time of work without a program"),
    Field("instructions", ("text", 4000), False, "what a person does"),
    Field("yields", _COUNT, False, "pieces one run makes, e.g. a full plate; 1 when absent"),
    Field("count", _COUNT, False, "pieces of this step in one finished part; 1 when absent"),
    Field("share", ("bool",), False, "a run that is not full may hold parts of other needs"),
    Field("slots", _COUNT, False, "slots its result takes where parts wait; 1 when absent"),
    Field("checks", ("list", ("text", 200), 1, 20), False, "what a person ticks before it is good"),
    Field("measures", ("list", ("record", MEASURE), 1, 20), False, "values that decide"),
    Field("timer_s", _S, False, "time that must pass before it may be signed off, e.g. glue"),
    Field("photo", ("bool",), False, "a photo must be taken of the result"),
    Field("pictures", ("list", ("path",), 1, 8), False, "PNG or JPEG files shown to the person"),
    Field("on_fail", ("record", ON_FAIL), False, "where what fails goes; scrap when absent"),
    Field("alternatives", ("list", ("record", ALTERNATIVE), 1, 4), False, "other ways to do it"),
)
QUANTITY: Fields = (
    Field("min", ("int", 1, MAX_QUANTITY), False, "smallest quantity worth making"),
    Field("max", ("int", 1, MAX_QUANTITY), False, "largest quantity of one need"),
)
PROFILE: Fields = (
    Field("profile", ("int", 1, 1), True, "version of this format, 1"),
    Field("part", ("id",), True, "id of the part this makes"),
    Field("title", ("text", 100), True, "name of the part for people"),
    Field("quantity", ("record", QUANTITY), False, "bounds on one need; 1 to 10000 when absent"),
    Field("work_master", ("list", ("record", STEP), 1, 64), True, "steps that make one part"),
    Field("rework", ("list", ("record", STEP), 1, 16), False, "steps that on_fail may name"),
)
