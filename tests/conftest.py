"""Options and fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--shared-data",
        type=Path,
        default=ROOT.parent / "shared" / "data",
        help="folder with real input nobody here wrote (RepRap parts, milling programs, manifests)",
    )


_STORE_FIXTURES = {"floor", "desk", "served", "shared", "site_floor", "store", "store_at"}


_LONGEST_FIRST = ("system", "browser", "chaos", "interop", "properties", "unit")

settings.register_profile("floor", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("floor")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long tests first; on PostgreSQL just those that use a store."""
    items.sort(key=lambda item: _LONGEST_FIRST.index(item.path.relative_to(TESTS).parts[0]))
    if os.environ.get("FABCOMMONS_TEST_STORE") != "postgresql":
        return
    keep = [item for item in items if _STORE_FIXTURES & set(getattr(item, "fixturenames", ()))]
    config.hook.pytest_deselected(items=[item for item in items if item not in keep])
    items[:] = keep


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


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Any]:
    """A mosquitto of the test's own, or the broker that FABCOMMONS_TEST_BROKER names."""
    from support.broker import start_mosquitto
    from support.brokers import STARTS

    folder = tmp_path / "broker"
    folder.mkdir()
    broker = STARTS.get(os.environ.get("FABCOMMONS_TEST_BROKER", ""), start_mosquitto)(folder)
    yield broker
    broker.close()


@pytest.fixture
def site_floor(tmp_path: Path, mosquitto: Any) -> Iterator[Any]:
    """A site on mosquitto with the small floor in it."""
    from support.site_floor import SiteFloor

    made = SiteFloor(tmp_path, mosquitto)
    yield made
    made.close()


@pytest.fixture
def printer(mosquitto: Any) -> Iterator[Any]:
    """A scripted printer-1 on that broker."""
    from support.fake_machine import FakeMachine

    made = FakeMachine(mosquitto, "floor", "printer-1")
    yield made
    made.close()


@pytest.fixture
def served(desk: Any) -> Iterator[Any]:
    """A client of a server over the desk, carrying the header of our own pages."""
    from support.dash_floor import client_of

    with client_of(desk) as client:
        yield client


@pytest.fixture(scope="module")
def shared(dash_floor: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """As ``served``, one for a whole file: for requests that change nothing."""
    made = dash_floor.FakeDesk(tmp_path_factory.mktemp("floor"))
    made.change(dash_floor.fill)
    with dash_floor.client_of(made) as client:
        yield client
    made.close()


@pytest.fixture(scope="session")
def cells() -> ModuleType:
    """Cell processes and a site for them."""
    from support import cells as module

    return module


@pytest.fixture(scope="session")
def sims() -> ModuleType:
    """Hosts for the simulated machines."""
    from support import sims as module

    return module
