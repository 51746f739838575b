"""Never ends to be imported."""

from tests.broken_plugins.latch import never

never.wait()
