"""A mosquitto of the test's own; skipped with a reason where it is absent, required under CI."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.broker import find_mosquitto, open_broker


def start_mosquitto(folder: Path) -> Any:
    """A running broker with host and port; close it."""
    if find_mosquitto() is None:
        reason = "mosquitto is not installed (make servers)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return open_broker("mosquitto", folder)
