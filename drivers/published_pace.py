"""Keep the times in which the published firmware takes a `Go`: it answers the others alike, and loses them.

A counter of 5 ms ticks is set to zero when a run begins, at power-up, and every 10 minutes without a run; a
`Go` is taken only above 1000 ticks. (Repository yangjc97/memristor-sde-diffusion, MCU_Project.)
"""

from typing import final

from rramlab.clock import Clock

DEAD_TIME = 5.01
"""Time (s) after a zero of the counter in which a `Go` would be lost."""
WRAP = 600.0
"""Time (s) after which the counter goes back to zero."""
JITTER = 0.02
"""How late (s) the firmware may begin after it was asked: its main loop, a tick, the line."""
DRIFT = 1e-4
"""How far the clocks of the board and of this computer may be apart, relative."""


@final
class Pace:
    """Remember when the last run began, and wait where a `Go` would be lost."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began: float | None = None

    @property
    def is_known(self) -> bool:
        """Tell whether a run has been seen: before that nobody knows where the counter stands."""
        return self._began is not None

    def began(self, moment: float) -> None:
        """Note that a run began at this moment (s)."""
        self._began = moment

    def forget(self) -> None:
        """Note that nothing is known of the counter any more."""
        self._began = None

    def wait(self) -> None:
        """Let time pass until a `Go` is taken."""
        if self._began is not None:
            self._clock.sleep(time_to_wait(self._clock.now() - self._began))

    def wait_it_out(self) -> None:
        """Let a whole dead time pass, wherever the counter stands."""
        self._clock.sleep(DEAD_TIME + JITTER)


def time_to_wait(elapsed: float) -> float:
    """Return how long (s) to wait before a `Go`, so long after the last run began."""
    margin = JITTER + DRIFT * elapsed
    phase = (elapsed + margin) % WRAP
    return max(0.0, DEAD_TIME + 2 * margin - phase)
