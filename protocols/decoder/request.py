"""Say what is asked of a run that decodes letters."""

from dataclasses import asdict, dataclass
from typing import Any, final

from protocols.asked import within_reason
from protocols.write_verify.spec import Spec
from rramlab.bench import Bench
from rramlab.errors import InputError

MOST_SAMPLES = 10_000
MOST_COPIES = 16


@final
@dataclass(frozen=True)
class DecodeRequest:
    """Hold what was asked for (SI).

    `letters` is the folder of decoder, classifier and latents, None for those of the drawn letters; `latents`
    a run of `rramlab letters` whose samples are decoded, None for latents of the training letters; `after` a
    run of `rramlab decode` whose macros are taken over. No `classes` stand for all; `samples` letters of
    each are decoded, and each weight has up to `copies` where there are macros for them.
    """

    letters: str | None = None
    latents: str | None = None
    after: str | None = None
    classes: tuple[str, ...] = ()
    samples: int = 100
    copies: int = 2
    tolerance: float = 1e-6
    passes: int = 3
    wait: float = 60.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(self.classes))
        if not 1 <= self.samples <= MOST_SAMPLES:
            raise InputError(f"--samples {self.samples} is not possible; give 1 to {MOST_SAMPLES}")
        if not 1 <= self.copies <= MOST_COPIES:
            raise InputError(f"--copies {self.copies} is not possible; give 1 to {MOST_COPIES}")
        if len(set(self.classes)) < len(self.classes):
            told = ",".join(self.classes)
            raise InputError(f"--classes {told} is not possible; name each class once, such as H,K,U")

    def spec(self, bench: Bench) -> Spec:
        """Return what write-verify is to reach on this bench."""
        return within_reason(
            Spec(
                tolerance=self.tolerance,
                window=(bench.window.low, bench.window.high),
                reading=bench.reading.spec(),
                passes=self.passes,
                wait=self.wait,
            )
        )

    def parameters(self) -> dict[str, Any]:
        """Return the request as it is stored with the run."""
        return asdict(self) | {"classes": list(self.classes)}
