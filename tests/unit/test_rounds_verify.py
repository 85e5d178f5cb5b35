"""A tampered round is refused, whatever was touched; a round that is as published is not."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.allocation.certificate import certificate, publish
from controller.allocation.inputs import canonical
from controller.allocation.reading import read_inputs
from controller.allocation.round import run_round
from controller.rounds_verify.verify import verify_file, verify_round
from support.commons import example

Document = dict[str, Any]
Path_ = tuple[str | int, ...]


def example_with_a_past() -> Document:
    """The worked example with savings, debits, waiting needs and intensities: all stages occur."""
    document = example()
    for at, ballot in enumerate(document["ballots"]):
        if at % 3 == 0:
            ballot["approvals"] = {need: 1 + k % 3 for k, need in enumerate(ballot["approvals"])}
        if "h1" in ballot["approvals"]:
            ballot["savings"] = {"aluminium": 600_000, "mill": 3_000_000, "printer": 1_000_000}
    document["communities"][0]["debits"] = {"pla": 5_000_000}
    document["needs"][10]["waited"] = 2
    return document


def published(document: Document) -> tuple[Document, dict[str, bytes]]:
    files = publish(run_round(read_inputs(document)))
    round_json = json.loads(canonical(files.pop("round.json")))
    return round_json, {name: c for name, c in files.items() if isinstance(c, bytes)}


@pytest.fixture(scope="module")
def rounds() -> list[tuple[Document, dict[str, bytes]]]:
    return [published(example()), published(example_with_a_past())]


def leaves(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """Every place in a document that holds no further places."""
    if isinstance(value, dict | list) and value:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from leaves(inner, (*path, key))
    else:
        yield path


def changed(document: Document, path: Path_, value: Any) -> Document:
    """The document with one place changed; ... as value deletes it."""
    result = copy.deepcopy(document)
    at: Any = result
    for key in path[:-1]:
        at = at[key]
    if value is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return result


def at(document: Document, path: Path_) -> Any:
    found: Any = document
    for key in path:
        found = found[key]
    return found


def some(found: list[Path_], most: int) -> list[Path_]:
    """Evenly spread places."""
    return found[:: max(1, len(found) // most)]


def lies(value: Any) -> list[Any]:
    """Plausible and implausible other values."""
    return [lie for lie in _lies(value) if lie != value]


def _lies(value: Any) -> list[Any]:
    if isinstance(value, int):
        return [value + 1, max(0, value - 1) if value else 7, str(value), None, -1]
    if isinstance(value, str) and value.count("/") == 1 and value.replace("/", "").isdigit():
        num, den = value.split("/")
        return [f"{int(num) + 1}/{den}", f"{num}/{int(den) + 1}", "0/1", f"{num}/0", num, 1]
    if isinstance(value, str):
        return [value + "x", "", 3]
    return [[1], {"x": 1}, "x"]


def refused(document: Document, files: dict[str, bytes], known: str | None = None) -> bool:
    return bool(verify_round(document, files, known))


def test_the_example_as_published_is_correct(
    rounds: list[tuple[Document, dict[str, bytes]]],
) -> None:
    for document, files in rounds:
        assert verify_round(document, files) == []
    stages = {p["stage"] for p in rounds[1][0]["certificate"]["purchases"]}
    assert stages == {"savings", "shares"}
    assert rounds[0][0]["certificate"]["floor"] and rounds[0][0]["certificate"]["spill"]


@pytest.mark.parametrize("part", ["floor", "purchases", "spill", "left"])
def test_no_place_of_the_certificate_can_be_changed(
    part: str, rounds: list[tuple[Document, dict[str, bytes]]]
) -> None:
    for document, files in rounds:
        found = list(leaves(document["certificate"][part], ("certificate", part)))
        for path in some(found, 15):
            for lie in [*lies(at(document, path)), ...]:
                tampered = changed(document, path, lie)
                assert refused(tampered, files), f"{path} -> {lie!r}"


def test_nothing_carried_to_the_next_round_can_be_changed(
    rounds: list[tuple[Document, dict[str, bytes]]],
) -> None:
    for document, files in rounds:
        found = list(leaves(document["certificate"]["next"], ("certificate", "next")))
        for path in some(found, 10):
            assert refused(changed(document, path, lies(at(document, path))[0]), files), path
            assert refused(changed(document, path, ...), files), path


def test_no_state_stage_or_figure_of_a_decision_can_be_changed(
    rounds: list[tuple[Document, dict[str, bytes]]],
) -> None:
    document, files = rounds[0]
    for path in leaves(document["decisions"], ("decisions",)):
        if path[-1] != "reason":  # the sentence itself is for people
            assert refused(changed(document, path, lies(at(document, path))[0]), files), path
    reason = changed(document, ("decisions", 0, "reason"), "accepted: it is fine")
    assert refused(reason, files)
    assert refused(changed(document, ("decisions", 0), ...), files)


def test_no_input_can_be_changed_even_with_its_hash_made_anew(
    rounds: list[tuple[Document, dict[str, bytes]]],
) -> None:
    """Needs, capacities and ballots stand in the .pb files too, which have their own hashes."""
    document, files = rounds[0]
    inputs = list(leaves(document["inputs"], ("inputs",)))
    free = {"title", "id", "place", "unit", "opened_on", "closed_on", "attested_by", "members"}
    free |= {
        "forecast",
        "threshold",
        "carry_rounds",
        "withhold_ppm",
        "floor_cap_ppm",
        "need_weight",
    }
    for path in inputs[:90:2] + inputs[90::61]:
        tampered = changed(document, path, lies(at(document, path))[0])
        assert refused(tampered, files), path
        tampered["inputs_sha256"] = hashlib.sha256(canonical(tampered["inputs"])).hexdigest()
        assert free & set(path) or refused(tampered, files), path
        assert refused(tampered, files, document["inputs_sha256"]), path


@pytest.mark.parametrize("utility", ["cost", "one"])
def test_a_round_that_adds_up_but_forgot_a_need_is_refused(utility: str) -> None:
    """Payments that are right by themselves do not hide that somebody was passed over."""
    document = example()
    document["rules"]["utility"] = utility
    true, files = published(document)
    for need in (n["id"] for n in document["needs"] if n["class"] == "normal"):
        partial = copy.deepcopy(document)
        for ballot in partial["ballots"]:
            ballot["approvals"].pop(need, None)
        forged = {**true, "certificate": certificate(run_round(read_inputs(partial)))}
        codes = {finding.code for finding in verify_round(json.loads(canonical(forged)), files)}
        assert codes & {"order", "affordable", "spill", "carry"}, need


def test_structure_cannot_be_changed(rounds: list[tuple[Document, dict[str, bytes]]]) -> None:
    document, files = rounds[0]
    purchases = document["certificate"]["purchases"]
    swapped = [purchases[1], purchases[0], *purchases[2:]]
    for lie in (swapped, purchases[:-1], purchases + purchases[:1], [], {}, None):
        assert refused(changed(document, ("certificate", "purchases"), lie), files)
    shorter = changed(document, ("certificate", "purchases"), purchases[:-1])
    assert "affordable" in {finding.code for finding in verify_round(shorter, files)}
    for key in document:
        assert refused(changed(document, (key,), ...), files), key
        assert refused(changed(document, (key,), None), files), key
        assert refused(changed(document, (key,), [[]]), files), key


def test_files_are_compared_with_the_inputs(
    rounds: list[tuple[Document, dict[str, bytes]]],
) -> None:
    document, files = rounds[1]
    for name, content in files.items():
        assert refused(document, {k: v for k, v in files.items() if k != name})
        assert refused(document, {**files, name: content + b" "})
        for old, new in ((b"budget;", b"budget;1"), (b"north-001;", b"north-x;"), (b";1;", b";0;")):
            other = content.replace(old, new, 1)
            row = next(k for k, row in enumerate(document["pb"]) if row["file"] == name)
            sha256 = hashlib.sha256(other).hexdigest()
            hashed = changed(document, ("pb", row, "sha256"), sha256)
            assert other == content or refused(hashed, {**files, name: other}), (name, old)


def test_a_denominator_no_purse_can_have_is_refused_quickly(
    rounds: list[tuple[Document, dict[str, bytes]]],
) -> None:
    document, files = rounds[0]
    resource = next(iter(document["certificate"]["purchases"][0]["price"]))
    for at_, digits in enumerate((5000, 19000)):
        path = ("certificate", "purchases", at_, "price", resource)
        for lie in ("1/" + "7" * digits, "7" * digits + "/1"):
            huge = changed(document, path, lie)
            assert refused(huge, files)
            assert refused(changed(huge, (*path[:3], "rho"), lie), files)


def test_a_file_is_verified_with_those_beside_it(
    tmp_path: Path, rounds: list[tuple[Document, dict[str, bytes]]]
) -> None:
    document, files = rounds[0]
    (tmp_path / "round.json").write_bytes(canonical(document))
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    assert verify_file(tmp_path / "round.json") == []
    assert verify_file(tmp_path / "round.json", document["inputs_sha256"]) == []
    assert [f.code for f in verify_file(tmp_path / "round.json", "0" * 64)] == ["hash"]
    (tmp_path / name).unlink()
    assert [f.code for f in verify_file(tmp_path / "round.json")] == ["file"]


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"pb": 3}', b"[" * 10**5])
def test_anything_else_is_found_unreadable(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "round.json"
    path.write_bytes(content)
    (finding,) = verify_file(path)
    assert finding.code in ("unreadable", "malformed")
    assert verify_file(tmp_path / "none.json")[0].code == "unreadable"


def test_names_never_lead_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "secret.pb").write_text("x")
    document, _ = published(example())
    document["pb"][0]["file"] = "../secret.pb"
    (tmp_path / "inner" / "round.json").write_bytes(canonical(document))
    codes = {finding.code for finding in verify_file(tmp_path / "inner" / "round.json")}
    assert codes == {"file"}
