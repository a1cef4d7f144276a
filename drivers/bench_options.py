"""Hold what a bench file may say about a bench of instruments."""

from typing import Annotated, Literal, Self, final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from drivers.spec import BoardSpec, MeterSpec, PartSpec, ScopeSpec

_SIZE = ("macros", "rows", "cols")


@final
class BenchOptions(BaseModel):
    """Hold the macros (number, rows, columns), whose clock counts, and the instruments that are there.

    With `clock` "board" time is what the board says and a wait is done by the board, with "host" both are of
    this computer. The guardian switches everything off when this process dies.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    macros: Annotated[int, Field(ge=1)] = 3
    rows: Annotated[int, Field(ge=1)] = 32
    cols: Annotated[int, Field(ge=1)] = 32
    clock: Literal["host", "board"] = "host"
    guardian: bool = True
    board: BoardSpec | None = None
    source_meter: MeterSpec | None = None
    oscilloscope: ScopeSpec | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.board is None and self.source_meter is None and self.oscilloscope is None:
            raise ValueError("a bench has at least one of [board], [source_meter] and [oscilloscope]")
        if self.board is None and self.clock == "board":
            raise ValueError("clock = 'board' needs a [board]; use clock = 'host'")
        twice = sorted(set(_SIZE) & self.board.model_fields_set) if self.board else []
        if twice and any(getattr(self.board, name) != getattr(self, name) for name in twice):
            raise ValueError(
                f"board.{twice[0]} is not that of the bench; write {twice[0]} once, above [board]"
            )
        return self

    def parts(self) -> dict[str, PartSpec]:
        """Return the spec of each instrument that is there, by its table in the bench file."""
        size = {name: getattr(self, name) for name in _SIZE}
        board = self.board and self.board.model_copy(update=size)
        found = {"source_meter": self.source_meter, "board": board, "oscilloscope": self.oscilloscope}
        return {name: spec for name, spec in found.items() if spec is not None}
