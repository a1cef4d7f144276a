"""Hold what a bench file says about each instrument: its driver, where it is, and who it should be."""

from contextlib import suppress
from typing import Annotated, Any, Literal, final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)
_Name = Annotated[str, Field(min_length=1)]
_Seconds = Annotated[float, Field(gt=0, le=600)]
_Count = Annotated[int, Field(ge=1)]


def socket_address(port: str) -> tuple[str, int]:
    """Return host and number of 'socket://host:port'; ValueError for anything else."""
    url = urlsplit(port)
    with suppress(ValueError):  # a number beyond 65535
        if url.scheme == "socket" and url.hostname and url.port:
            return url.hostname, url.port
    raise ValueError(f"'{port}' is no address; write socket://host:port, for example socket://127.0.0.1:5025")


@final
class BoardSpec(BaseModel):
    """Describe the controller board: driver, serial port (or socket://host:port), speed, serial number.

    `timeout` (s) is what one answer may take, `watchdog` (s) the silence after which the board takes its
    lines to 0 V. `start` (V) is the pre-charge of the integrators, where the board cannot set it. The size is
    that of the bench, filled in for boards that do not tell theirs. `extras` goes to the driver as it is.
    """

    model_config = _STRICT
    use: _Name
    port: _Name
    baud: _Count = 921_600
    serial: str = ""
    timeout: _Seconds = 1.0
    retries: Annotated[int, Field(ge=0, le=20)] = 5
    watchdog: _Seconds = 3.0
    start: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    macros: _Count = 1
    rows: _Count = 32
    cols: _Count = 32
    extras: dict[str, Any] = {}

    @field_validator("port")
    @classmethod
    def _whole_address(cls, port: str) -> str:
        if port.startswith("socket:"):
            socket_address(port)
        return port


@final
class MeterSpec(BaseModel):
    """Describe the source meter: driver, VISA resource, serial number, integration (line cycles), wiring.

    `visa` names the VISA library ("@py", or "" for the installed one), `baud` the speed of a serial resource,
    `channel` the output that is used, `timeout` (s) what one answer may take.
    """

    model_config = _STRICT
    use: _Name
    resource: _Name
    visa: str = "@py"
    baud: _Count = 9600
    serial: str = ""
    timeout: _Seconds = 2.0
    nplc: Annotated[float, Field(gt=0, le=100)] = 1.0
    line_frequency: Literal[50, 60] = 50
    four_wire: bool = False
    channel: Annotated[int, Field(ge=1, le=4)] = 1
    extras: dict[str, Any] = {}


@final
class ScopeSpec(BaseModel):
    """Describe the oscilloscope: driver, VISA resource, serial number, and which channel sees which signal.

    Signals are the two states (x1, x2), the two outputs of the network (out1, out2) and the switch line that
    begins a run (switch); `points` is the record length.
    """

    model_config = _STRICT
    use: _Name
    resource: _Name
    visa: str = "@py"
    baud: _Count = 9600
    serial: str = ""
    timeout: _Seconds = 5.0
    channels: dict[Literal["x1", "x2", "out1", "out2", "switch"], Annotated[int, Field(ge=1, le=8)]] = {}
    points: Annotated[int, Field(ge=100)] = 10_000
    extras: dict[str, Any] = {}

    @field_validator("channels")
    @classmethod
    def _each_its_own(cls, channels: dict[str, int]) -> dict[str, int]:
        taken: dict[int, str] = {}
        for signal, number in channels.items():
            if number in taken:
                raise ValueError(
                    f"{taken[number]} and {signal} are both on channel {number}; each needs one of its own"
                )
            taken[number] = signal
        return channels


PartSpec = BoardSpec | MeterSpec | ScopeSpec
"""What a driver class is made of: `Driver(spec)`, and `Driver.switch_off(spec)` for a panic."""


def address(spec: PartSpec) -> str:
    """Return where an instrument is: its port or its VISA resource."""
    return spec.port if isinstance(spec, BoardSpec) else spec.resource
