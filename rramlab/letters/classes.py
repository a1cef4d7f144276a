"""Names of the classes of letters, as people give them and as the sets number them."""

from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase, digits
from typing import NoReturn

from rramlab.errors import InputError

UPPER = tuple(ascii_uppercase)
BY_CLASS = (*digits, *ascii_uppercase, *ascii_lowercase)
"""EMNIST by-class: labels 0 to 61, so that H is 17, K 20 and U 30."""


def parse_classes(text: str, possible: Sequence[str], where: str) -> tuple[str, ...]:
    """Return the classes in a text such as "H,K,U"; each must be `possible`, none may stand twice.

    `where` names the set in the sentence that refuses: "drawn letters", "EMNIST by-class".
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = [name for name in names if name not in possible]
    if unknown:
        refuse_class(unknown[0], possible, where)
    if len(names) < 2 or len(set(names)) != len(names):
        raise InputError(f"classes '{text}' were asked for; give two or more different ones, as in H,K,U")
    return names


def refuse_class(name: str, possible: Sequence[str], where: str) -> NoReturn:
    """Raise InputError for a class that a set does not have, with what was probably meant."""
    told = f"there is no class '{name}' in {where}; possible are {ranges(possible)}"
    if name.upper() in possible:
        told += f"; ask for '{name.upper()}'"
    elif len(name) > 1:
        told += "; separate classes by commas, as in H,K,U"
    raise InputError(told)


def ranges(names: Sequence[str]) -> str:
    """Return names in short: those that follow each other as "A to Z"."""
    runs: list[list[str]] = []
    for name in names:
        follows = runs and len(name) == len(runs[-1][-1]) == 1 and ord(name) == ord(runs[-1][-1]) + 1
        if follows:
            runs[-1].append(name)
        else:
            runs.append([name])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)
