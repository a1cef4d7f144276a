"""Tell what goes on in the loop of the ring beside the same network in software: panels 3a, 3c and 3d."""

from protocols.ledger.phrases import number
from protocols.reproduce.claim import Claim, Found, Verdict
from protocols.reproduce.experiments import RING
from protocols.reproduce.state import Done

UNSEEN = "not seen by this bench"
SOFTWARE = "software has no amplifier that saturates"


def waveforms(done: Done) -> Found:
    """Tell how far the waveforms of single samplings are from those of software."""
    f = done.facts["waveforms"]
    apart = {
        name: UNSEEN
        if mv is None
        else f"{number(1e3 * mv['median'])} (worst run {number(1e3 * mv['worst'])})"
        for name, mv in f["apart_V"].items()
    }
    told = ", ".join(f"{name} {text}" for name, text in apart.items())
    conditions = (
        f"{f['runs']} runs of {f['seconds']:.3g} s with waveforms; a network unit is "
        f"{1e3 * f['volts']:g} mV; states of software from the same start, the others along the measured "
        f"states; {SOFTWARE}"
    )
    return Found(f"rms distance to software (mV): {told}", conditions, Verdict.NOT_COMPARABLE)


def voltages(done: Done) -> Found:
    """Tell which voltages the layers are given."""
    f = done.facts["voltages"]
    told = "; ".join(
        f"layer {i} {_size(here)}, in software {_size(there)}"
        for i, (here, there) in enumerate(zip(f["measured"], f["software"], strict=True), 1)
    )
    conditions = f"{f['runs']} runs with waveforms; {SOFTWARE}"
    return Found(f"rms and largest (mV): {told}", conditions, Verdict.NOT_COMPARABLE)


def field(done: Done) -> Found:
    """Tell how far the measured vector field is from that of software."""
    f = done.facts["field"]
    angles = ", ".join(f"{turn:.1f}°" for turn in f["turn_degrees"])
    speeds = ", ".join(f"{100 * share:.1f} %" for share in f["speed_share"])
    told = f"off the field of software by {angles} in direction, {speeds} in speed (medians)"
    conditions = (
        f"open loop, one tick from each of {f['points']} points, at {len(f['turn_degrees'])} moments of a "
        f"run; {SOFTWARE}"
    )
    return Found(told, conditions, Verdict.NOT_COMPARABLE)


def _size(size: dict[str, float] | None) -> str:
    return UNSEEN if size is None else f"{1e3 * size['rms_V']:.0f} and {1e3 * size['largest_V']:.0f}"


PICTURE = "none: a picture was published, no number"
CLAIMS = {
    "3a": Claim("3a", "waveforms of the network in one sampling", RING, PICTURE, waveforms),
    "3c": Claim("3c", "input voltages of the three layers, as histograms", RING, PICTURE, voltages),
    "3d": Claim("3d", "vector field of the loop", RING, PICTURE, field),
}
