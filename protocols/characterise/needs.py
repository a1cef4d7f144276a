"""Refuse at the door what a bench cannot do, before a run is made."""

from collections.abc import Callable

from protocols.characterise.planes import chosen
from rramlab.backend import Backend
from rramlab.errors import Unsupported


def needs(
    cells: str, *verbs: str, also: Callable[[Backend], object] | None = None
) -> Callable[[Backend], None]:
    """Return a check of a plan: the cells lie on the bench, which has these verbs; `also` looks further."""

    def check(backend: Backend) -> None:
        missing = [verb for verb in verbs if verb not in backend.capabilities]
        if missing:
            able, name = ", ".join(sorted(backend.capabilities)), backend.identify()["name"]
            raise Unsupported(f"this bench has no '{missing[0]}' ({name}); it can: {able}")
        chosen(cells, backend).check(backend.shape)
        if also is not None:
            also(backend)

    return check
