"""Options and fixtures shared by all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--shared-data",
        type=Path,
        default=ROOT.parent / "shared" / "data",
        help="folder with real input nobody here wrote (RepRap parts, milling programs, manifests)",
    )


@pytest.fixture(scope="session")
def shared_data(pytestconfig: pytest.Config) -> Path:
    """Folder of real input, or skip with the reason."""
    folder: Path = pytestconfig.getoption("--shared-data")
    if not folder.is_dir():
        pytest.skip(f"no real input at {folder}; name it with --shared-data")
    return folder


@pytest.fixture(scope="session")
def dash_floor() -> ModuleType:
    """Builders of a small floor for the pages."""
    from support import dash_floor as module

    return module


@pytest.fixture
def desk(dash_floor: Any, tmp_path: Path) -> Iterator[Any]:
    """A filled floor with a desk that records what people ask."""
    made = dash_floor.FakeDesk(tmp_path)
    made.change(dash_floor.fill)
    yield made
    made.close()


@pytest.fixture(scope="session")
def small_floor() -> ModuleType:
    """Builders of a small floor for the controller's tests."""
    from support import small_floor as module

    return module


@pytest.fixture
def floor(small_floor: Any, tmp_path: Path) -> Iterator[Any]:
    """A small floor in a real store."""
    made = small_floor.Floor(tmp_path)
    yield made
    made.store.close()


@pytest.fixture(scope="session")
def sims() -> ModuleType:
    """Hosts for the simulated machines."""
    from support import sims as module

    return module
