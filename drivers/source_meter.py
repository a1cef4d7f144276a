"""Source a voltage under a current compliance, and measure the current: what every source meter can do."""

from abc import abstractmethod

from drivers.instrument import Instrument
from rramlab.reading import Curve, Staircase


class SourceMeter(Instrument):
    """Drive one cell through the terminals of a source meter; made of its `MeterSpec`.

    The order of work: `open`, `arm`, `output_on`, then `source` and `measure` or a sweep, `output_off`. A
    voltage is the one that is programmed; under compliance the terminals have less, and `in_compliance` and
    `limited` of a curve say so.
    """

    @abstractmethod
    def arm(
        self,
        compliance: float,
        reach: float = 2.0,
        nplc: float | None = None,
        four_wire: bool | None = None,
    ) -> None:
        """Set, with the output off, the compliance (A), and ranges for voltages up to `reach` (V).

        Integration (line cycles) and wiring are those of the spec where they are not given. Every setting
        is read back and compared.
        """

    @abstractmethod
    def output_on(self) -> None:
        """Switch the output on at 0 V, after all settings have been compared once more."""

    @abstractmethod
    def output_off(self) -> None:
        """Set 0 V and switch the output off."""

    @abstractmethod
    def is_off(self) -> bool:
        """Tell whether the instrument says that its output is off."""

    @abstractmethod
    def source(self, volts: float) -> None:
        """Set the voltage (V)."""

    @abstractmethod
    def measure(self) -> tuple[float, float]:
        """Return programmed voltage (V) and measured current (A)."""

    @abstractmethod
    def in_compliance(self) -> bool:
        """Tell whether the current is limited now."""

    @abstractmethod
    def interlock_closed(self) -> bool:
        """Tell whether the interlock is closed."""

    @abstractmethod
    def start_sweep(self, staircase: Staircase) -> None:
        """Begin the steps of a staircase in the instrument, under the compliance that is armed."""

    @abstractmethod
    def sweep_done(self) -> bool:
        """Tell whether the sweep has ended."""

    @abstractmethod
    def fetch_sweep(self) -> Curve:
        """Return the I-V of the sweep that has ended, in one transfer, with the steps under compliance."""

    @abstractmethod
    def abort(self) -> None:
        """Stop a sweep that is under way."""
