"""Slicing on demand: a mesh becomes a way of its operation; until then everything says why."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from controller import needs, resources
from controller.adapters.slicer import Slicer, SlicerError, find_slicer, read_settings
from controller.commons.settings import RoundSettings, configure
from controller.definition import DesignError, load_design
from controller.definition.program_store import ProgramStore
from controller.joints.changeovers import House
from controller.joints.designs import import_design, router
from controller.joints.plans import pose
from controller.joints.sharing import sharer
from controller.joints.slicing import NO_SLICER, Room, SlicingRoom
from controller.picturing import floor_picture
from controller.slicing import Profile
from controller.values import Machine

SHIPPED = Path(__file__).resolve().parents[2] / "designs"
PETG = SHIPPED / "profiles" / "petg-0.3mm.ini"
PROFILE = """\
profile: 1
part: cable-clip
title: Cable clip
work_master:
  - step: print
    process: fdm
    materials: [{{material: petg}}]
    mesh: {{file: clip.stl, sha256: {sha}}}
  - step: inspect
    process: inspect
    after: [print]
    duration_s: 60
    instructions: Look at it.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A design of a manifest, a profile and a mesh, without a program."""
    made = tmp_path / "clip"
    made.mkdir()
    for name, source in (("okh.toml", "okh.toml"), ("clip.stl", "meshes/cable-clip.stl")):
        (made / name).write_bytes((SHIPPED / "cable-clip" / source).read_bytes())
    sha = hashlib.sha256((made / "clip.stl").read_bytes()).hexdigest()
    (made / "production.yml").write_text(PROFILE.format(sha=sha))
    return made


class FakeSlicer:
    """Gives the shipped program; looks at the floor while it is at work."""

    def __init__(self, look=lambda percent: None, fails: str = "") -> None:
        self.asked: list[tuple[str, str]] = []
        self.look, self.fails = look, fails

    def slice(self, mesh: Path, settings: Path, progress) -> Path:
        self.asked.append((mesh.name, settings.name))
        assert mesh.read_bytes() == (SHIPPED / "cable-clip/meshes/cable-clip.stl").read_bytes()
        progress(40)
        self.look(40)
        if self.fails:
            raise SlicerError(self.fails)
        return SHIPPED / "cable-clip/programs/cable-clip.gcode"


class Bench:
    """The small floor with a need for the design, and a slicing room over it."""

    def __init__(self, floor, folder: Path, tmp_path: Path) -> None:
        self.floor, self.tmp = floor, tmp_path
        self.store = ProgramStore(tmp_path / "programs")
        design = load_design(folder)
        kept = {f.sha256: self.store.path(self.store.put(f.path)) for f in design.programs}
        floor.do(import_design, design, kept)
        self.printer({"nozzle_um": [400], "volume_um": [220_000, 220_000, 250_000],
                      "slicer_profile": ["petg-0.3mm"]})  # fmt: skip
        self.need = floor.do(needs.state, self.request("k"), router).id
        self.share = sharer(resources.why_never)

    def request(self, key: str):
        from support.small_floor import request

        return request(key, design="cable-clip", part="cable-clip", quantity=2)

    def printer(self, capability) -> None:
        machine = Machine("printer-1", "printer", "mqtt", "Printer 1", capability)
        self.floor.do(resources.register_machine, machine)
        self.floor.do(lambda tx: tx.machines.change("printer-1", online=True, state="idle"))

    def room(self, slicer) -> SlicingRoom:
        said = read_settings(PETG)
        profile = Profile("petg-0.3mm", said.sha256, said.material, said.nozzle_um)
        place = Room(self.floor.do, self.floor.store.read, self.store, self.tmp / "meshes")
        return SlicingRoom(place, slicer, {profile: PETG}, (OSError, SlicerError))

    def prints(self):
        with self.floor.store.read() as tx:
            return [op for op in tx.operations.of_need(self.need) if op.step == "print"]

    def reason(self) -> str:
        with self.floor.store.read() as tx:
            return tx.needs.get(self.need).reason


@pytest.fixture
def bench(floor, folder: Path, tmp_path: Path) -> Bench:
    return Bench(floor, folder, tmp_path)


def test_a_mesh_is_sliced_and_its_grams_and_time_are_what_is_planned_with(bench: Bench) -> None:
    said: list[str] = []
    slicer = FakeSlicer(lambda percent: said.append(bench.reason()))
    bench.floor.do(bench.share)
    with bench.floor.store.read() as tx:
        assert tx.needs.get(bench.need).state == "stated"  # nobody knows yet what it takes
    bench.room(slicer).look()
    assert said == ["print: being sliced for petg-0.3mm, 40 %"]
    assert len(slicer.asked) == 1  # two pieces, one mesh, one profile
    for op in bench.prints():
        assert op.materials == [{"material": "petg", "mass_mg": 1078}]
        assert op.duration_s == 430
        assert op.requires["slicer_profile"] == "petg-0.3mm"
        assert op.requires["volume_um"][2] == 14_900
    bench.floor.do(bench.share)
    with bench.floor.store.read() as tx:
        assert tx.needs.get(bench.need).state == "accepted"
        assert tx.designs.program(bench.prints()[0].program_sha).mass_mg == 1078
        posed = pose(floor_picture(tx), resources.why_not, House())
    planned = {op.name: op.eligible for op in posed.problem.operations}
    assert [planned[op.id] for op in bench.prints()] == [{"printer-1": 430}] * 2


def test_a_later_need_of_the_same_mesh_takes_what_was_sliced_before(bench: Bench) -> None:
    slicer = FakeSlicer()
    room = bench.room(slicer)
    room.look()
    bench.need = bench.floor.do(needs.state, bench.request("again"), router).id
    room.look()
    assert {op.duration_s for op in bench.prints()} == {430}
    assert len(slicer.asked) == 2  # the slicer itself keeps results by content: see test_slicer


def test_unsliced_operations_are_in_no_plan_and_say_why(bench: Bench) -> None:
    bench.room(None).look()
    assert bench.reason() == f"print: {NO_SLICER}"
    bench.floor.do(lambda tx: tx.needs.change(bench.need, state="accepted"))
    with bench.floor.store.read() as tx:
        posed = pose(floor_picture(tx), resources.why_not, House())
    assert posed.problem.operations == ()
    assert {posed.reasons[op.id] for op in bench.prints()} == {NO_SLICER}


@pytest.mark.parametrize(
    ("capability", "words"),
    [
        ({"nozzle_um": [400]}, "Printer 1 names no slicer profile for petg; add slicer_profile"),
        ({"process": ["mill"]}, "no machine here can do print"),
    ],
)
def test_why_no_profile_fits_is_said(bench: Bench, capability, words: str) -> None:
    bench.printer(capability)
    bench.room(FakeSlicer()).look()
    assert words in bench.reason()


def test_a_mesh_that_cannot_be_sliced_is_told_once_and_not_tried_again(bench: Bench) -> None:
    slicer = FakeSlicer(fails="clip.stl does not fit the bed")
    room = bench.room(slicer)
    for _ in range(3):
        room.look()
    words = "print: cannot be sliced. petg-0.3mm: clip.stl does not fit the bed"
    assert bench.reason() == words
    assert len(slicer.asked) == 1
    with bench.floor.store.read() as tx:
        told = [n for n in tx.notice_room.page(50) if n.kind == "attention"]
    assert len(told) == 1


def test_a_need_is_on_the_ballot_only_once_it_is_known_what_it_takes(bench: Bench) -> None:
    bench.floor.do(configure, RoundSettings())
    bench.floor.do(bench.share)
    with bench.floor.store.read() as tx:
        current = tx.rounds.current()
        assert current is None or tx.rounds.needs(current.id) == []
    bench.room(FakeSlicer()).look()
    bench.floor.do(bench.share)
    with bench.floor.store.read() as tx:
        (row,) = tx.rounds.needs(tx.rounds.current().id)
    assert row.demand["petg"] == 2 * 1078


def test_other_settings_of_a_profile_take_the_place_of_older_ones(bench: Bench) -> None:
    bench.room(FakeSlicer()).look()
    profile = Profile("petg-0.3mm", "f" * 64, "petg", 400)
    place = Room(bench.floor.do, bench.floor.store.read, bench.store, bench.tmp / "meshes")
    SlicingRoom(place, FakeSlicer(), {profile: PETG}).look()
    for op in bench.prints():
        assert [way.get("profile_sha") for way in op.ways] == [None, "f" * 64]


def test_two_slicers_are_at_work_at_once_and_both_are_told(bench: Bench) -> None:
    said = read_settings(PETG)
    names = ("petg-0.3mm", "petg-fine")
    profiles = {
        Profile(name, at * 64, said.material, said.nozzle_um): PETG
        for name, at in zip(names, "ab", strict=True)
    }
    bench.printer({"nozzle_um": [400], "volume_um": [220_000, 220_000, 250_000],
                   "slicer_profile": list(names)})  # fmt: skip
    both = threading.Barrier(2, timeout=90)  # one alone would wait for ever
    slicer = FakeSlicer(lambda percent: both.wait() and None)
    place = Room(bench.floor.do, bench.floor.store.read, bench.store, bench.tmp / "meshes")
    SlicingRoom(place, slicer, profiles, (OSError, SlicerError), at_once=2).look()
    assert len(slicer.asked) == 2
    for op in bench.prints():
        assert {way.get("profile_sha") for way in op.ways} == {None, "a" * 64, "b" * 64}


def test_the_writer_serves_others_while_a_mesh_is_sliced(bench: Bench) -> None:
    """The slicer waits until somebody else has written: a writer held by it would never."""
    written, at_work = threading.Event(), threading.Event()

    def wait(percent: int) -> None:
        at_work.set()
        assert written.wait(60)

    thread = threading.Thread(target=bench.room(FakeSlicer(wait)).look)
    thread.start()
    assert at_work.wait(60)
    bench.floor.do(lambda tx: tx.site.put("x", "y"))
    written.set()
    thread.join(60)
    assert bench.prints()[0].duration_s == 430


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("clip.stl, sha256", "none.stl, sha256"), "there is no file none.stl"),
        (("clip.stl, sha256", "../clip/clip.stl, sha256"), "path"),
        (("okh", "okh"), None),
        (("[{material: petg}]", "[{material: mdf-6, pieces: 1}]"), "does not fit fdm"),
        (("    materials: [{material: petg}]\n", ""), "names no single material"),
        (("process: fdm", "process: mill"), "only fdm is sliced"),
    ],
)
def test_a_profile_with_a_mesh_is_checked(folder: Path, change, words: str | None) -> None:
    path = folder / "production.yml"
    path.write_text(path.read_text().replace(*change))
    if words is None:
        assert load_design(folder).profile.steps[0].mesh.kind == "stl"
        return
    with pytest.raises(DesignError) as caught:
        load_design(folder)
    assert words in " ".join(map(str, caught.value.problems))


def test_a_cut_mesh_is_refused(folder: Path) -> None:
    mesh = folder / "clip.stl"
    mesh.write_bytes(mesh.read_bytes()[:1000])
    with pytest.raises(DesignError, match=r"is no STL file|production"):
        load_design(folder)


def test_a_real_slicer_tells_how_far_it_is_and_is_ended_when_the_site_closes(
    bench: Bench, tmp_path: Path
) -> None:
    found = find_slicer(tmp_path / "sliced")
    if found is None:
        pytest.skip("prusa-slicer is not installed")
    told: list[int] = []
    mesh = SHIPPED / "cable-clip/meshes/cable-clip.stl"
    found.slice(mesh, PETG, told.append)
    assert told[:2] == [10, 20] and told == sorted(told)
    bench.room(found).look()
    assert bench.prints()[0].materials[0]["mass_mg"] == 1078
    found.close()
    with pytest.raises(SlicerError, match="closing"):
        found.slice(SHIPPED / "spool-tag/meshes/spool-tag.stl", PETG)


def test_a_slicing_that_hangs_is_ended_by_closing(tmp_path: Path) -> None:
    script = tmp_path / "slicer"
    script.write_text("#!/bin/sh\necho '10 => begun'\nexec sleep 600\n")
    script.chmod(0o755)
    (tmp_path / "a.stl").write_bytes(b"x")
    slicer = Slicer(str(script), tmp_path / "cache")
    with pytest.raises(SlicerError, match="closing"):
        slicer.slice(tmp_path / "a.stl", PETG, lambda percent: slicer.close())
