"""Write what was fitted: a preset that the simulator loads, and beside it uncertainties and residuals."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from rramlab.errors import RunError
from sim_backend.fit.compare import Point
from sim_backend.fit.fitting import Estimate
from sim_backend.fit.stages import Outcome
from sim_backend.preset import Preset

UNKNOWN = 0.7
"""Above this share of its prior's width, the data hardly say anything about a number."""


def preset_text(preset: Preset, estimates: Sequence[Estimate], head: str) -> str:
    """Return a preset as TOML, complete in itself, fitted numbers with their 95 % intervals beside them."""
    notes = {e.name: _note(e) for e in estimates}
    lines = [f"# {line}" for line in head.splitlines()]
    lines += [f"name = {json.dumps(preset.name)}", f"description = {json.dumps(preset.description)}"]
    for section in fields(preset):
        part = getattr(preset, section.name)
        if is_dataclass(part):
            lines += ["", f"[{section.name}]"]
            lines += [_line(section.name, f.name, getattr(part, f.name), notes) for f in fields(part)]
    return "\n".join(lines) + "\n"


def write_preset(path: Path, outcome: Outcome, head: str) -> None:
    """Write the preset file."""
    estimates = [e for stage in outcome.stages for e in stage.fit.estimates]
    _write(path, preset_text(outcome.preset, estimates, head))


def write_report(path: Path, outcome: Outcome, points: Mapping[str, Sequence[Point]]) -> None:
    """Write estimates, covariances and residuals as JSON."""
    stages = [
        {
            "name": s.name,
            "misfit": s.fit.misfit,
            "rounds": s.fit.rounds,
            "estimates": [vars(e) for e in s.fit.estimates],
            "covariance": s.fit.covariance.tolist(),
        }
        for s in outcome.stages
    ]
    found = {name: [vars(p) for p in rows] for name, rows in points.items()}
    _write(path, json.dumps({"stages": stages, "residuals": found}, indent=1) + "\n")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RunError(f"{path} cannot be written ({error.strerror}); choose another place") from None


def _note(e: Estimate) -> str:
    doubt = "; hardly known from these data" if e.known > UNKNOWN else ""
    return f"{e.low:.4g} to {e.high:.4g}{doubt}"


def _line(section: str, key: str, value: Any, notes: dict[str, str]) -> str:
    if isinstance(value, tuple):
        inside = [notes[n] for k in range(len(value)) if (n := f"{section}.{key}[{k}]") in notes]
        text, note = "[" + ", ".join(f"{v!r}" for v in value) + "]", " | ".join(inside)
    else:
        text, note = f"{value!r}", notes.get(f"{section}.{key}", "")
    return f"{key} = {text}" + (f"  # fitted, 95 %: {note}" if note else "")
