"""Switch benches off without asking who holds them."""

from pathlib import Path

from rramlab.bench import Bench, Identity, World
from rramlab.bench_lock import Holder, holders
from rramlab.errors import InputError
from rramlab.finding import Finding


def switch_off(path: Path | None) -> dict[str, list[Finding]]:
    """Return what each instrument read back when it was switched off, by the name of its bench.

    Without a bench file it goes to all benches that are in use on this computer, or were when their process
    was killed. It takes no lock.
    """
    benches = [_bench(holder) for holder in holders()] if path is None else [Bench.load(path)]
    if not benches:
        raise InputError(
            "no bench with instruments is in use on this computer; name its file: rramlab panic --bench FILE"
        )
    return {bench.bench.id: _switched_off(bench) for bench in benches}


def _bench(holder: Holder) -> Bench:
    world = World(use=holder.world, options=dict(holder.options))
    return Bench(bench=Identity(id=holder.bench), backend=world)


def _switched_off(bench: Bench) -> list[Finding]:
    try:
        return bench.panic()
    except Exception as error:  # the other benches are switched off all the same
        return [Finding("bench", str(error) or repr(error), False, "switch its supplies off by hand")]
