"""Judge the claims of figures 3 and 4: what the networks draw."""

from protocols.reproduce import loop_claims
from protocols.reproduce.claim import Claim, Found, Verdict, judged
from protocols.reproduce.experiments import DECODE, LETTERS, RING
from protocols.reproduce.state import Done

EQUIVALENT = 1.3
"""Distance to the data, analog over digital, up to which quality is called equivalent here."""
RIGHT, OF_DIGITAL = 0.95, 0.97


def weights(done: Done) -> Found:
    """Tell how far programmed weights are off."""
    f = done.facts
    told = f"rms error of a weight in use {f['weight_error_rms']:.4f} (weights within ±2)"
    conditions = (
        f"252 weights, {f['targets_clipped']} clipped to the window; drop along wires and copies included"
    )
    return Found(told, conditions, Verdict.NOT_COMPARABLE)


def ring(done: Done) -> Found:
    """Judge the quality of the ring against that of the digital sampler."""
    q = done.facts["quality"]
    analog, digital = (q[which]["sliced_wasserstein"] for which in ("analog", "digital"))
    floor = q.get("data", {}).get("sliced_wasserstein")
    told = f"{analog:.4f} analog, {digital:.4f} digital: ratio {analog / digital:.2f}"
    scatter = "" if floor is None else f"; fresh data of that size: {floor:.4f}"
    conditions = f"{done.facts['runs']} samples, {done.facts['kind'].upper()}, 1000 digital steps{scatter}"
    return Found(told, conditions, judged(analog <= EQUIVALENT * digital))


def right_class(done: Done) -> Found:
    """Judge whether letters are of the class that was asked for."""
    analog, digital = (done.facts["accuracy"][which] for which in ("analog", "digital"))
    told = f"{100 * analog:.1f} % analog, {100 * digital:.1f} % digital"
    return Found(told, _letters(done), judged(digital >= RIGHT and analog >= OF_DIGITAL * digital))


def same_start(done: Done) -> Found:
    """Judge whether the class alone decides what becomes of a start state."""
    shares = {name: each["analog"]["accuracy"] for name, each in done.facts["classes"].items()}
    told = ", ".join(f"{name} {100 * share:.1f} %" for name, share in shares.items())
    conditions = f"the same {done.facts['samples']} start states under each class"
    return Found(told, conditions, judged(len(shares) > 1 and min(shares.values()) >= RIGHT))


def latents(done: Done) -> Found:
    """Judge the distribution of the latents against that of the digital sampler."""
    ratio = done.facts["sliced_wasserstein_ratio"]
    return Found(f"ratio {ratio:.2f}", _letters(done), judged(ratio <= EQUIVALENT))


def _letters(done: Done) -> str:
    f = done.facts
    count = f"{len(f['classes'])} x {f['samples']} samples"
    return f"{count}, {f['kind'].upper()}; compared with {f['compared_with']}"


def decoder(done: Done) -> Found:
    """Judge letters that macros decoded."""
    f = done.facts
    told = (
        f"{100 * f['accuracy']:.1f} % of the right class, digitally {100 * f['accuracy_digital']:.1f} %; a "
        f"pixel is off by {f['pixel_error_rms']:.3f}"
    )
    conditions = f"{f['letters']} samples of the closed loop through {f['macros']} macros, {f['tiles']} tiles"
    return Found(told, conditions, judged(f["accuracy"] >= OF_DIGITAL * f["accuracy_digital"]))


RING_CLAIMS = (
    loop_claims.CLAIMS["3a"],
    Claim(
        "3b",
        "programmed weights follow the offline ones",
        RING,
        "none: a histogram was published, no number",
        weights,
    ),
    loop_claims.CLAIMS["3c"],
    loop_claims.CLAIMS["3d"],
    Claim(
        "3e",
        "1000 samples end on the ring, quality equivalent to the software baseline",
        RING,
        f"sliced Wasserstein distance to the data at most {EQUIVALENT:g} times that of the digital sampler "
        "from the same start states (the published metric is not known)",
        ring,
    ),
)
LETTER_CLAIMS = (
    Claim(
        "4c",
        "a decoder in resistive memory makes letters of latents",
        DECODE,
        f"right class in {100 * OF_DIGITAL:g} % or more of the share of a digital decoder on the same points",
        decoder,
    ),
    Claim(
        "4d",
        "letters H, K, U are drawn on demand, 3 x 500",
        LETTERS,
        f"a classifier that saw no drawn sample finds the right class in {100 * OF_DIGITAL:g} % or more of "
        f"the digital share, and the digital share is {100 * RIGHT:g} % or more",
        right_class,
    ),
    Claim(
        "4e",
        "the same start goes where the condition says",
        LETTERS,
        f"{100 * RIGHT:g} % or more of the same starts become the class asked for, for each class",
        same_start,
    ),
    Claim(
        "4f",
        "latents as by the software baseline",
        LETTERS,
        f"sliced Wasserstein distance to the latents at most {EQUIVALENT:g} times the digital one, mean of "
        "the classes (the published metric is not known)",
        latents,
    ),
)
