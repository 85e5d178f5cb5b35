"""File drop: good lines become needs, bad ones come back with their reason, nothing twice."""

import json

from controller import needs
from controller.adapters.feeds import take_folder


def take(floor, small_floor, folder):
    return take_folder(
        folder, lambda lines: floor.do(needs.state_batch, lines, small_floor.print_only)
    )


def reasons(folder, name):
    lines = (folder / f"{name}.rejected").read_text().splitlines()
    return [(row["line"], row["reason"]) for row in map(json.loads, lines)]


def test_csv_lines_are_taken_one_by_one(floor, small_floor, tmp_path):
    folder = tmp_path / "drop"
    folder.mkdir()
    rows = "north,clamp,clamp,2\nmars,clamp,clamp,1\nnorth,clamp,clamp,many\n"
    text = "community,design,part,quantity\n" + rows
    (folder / "a.csv").write_text(text)
    assert take(floor, small_floor, folder) == (1, 2)
    assert [line for line, _ in sorted(reasons(folder, "a.csv"))] == [2, 3]
    assert (folder / "done" / "a.csv").exists()
    (folder / "a.csv").write_text(text)
    take(floor, small_floor, folder)
    with floor.store.read() as tx:
        assert len(tx.needs.all()) == 1


def test_json_of_every_wrong_shape_is_refused_in_words(floor, small_floor, tmp_path):
    folder = tmp_path / "drop"
    folder.mkdir()
    good = {"community": "north", "design": "clamp", "part": "clamp", "quantity": 1}
    (folder / "a.json").write_text(json.dumps([good, 7, {**good, "colour": "red"}, {"part": "x"}]))
    (folder / "b.json").write_text("{not json")
    assert take(floor, small_floor, folder) == (1, 4)
    assert [line for line, _ in reasons(folder, "a.json")] == [2, 3, 4]
    assert "cannot be read" in reasons(folder, "b.json")[0][1]
