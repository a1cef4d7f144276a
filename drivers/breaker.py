"""Switch instruments off from outside: over links of their own, all at once, and say what was read back."""

import json
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pkgutil import resolve_name
from typing import Any, Self, final

from drivers.spec import BoardSpec, MeterSpec, PartSpec, ScopeSpec
from rramlab.finding import Finding

SECONDS = 5.0
"""Time (s) after which an instrument that has not said "off" is named as one to be switched off by hand."""

PAUSE = 0.01
"""Time (s) between attempts: the link of a process that has just died may take a moment to be free."""

_KINDS: dict[str, type[PartSpec]] = {kind.__name__: kind for kind in (BoardSpec, MeterSpec, ScopeSpec)}
_BY_HAND = {
    BoardSpec: "switch the supply of the board off by hand: its lines fall to 0 V",
    MeterSpec: "press its OUTPUT key until the light is out, and open the interlock",
    ScopeSpec: "it drives nothing; look at its cable before the next run",
}


@final
@dataclass(frozen=True)
class Breaker:
    """Hold what is needed to switch one instrument off: its name in the bench file, its driver, its spec."""

    part: str
    driver: type[Any]
    spec: PartSpec

    def warm(self) -> None:
        """Load now what the link will need, so that no import stands between a death and the lines."""
        with suppress(Exception):  # what cannot be loaded is told when it is needed
            if isinstance(self.spec, BoardSpec):
                import_module("serial")
            else:
                import_module("pyvisa").ResourceManager(self.spec.visa)

    def act(self, until: float) -> Finding:
        """Switch off, again until the instrument says that it is off or the time (monotonic, s) is over."""
        while True:
            found = self._once()
            if found.good or time.monotonic() + PAUSE >= until:
                return found
            time.sleep(PAUSE)

    def silent(self, seconds: float) -> Finding:
        """Return what is said of an instrument that has not answered within a time (s)."""
        return self._bad(f"no answer within {seconds:g} s")

    def order(self) -> dict[str, Any]:
        """Return the breaker as plain JSON, from which another process makes it again."""
        return {
            "part": self.part,
            "driver": f"{self.driver.__module__}:{self.driver.__qualname__}",
            "kind": type(self.spec).__name__,
            "spec": self.spec.model_dump(mode="json"),
        }

    @classmethod
    def of(cls, order: dict[str, Any]) -> Self:
        """Return the breaker of an order."""
        spec = _KINDS[order["kind"]].model_validate_json(json.dumps(order["spec"]))
        return cls(order["part"], resolve_name(order["driver"]), spec)

    def _once(self) -> Finding:
        try:
            found: Finding = self.driver.switch_off(self.spec)
        except Exception as error:  # whatever breaks here, the other instruments are switched off
            return self._bad(str(error) or type(error).__name__)
        return replace(found, part=self.part) if found.good else self._bad(found.answer)

    def _bad(self, answer: str) -> Finding:
        return Finding(self.part, answer, False, _BY_HAND[type(self.spec)])


def switch_off(breakers: Sequence[Breaker], seconds: float = SECONDS) -> list[Finding]:
    """Switch all off at the same time and return what each said, in this order, within a time (s)."""
    until = time.monotonic() + seconds
    found: dict[int, Finding] = {}

    def act(place: int, breaker: Breaker) -> None:
        found[place] = breaker.act(until)

    threads = [threading.Thread(target=act, args=pair, daemon=True) for pair in enumerate(breakers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()) + 2 * PAUSE)
    return [found.get(i) or breaker.silent(seconds) for i, breaker in enumerate(breakers)]
