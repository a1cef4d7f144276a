"""Hold the settings of an instrument, and make their commands."""

from collections.abc import Callable
from typing import Any, final

from sim_backend.virtual.scpi.errors import ScpiError
from sim_backend.virtual.scpi.table import Call, Command
from sim_backend.virtual.scpi.values import Kind, is_limit

Check = Callable[[Any], None]


@final
class Settings:
    """Hold settings by name, and by name and number where a header carries one (CHANnel2)."""

    def __init__(self) -> None:
        self._kinds: dict[str, Kind] = {}
        self._values: dict[tuple[str, tuple[int, ...]], Any] = {}

    def __getitem__(self, name: str) -> Any:
        return self.of(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self._values[name, ()] = value

    def of(self, name: str, *suffixes: int) -> Any:
        """Return the value, or the default where it was not set."""
        return self._values.get((name, suffixes), self._kinds[name].default)

    def put(self, name: str, value: Any, *suffixes: int) -> None:
        """Set a value."""
        self._values[name, suffixes] = value

    def declare(self, name: str, kind: Kind) -> None:
        """Know a setting that has no command of the ordinary form."""
        self._kinds[name] = kind

    def reset(self, *kept: str) -> None:
        """Return to the defaults, but for the settings that survive a *RST."""
        self._values = {key: value for key, value in self._values.items() if key[0] in kept}

    def command(
        self,
        pattern: str,
        name: str,
        kind: Kind,
        check: Check | None = None,
        after: Callable[[], None] | None = None,
        numbered: bool = False,
    ) -> Command:
        """Return the command that sets and tells this value.

        `check` refuses a value before it is set and `after` is called then; `numbered` keeps one value for
        each number in the header.
        """
        self._kinds[name] = kind

        def place(call: Call) -> tuple[int, ...]:
            return call.suffixes if numbered else ()

        def act(call: Call) -> None:
            call.expect(1, kind.parts)
            value = kind.read(",".join(call.arguments))
            if check is not None:
                check(value)
            self._values[name, place(call)] = value
            if after is not None:
                after()

        def ask(call: Call) -> str:
            call.expect(0, 1)
            if not call.arguments:
                return kind.show(self.of(name, *place(call)))
            if not is_limit(call.arguments[0]):
                raise ScpiError(-224)
            return kind.show(kind.limit(call.arguments[0]))

        return Command(pattern, act, ask)
