"""Tell in one sentence what is wrong in a file that people write: the first complaint of its model."""

import re
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from rramlab.errors import did_you_mean


def first_complaint(error: ValidationError, model: type[BaseModel]) -> str:
    """Return one complaint as a sentence, a misspelt key before what follows from it."""
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    path = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        keys = keys_of(model, first["loc"][:-1])
        hint = f"; {did_you_mean(str(first['loc'][-1]), keys)}" if keys else ""
        return f"unknown key '{path}'{hint}"
    if first["type"] == "missing":
        return f"the key '{path}' is missing"
    if first["type"] == "model_type":
        return f"'{path}' = {first['input']!r}: it should be a table; write [{path}] and its keys below"
    message = re.sub("^(Input|String|List) should", "it should", first["msg"].removeprefix("Value error, "))
    if first["loc"][-1:] == ("[key]",):
        return f"unknown key '{path.removesuffix('.[key]')}': {message}"
    where = f"'{path}' = {first['input']!r}: " if path and first["type"] != "value_error" else ""
    hard = first["loc"][:1] == ("limits",) and first["type"] == "less_than_equal"
    return f"{where}{message}{' (the hard limit: the macro does not survive more)' if hard else ''}"


def keys_of(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """Return the keys of a table, or none where the model is not a plain tree of tables."""
    for part in path:
        if isinstance(part, int):
            continue  # a table of a list
        field = model.model_fields.get(str(part))
        inner = None if field is None else _table_of(field.annotation)
        if inner is None:
            return []
        model = inner
    return [name for name, field in model.model_fields.items() if field.exclude is not True]


def _table_of(annotation: Any) -> type[BaseModel] | None:
    # A table that may be left out is written as `Table | None`.
    kinds = [kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type)]
    return next((kind for kind in kinds if issubclass(kind, BaseModel)), None)
