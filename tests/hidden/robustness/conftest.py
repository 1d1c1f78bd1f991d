"""Fixtures for the hidden checks of part 4: fresh images, and settings that the check chooses. Staff only."""

import pytest

from coursekit.checks.small_networks import pictures


@pytest.fixture
def formula():
    return "the docstring's definition, on other pictures and settings"


@pytest.fixture
def images():
    return pictures(4, seed=78, size=(14, 11))


@pytest.fixture
def settings(monkeypatch):
    """Put five settings of one corruption into the module's table."""

    def put(name, *five):
        from assignment2 import robustness

        monkeypatch.setattr(robustness, "SEVERITIES", {**robustness.SEVERITIES, name: five})

    return put
