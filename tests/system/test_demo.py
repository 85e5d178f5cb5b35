"""The main job: a whole floor of real processes, judged by what the machines physically did."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.demos import check_main_job

pytestmark = pytest.mark.system


def test_rejected_parts_are_made_again_charged_as_scrap_and_the_ledger_is_the_truth(
    tmp_path: Path,
) -> None:
    summary = check_main_job("mosquitto", tmp_path, "--reject", "0.4", "--seed", "3")
    assert summary["rejected"] > 0, "the technician's first word with this seed is no"
