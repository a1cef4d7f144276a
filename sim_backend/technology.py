"""Name the numbers of a device technology, section by section."""

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class Conduction:
    """Hold the filament's nonlinearity: chi0 (1/V^2), g_chi (S), v_limit (V), chi_scale."""

    chi0: float
    g_chi: float
    v_limit: float
    chi_scale: float


@final
@dataclass(frozen=True)
class Transistor:
    """Hold the level-1 NMOS: kp (A/V^2), vt0 (V), lam (1/V), gamma (V^0.5), phi (V), series_ohm.

    `sl_ohm` is what the driver of the SL adds at the drain when it drives: only RESET current meets it.
    """

    kp: float
    w_over_l: float
    vt0: float
    lam: float
    gamma: float
    phi: float
    series_ohm: float
    sl_ohm: float = 0.0


@final
@dataclass(frozen=True)
class Kinetics:
    """Hold the switching law: rate (S/s), voltages (V), conductances (S), activation_ev (eV).

    `set_power` bends the SET voltage's growth with G, `set_onset` is what a broken filament asks on top,
    gone within `set_onset_g` (S); `reset_onset` (V at g_ref) times (G/g_ref)^`reset_power` is what a thick
    filament asks for RESET; `reset_v_activation` (V) is that of RESET where it is not that of SET (0).
    `reset_gain` is the share of the voltage of a RESET that works as SET does, before RESET begins.
    """

    rate: float
    v_activation: float
    set_v0: float
    set_slope: float
    set_power: float
    set_onset: float
    set_onset_g: float
    reset_v_activation: float
    reset_v0: float
    reset_slope: float
    reset_onset: float
    reset_power: float
    reset_v_min: float
    g_ref: float
    g_floor: float
    g_ceil: float
    activation_ev: float
    reset_gain: float = 0.0


@final
@dataclass(frozen=True)
class Variation:
    """Hold standard deviations, per pulse (cycle) and per cell (device); vt_device in V, others relative."""

    set_cycle: float
    reset_cycle: float
    increment_cycle: float
    set_device: float
    reset_device: float
    vt_device: float
    chi_device: float
    series_device: float


@final
@dataclass(frozen=True)
class Forming:
    """Hold the breakdown of a fresh cell: conductances (S), voltages (V), t_reference (s), currents (A)."""

    g_fresh: float
    v_mean: float
    v_sigma: float
    v_per_decade: float
    t_reference: float
    g_after: float
    stuck_current: float
    stuck_probability: float


@final
@dataclass(frozen=True)
class Noise:
    """Hold read noise: relative to G at g_reference (S), tau_min (s), white_current (A) in white_time (s)."""

    relative: float
    effective_decades: float
    g_reference: float
    tau_min: float
    decades: int
    white_current: float
    white_time: float


@final
@dataclass(frozen=True)
class Telegraph:
    """Hold random telegraph noise: fractions of cells, relative amplitudes, tau_min and tau_max (s)."""

    fraction: float
    amplitude: float
    spread: float
    tau_min: float
    tau_max: float
    strong_fraction: float
    strong_min: float
    strong_max: float


@final
@dataclass(frozen=True)
class Relaxation:
    """Hold the relaxation bank: variances (S^2/decade), conductances (S), tau_min (s), drifts (S/decade).

    Where `curve_conductance` (S) rises, curves over it take the place of the law of variance: `curve_core`
    (S per root of a decade) and the share of cells that jump in a decade, `jump_share`. A jump loses
    `jump_down` of G on the average, or, in the part `jump_up_part` of all, gains `jump_up` (S).
    """

    variance_per_decade: float
    peak: float
    h_min: float
    quiet_above: float
    quiet_variance: float
    tau_min: float
    decades: int
    redraw_full: float
    spread: float
    drift: float
    drift_reference: float
    drift_g_high: float
    drift_low: float
    drift_g_low: float
    curve_conductance: tuple[float, ...]
    curve_core: tuple[float, ...]
    jump_share: tuple[float, ...]
    jump_down: tuple[float, ...]
    jump_up: float
    jump_up_part: float

    def __post_init__(self) -> None:
        curves = (self.curve_conductance, self.curve_core, self.jump_share, self.jump_down)
        if len({len(values) for values in curves}) > 1:
            raise ValueError("curve_conductance, curve_core, jump_share and jump_down must be of one length")
        if list(self.curve_conductance) != sorted(self.curve_conductance):
            raise ValueError(f"curve_conductance = {list(self.curve_conductance)} does not rise; sort it")


@final
@dataclass(frozen=True)
class Retention:
    """Hold thermal behaviour: energies (eV), loss_rate (1/s) at loss_temperature (K), coefficients (1/K)."""

    tau_ev: float
    loss_rate: float
    loss_temperature: float
    loss_ev: float
    tc_conductance: tuple[float, ...]
    tc_per_kelvin: tuple[float, ...]


@final
@dataclass(frozen=True)
class Yield:
    """Hold the fractions of bad cells; a reduced window has a lognormal ceiling around reduced_ceil."""

    unformable: float
    stuck_lrs: float
    stuck_conductance: float
    stuck_spread: float
    reduced: float
    reduced_ceil: float
    reduced_spread: float


@final
@dataclass(frozen=True)
class Wear:
    """Hold endurance: kinetic voltages shift by shift_per_decade of cycles beyond after_cycles."""

    after_cycles: float
    shift_per_decade: float
    full_swing: float


@final
@dataclass(frozen=True)
class Delivery:
    """Hold the state in which cells come to programming: HRS median (S), log spread, age (s)."""

    g_median: float
    g_spread: float
    age: float


@final
@dataclass(frozen=True)
class Window:
    """Hold the customary programming window (S)."""

    g_min: float
    g_max: float
