"""Fixtures shared by tests: helpers of tests/support, loaded by path (tests is no package)."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SUPPORT = Path(__file__).parent / "support"


def load_support(name: str) -> ModuleType:
    full = f"tests_support_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, SUPPORT / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


@pytest.fixture(scope="session")
def dash_floor() -> ModuleType:
    """Builders of a small floor for the pages."""
    return load_support("dash_floor")


@pytest.fixture
def desk(dash_floor: Any, tmp_path: Path) -> Iterator[Any]:
    """A filled floor with a desk that records what people ask."""
    made = dash_floor.FakeDesk(tmp_path)
    made.change(dash_floor.fill)
    yield made
    made.close()
