"""Calibration by ruler and scale: arithmetic, limits of error, refusals, what is printed."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from controller.adapters.site_file import read_site
from fabcommons.calibration import Refused, Steps, flow, linear_mass
from fabcommons.cli import main

FINE = Steps(scale_g=0.01, ruler_mm=1, calliper_mm=0.01)


def test_flow_is_the_length_asked_over_the_length_that_went_in():
    found = flow(100, 96.5, 0.5)
    assert found.factor == pytest.approx(1.0362694)
    assert found.steps_per_mm(93) == pytest.approx(96.3730570)
    assert found.multiplier(0.95) == pytest.approx(0.9844560)
    assert found.relative == pytest.approx(0.5 / 96)
    assert not found.within


@given(st.floats(50, 500), st.floats(0.81, 1.19), st.floats(-0.5, 0.5))
def test_the_true_factor_lies_within_the_stated_limit(asked, part, off):
    true = asked * part
    found = flow(asked, true + off, 0.5) if abs((true + off) / asked - 1) <= 0.2 else None
    if found is not None:
        assert abs(asked / true / found.factor - 1) <= found.relative * (1 + 1e-9)


@pytest.mark.parametrize("measured", [99.5, 100, 100.5])
def test_what_the_ruler_cannot_tell_is_left_alone(measured):
    assert flow(100, measured, 0.5).within


@pytest.mark.parametrize(
    ("asked", "measured", "says"),
    [
        (100, 79, "slipping"),
        (100, 121, "microstepping"),
        (0, 50, "length asked for: must be a number above 0"),
        (100, float("nan"), "length measured"),
        (100, float("inf"), "length measured"),
        (4, 4, "says too little"),
    ],
)
def test_absurd_lengths_are_refused_with_words(asked, measured, says):
    with pytest.raises(Refused, match=says):
        flow(asked, measured, 0.5)


def test_twenty_percent_is_still_taken():
    assert flow(100, 80.1, 0.5).factor > 1.24
    assert flow(100, 119.9, 0.5).factor < 0.84


def test_a_weighed_length_gives_mass_per_metre_and_density():
    found = linear_mass(2000, 6.1, 1.75, FINE)
    assert found.ug_per_m == 3_050_000
    assert found.uncertain_ug_per_m == 6529  # (6.11 / 1.999 - 3.05) g
    assert found.density_g_cm3 == pytest.approx(1.26804, abs=1e-4)
    assert not found.poor
    assert linear_mass(200, 0.61, 1.75, FINE).poor


@given(st.floats(300, 5000), st.floats(2.0e6, 9.0e6), st.floats(-1, 1), st.floats(-0.01, 0.01))
def test_the_true_mass_lies_within_the_stated_limit(length, ug_per_m, off_mm, off_g):
    mass = length * ug_per_m / 1e9
    diameter = 1.75 if ug_per_m < 6e6 else 2.85
    found = linear_mass(length + off_mm, mass + off_g, diameter, FINE)
    assert abs(found.ug_per_m - ug_per_m) <= found.uncertain_ug_per_m + 1


@pytest.mark.parametrize(
    ("length", "mass", "diameter", "says"),
    [
        (2, 6.1, 1.75, "ruler read to 1 mm"),
        (2000, 0.05, 1.75, "scale read to 0.01 g"),
        (2000, 6.1, 0.05, "calliper"),
        (2000, 6.1, 0.5, "density of no filament"),
        (2000, 1006, 1.75, "without the spool"),
        (2000, -1, 1.75, "mass: must be a number above 0"),
    ],
)
def test_absurd_weighings_are_refused_with_words(length, mass, diameter, says):
    with pytest.raises(Refused, match=says):
        linear_mass(length, mass, diameter, FINE)


def said(capsys, *arguments, code=0):
    assert main(["machine", "calibrate", *arguments]) == code
    captured = capsys.readouterr()
    return captured.err if code else captured.out


def test_flow_says_what_to_set(capsys):
    measured = ("flow", "--asked-mm", "100", "--measured-mm", "96.5")
    out = said(capsys, *measured, "--steps-per-mm", "93")
    assert "M92 E96.37" in out and "M500" in out and "0.52 %" in out
    assert "--steps-per-mm" in said(capsys, *measured)
    out = said(capsys, *measured, "--multiplier", "1")
    assert "1.036" in out and "ledger counts what is commanded" in out
    found = json.loads(said(capsys, *measured, "--steps-per-mm", "93", "--json"))
    assert (found["command"], found["factor"]) == ("M92 E96.37", 1.03627)
    out = said(capsys, "flow", "--asked-mm", "100", "--measured-mm", "99.8", "--steps-per-mm", "93")
    assert "leave it as it is" in out and "M92" not in out


def test_a_dry_run_only_tells_how(capsys):
    assert "G1 E100" in said(capsys, "flow", "--dry-run")
    assert "zero the scale" in said(capsys, "density", "--dry-run", "--length-mm", "2000")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["flow", "--asked-mm", "100", "--measured-mm", "60"], "more than 20% off"),
        (["flow", "--asked-mm", "100"], "--measured-mm: needed; --dry-run tells"),
        (["flow", "--asked-mm", "9", "--measured-mm", "9", "--steps-per-mm", "-1"], "steps per mm"),
        (["density", "--mass-g", "6"], "--length-mm: needed"),
        (
            ["density", "--length-mm", "2000", "--mass-g", "7.9", "--material", "petg"],
            "+29% off petg",
        ),
        (
            ["density", "--length-mm", "2000", "--mass-g", "6", "--lot", "My Spool"],
            "must be an id",
        ),
    ],
)
def test_refusals_reach_the_command_line(arguments, says, capsys):
    assert says in said(capsys, *arguments, code=2)


WEIGHED = ("density", "--length-mm", "2000", "--mass-g", "6.1", "--material", "petg")


def test_density_prints_lines_the_site_file_takes(capsys, tmp_path):
    out = said(capsys, *WEIGHED, "--lot", "spool-7")
    assert "ug_per_m: 3050000, uncertain by 6529" in out
    entry = out[out.index("  - id:") :]
    assert yaml.safe_load(entry)[0]["ug_per_m"] == 3_050_000
    (tmp_path / "site.yml").write_text("site: workshop\nlots:\n" + entry)
    assert read_site(tmp_path / "site.yml").lots[0].id == "spool-7"


def test_a_lot_the_site_knows_is_not_to_be_entered_again(capsys):
    class Site(BaseHTTPRequestHandler):
        def do_GET(self):
            assert self.path == "/api/materials"
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"lots": {"spool-1": {}}}')

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        try:
            known = said(capsys, *WEIGHED, "--lot", "spool-1", "--url", url)
            new = said(capsys, *WEIGHED, "--lot", "spool-2", "--url", url, "--json")
        finally:
            server.shutdown()
            thread.join(60)
    assert "spool-1 is at the site already" in known and "  - id:" not in known
    assert json.loads(new)["known_at_site"] is False
