"""Say what is asked of a run of letters."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, final

from protocols.sample.request import Request
from rramlab.diffusion.network import ScoreWeights
from rramlab.diffusion.store import letters_weights, load_weights
from rramlab.errors import InputError


@final
@dataclass(frozen=True)
class LettersRequest:
    """Hold what was asked for (SI); `weights` a file, or None for the network of H, K, U that ships.

    `classes` are sampled one after the other, each from the same `samples` start states; none at all stands
    for all that the network knows. `letters` is the
    folder of decoder, classifier and latents, None for those of the drawn H, K, U. `after` names a run whose
    macro and network are taken over.
    """

    weights: str | None = None
    after: str | None = None
    letters: str | None = None
    classes: tuple[str, ...] = ()
    samples: int = 500
    kind: Literal["ode", "sde"] = "ode"
    tolerance: float = 1e-6
    passes: int = 3
    wait: float = 60.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(self.classes))
        if len(set(self.classes)) < len(self.classes):
            told = ",".join(self.classes)
            raise InputError(f"--classes {told} is not possible; name each class once, such as H,K,U")
        self.network()

    def network(self) -> Request:
        """Return the part that the main job asks as well: a network, programming, the runs of a class."""
        return Request(
            weights=self.weights,
            after=self.after,
            runs=self.samples,
            kind=self.kind,
            tolerance=self.tolerance,
            passes=self.passes,
            wait=self.wait,
        )

    def score(self) -> ScoreWeights:
        """Return the network that was asked for."""
        return letters_weights() if self.weights is None else load_weights(self.weights)

    def parameters(self) -> dict[str, Any]:
        """Return the request as it is stored with the run."""
        return asdict(self) | {"classes": list(self.classes)}


def classes_of(request: LettersRequest, score: ScoreWeights) -> tuple[str, ...]:
    """Return the classes to draw, or refuse a network that does not know them."""
    if score.condition is None:
        raise InputError(
            "this network knows no classes; train one that does with `rramlab train latent`, "
            "or sample this one with `rramlab sample`"
        )
    for name in request.classes:
        score.condition.vector(name)  # refuses one that the network does not know
    return request.classes or score.classes


def check_network(request: LettersRequest, score: ScoreWeights, known: Sequence[str]) -> None:
    """Refuse letters of one's own (`known`) with the network that ships, where it does not know them."""
    own = request.letters is not None and request.weights is None and request.after is None
    wanted = request.classes or tuple(score.classes)
    if own and not set(wanted) <= set(score.classes) & set(known):
        raise InputError(
            f"the letters in {request.letters} are {', '.join(known)}, the network that ships draws "
            f"{', '.join(score.classes)}; name with --weights a network of these letters: "
            f"rramlab train latent --letters {request.letters} writes one"
        )


def parse_classes(text: str) -> tuple[str, ...]:
    """Return the classes of a text such as "H,K,U"; of an empty one none."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
