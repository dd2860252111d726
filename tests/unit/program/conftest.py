"""What the tests of the whole program share."""

import pytest

from tests.unit.infra.recording import own_event_loop

loop = pytest.fixture(autouse=True)(own_event_loop)
