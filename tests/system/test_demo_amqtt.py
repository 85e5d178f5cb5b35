"""The main job over a broker that loses what it acknowledged."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.demos import check_main_job

pytestmark = pytest.mark.system


def test_needs_become_parts_and_the_ledger_is_the_truth(tmp_path: Path) -> None:
    check_main_job("amqtt", tmp_path)
