"""Makes ``tests/support`` importable (tests are no package) and says which options there are."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))


def pytest_addoption(parser):
    parser.addoption(
        "--shared-data",
        default="",
        help="folder with real programs (reprap/gcode, cnc) that tests check against",
    )


@pytest.fixture
def shared_data(request):
    """Folder of real programs nobody here wrote; the test is skipped without it."""
    folder = request.config.getoption("--shared-data")
    if not folder:
        pytest.skip("give --shared-data FOLDER to run this")
    return Path(folder)
