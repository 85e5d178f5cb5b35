"""Options and fixtures shared by all tests."""

from __future__ import annotations

from pathlib import Path

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
