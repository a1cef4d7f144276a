"""Hold what a bench file may say about a board with the published firmware, and about no other."""

from typing import Annotated, Self, final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from drivers.published_circuit import PublishedCircuit
from drivers.spec import BoardSpec
from rramlab.errors import BenchFileError

_Offset = Annotated[float, Field(ge=-0.5, le=0.49)]


@final
class PublishedOptions(BaseModel):
    """Hold the gains of the circuit, the trims of the integrators, and how a run is seen.

    `f_gain`, `g_gain` (1/s), `embedding_volts` (V) and `noise_gain` (V/s) stand behind the converters at full
    range; `offsets` (shares of the range) trim the integrators. `trigger_level` (V) is that of the switch
    line, `volts_per_div` (V) the scale of the states and `output_volts_per_div` that of the outputs (None:
    from the start), `start_tolerance` (network units) how far the pre-charge that is seen may be from the
    one that the bench file states.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    f_gain: Annotated[float, Field(lt=0)] = -4.0
    g_gain: Annotated[float, Field(gt=0)] = 2.0
    embedding_volts: Annotated[float, Field(gt=0)] = 0.2
    noise_gain: Annotated[float, Field(gt=0)] = 10.0
    offsets: Annotated[list[_Offset], Field(min_length=2, max_length=2)] = [0.0, 0.0]
    trigger_level: float = 1.65
    volts_per_div: Annotated[float, Field(gt=0)] | None = None
    output_volts_per_div: Annotated[float, Field(gt=0)] | None = None
    start_tolerance: Annotated[float, Field(gt=0)] = 0.05

    @classmethod
    def of(cls, spec: BoardSpec) -> Self:
        """Return the options in the extras of a bench file."""
        try:
            return cls(**spec.extras)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise BenchFileError(
                f"[backend.options.board.extras] {place}: {first['msg']}; the published firmware takes: "
                f"{', '.join(cls.model_fields)}"
            ) from error

    @property
    def circuit(self) -> PublishedCircuit:
        """Return the gains behind the converters."""
        return PublishedCircuit(self.f_gain, self.g_gain, self.embedding_volts, self.noise_gain)

    @property
    def trims(self) -> tuple[float, float]:
        """Return the trims of the two integrators."""
        first, second = self.offsets
        return first, second
