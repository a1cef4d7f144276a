"""Show what pattern and disturb find on the simulated bench, with and without inhibit of the lines."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from protocols.disturb.request import Request as DisturbRequest
from protocols.disturb.run import carry_out as disturb
from protocols.pattern.run import Request as PatternRequest
from protocols.pattern.run import carry_out as pattern
from protocols.program.request import Request as Writing
from rramlab.bench import embedded
from rramlab.session import Session
from rramlab.terminal import Terminal

TIMES = (1.0, 60.0, 3600.0, 86400.0, 1e6)


def main() -> None:
    with TemporaryDirectory() as made:
        folder = Path(made)
        facts = pattern(quiet(), PatternRequest(Writing(None), TIMES), folder / "p", None, None, 0)
        print(f"moon and star, {facts['programmable']} cells, {facts['mean_pulses']:.2f} pulses per cell")
        print(f"{'':18} {'mean (uS)':>16} {'sigma (uS)':>15} {'within 1 uS (%)':>16}")
        for row in facts["errors"]:
            mean = f"{row['mean_uS']:.3f} ± {row['mean_uncertainty_uS']:.3f}"
            sigma = f"{row['sigma_uS']:.3f} ± {row['sigma_uncertainty_uS']:.3f}"
            print(f"{row['when']:18} {mean:>16} {sigma:>15} {row['within_tolerance_percent']:16.1f}")
        print(
            "\ndisturb, first macro: change over 10 000 readings or 100 pulses, beyond cells left alone (uS)"
        )
        print(f"{'inhibit':>8} {'stress':12} {'state (uS)':>10} {'change':>16} {'slope (nS)':>18}  seen")
        for inhibit in (1.0, 0.5, 0.0):
            stressed(folder, inhibit)


def quiet(path: Path | None = None) -> Session:
    """Return a session that prints nothing."""
    return Session(path, Terminal(quiet=True))


def stressed(folder: Path, inhibit: float) -> None:
    """Print what disturb finds where unselected lines are raised by this share of the driven voltage."""
    bench = folder / f"{inhibit}.toml"
    bench.write_text(embedded().replace("inhibit = 1.0", f"inhibit = {inhibit}"))
    asked = DisturbRequest(kind="both" if inhibit == 1.0 else "half-select")
    for line in disturb(quiet(bench), asked, folder / f"d{inhibit}", None, None, 0)["effects"]:
        print(f"{inhibit:8g} {told(line)}")


def told(line: dict[str, Any]) -> str:
    change = f"{line['change_uS']:.3f} ± {line['change_uncertainty_uS']:.3f}"
    slope = f"{line['excess_nS']:.2g} ± {line['excess_uncertainty_nS']:.2g}"
    name = f"{line['kind']} {line['stress']}".replace("half-select", "pulse")
    return f"{name:12} {line['centre_uS']:10.0f} {change:>16} {slope:>18}  {'yes' if line['seen'] else 'no'}"


if __name__ == "__main__":
    main()
