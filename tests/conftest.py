"""What all tests share: locks of their own, and the option that brings a real bench."""

from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the bench file of a laboratory."""
    parser.addoption(
        "--bench",
        type=Path,
        default=None,
        metavar="FILE",
        help="also hold the instruments of this bench file to the promises of the door (pulses a few cells)",
    )


@pytest.fixture(scope="session", autouse=True)
def locks_of_their_own(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[None]:
    """Keep locks and logs out of the place that all users share, but for a real bench."""
    with pytest.MonkeyPatch.context() as patch:
        if request.config.getoption("--bench") is None:
            patch.setenv("RRAMLAB_STATE", str(tmp_path_factory.mktemp("state")))
        yield
