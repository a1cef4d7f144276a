"""Guards of the house: what belongs to it, how it is written, and what it may not lean on."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

import pytest

TOP = Path(__file__).parent.parent
PACKAGES = ("rramlab", "drivers", "calibration", "sim_backend", "protocols")
ALLOWED = {
    *PACKAGES,
    ".ci",
    ".gitignore",
    ".pre-commit-config.yaml",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "benchmarks",
    "constraints.txt",
    "docs",
    "examples",
    "pyproject.toml",
    "tests",
}
HEAVY = ("torch", "numba", "matplotlib", "h5py", "safetensors")
NOT_ON_WINDOWS = ("fcntl", "termios", "pty", "tty", "resource", "pwd", "grp")
UNIX_SIGNALS = ("SIGHUP", "SIGKILL", "SIGQUIT", "SIGTSTP", "SIGSTOP", "SIGUSR1", "SIGUSR2", "SIGPIPE")
VIRTUAL = "sim_backend.virtual"


@cache
def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("this is no git checkout")
    return [TOP / name for name in listed.stdout.split("\0") if name and (TOP / name).exists()]


def named(path: Path) -> str:
    return path.relative_to(TOP).as_posix()


@cache
def sources() -> dict[str, ast.Module]:
    """Return the modules of the five packages, parsed."""
    paths = [p for p in tracked() if p.suffix == ".py" and p.relative_to(TOP).parts[0] in PACKAGES]
    return {named(p): ast.parse(p.read_text(encoding="utf-8")) for p in paths}


def python(script: str) -> str:
    """Return what a fresh interpreter prints when it runs a script from the tests folder."""
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=TOP / "tests",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


# What belongs to the house.


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_is_ours(package: str) -> None:
    # An editable installation lists no packages; then the place tells.
    assert set(packages_distributions().get(package, ["rramlab"])) == {"rramlab"}
    ours, found = find_spec("rramlab"), find_spec(package)
    assert ours is not None and ours.origin is not None
    assert found is not None and found.origin is not None
    assert Path(found.origin).parent.parent == Path(ours.origin).parent.parent


def test_nothing_else_stands_at_the_top() -> None:
    assert {named(path).split("/")[0] for path in tracked()} <= ALLOWED


def test_tests_are_no_package_and_have_names_of_their_own() -> None:
    tests = [path for path in tracked() if "tests" in path.relative_to(TOP).parts and path.suffix == ".py"]
    assert [named(path) for path in tests if path.name == "__init__.py"] == []
    assert len({path.name for path in tests}) == len(tests)


def test_the_packages_say_that_they_are_typed() -> None:
    assert all((TOP / package / "py.typed").is_file() for package in PACKAGES)


# How it starts.


@pytest.mark.parametrize("module", ["rramlab", "rramlab.cli", "sim_backend", "protocols", "rramlab.bench"])
def test_what_is_imported_at_the_start_is_light(module: str) -> None:
    loaded = python(f"import {module}, sys; print(*[name for name in {HEAVY} if name in sys.modules])")
    assert loaded.split() == []


def test_the_help_of_all_commands_is_light() -> None:
    script = "import sys; from rramlab.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    loaded = python(f"{script}print('HEAVY', *[name for name in {HEAVY} if name in sys.modules])")
    assert loaded.split("HEAVY")[1].split() == []


# What it may not lean on.


def test_no_module_needs_what_windows_lacks() -> None:
    """Only the virtual bench stands on what Windows lacks; nobody else names it, not even in a function."""

    def needs(tree: ast.Module) -> set[str]:
        nodes = list(ast.walk(tree))
        names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
        signals = {node.attr for node in nodes if isinstance(node, ast.Attribute)} & set(UNIX_SIGNALS)
        return {name.split(".")[0] for name in names} & set(NOT_ON_WINDOWS) | signals

    virtual = VIRTUAL.replace(".", "/")
    outside = {name: tree for name, tree in sources().items() if not name.startswith(virtual)}
    assert {name: found for name, tree in outside.items() if (found := needs(tree))} == {}


WITHOUT = """
import builtins, importlib, os, pkgutil, signal, sys
import numpy as np

refused, signals, ours, virtual = {refused!r}, {signals!r}, {ours!r}, {virtual!r}
for name in signals:
    delattr(signal, name)
for name in ("fork", "getuid", "geteuid", "openpty", "pidfd_open", "setsid"):
    delattr(os, name)
genuine = builtins.__import__

def guarded(name, globals=None, locals=None, fromlist=(), level=0):
    asker = (globals or {{}}).get("__name__", "").split(".")[0]
    if asker in ours and level == 0 and name.split(".")[0] in refused:
        raise ModuleNotFoundError(f"{{asker}} asked for {{name}}, which Windows lacks")
    return genuine(name, globals, locals, fromlist, level)

builtins.__import__ = guarded
for package in ("rramlab", "protocols", "sim_backend", "calibration", "drivers"):
    found = importlib.import_module(package)
    for module in pkgutil.walk_packages(found.__path__, package + "."):
        if not module.name.startswith(virtual):
            importlib.import_module(module.name)
loaded = [name for name, module in sys.modules.items() if name.startswith(virtual + ".")
          and not hasattr(module, "__path__")]  # walking through packages loads the packages
assert not loaded, loaded

from protocols.write_verify import WriteVerify
from rramlab.bench import Bench
from rramlab.cells import Cells

cells = Cells.grid(range(4), range(4))
with Bench.load(None).open(seed=1) as backend:
    result = WriteVerify(backend).program(cells, np.full(16, 50e-6))
    print("programmed", np.abs(backend.read(cells) - 50e-6).max() < 20e-6)

from drivers.bench_backend import BenchBackend
from drivers.bench_options import BenchOptions
from rramlab.errors import LinkError

# Lock, guardian and links of a bench of instruments on which nobody answers.
os.environ["USERNAME"] = "ada"  # as Windows has it
board = dict(use="rramlab-board", port="socket://127.0.0.1:1")
try:
    with BenchBackend(BenchOptions.model_validate(dict(macros=1, board=board))):
        pass
except LinkError as error:
    print(error.fault)
"""


def test_everything_loads_and_programs_without_what_windows_lacks() -> None:
    # 20 uS: far more than relaxation within the hour, far less than leaving the cells where they were (5 uS).
    script = WITHOUT.format(refused=NOT_ON_WINDOWS, signals=UNIX_SIGNALS, ours=PACKAGES, virtual=VIRTUAL)
    assert python(script).split() == ["programmed", "True", "refused"]


# How it is written.


def public(tree: ast.Module) -> list[tuple[str, ast.Module | ast.ClassDef | ast.FunctionDef]]:
    """Return the module, its public classes and functions, and the public methods of those classes."""
    found: list[tuple[str, ast.Module | ast.ClassDef | ast.FunctionDef]] = [("module", tree)]
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not node.name.startswith("_"):
            found.append((node.name, node))
            inner = node.body if isinstance(node, ast.ClassDef) else []
            methods = [m for m in inner if isinstance(m, ast.FunctionDef) and not m.name.startswith("_")]
            found += [(f"{node.name}.{method.name}", method) for method in methods]
    return found


def is_sentence(docstring: str | None) -> bool:
    """Tell whether a docstring begins with a capital and its first paragraph ends with a full stop."""
    if not docstring:
        return False
    first = docstring.split("\n\n")[0].strip()
    # A tree or a list may follow the first sentence without a paragraph between.
    return (first[0].isupper() or not first[0].isalpha()) and bool(re.search(r"\.($|\s)", first))


def test_every_public_thing_says_what_it_does() -> None:
    silent = [
        f"{name}: {thing}"
        for name, tree in sources().items()
        for thing, node in public(tree)
        if not is_sentence(ast.get_docstring(node))
    ]
    assert silent == []


def names_of(nodes: list[ast.expr]) -> set[str]:
    """Return the last name of each expression: `typing.final` and `final` are both final."""
    bare = [node.value if isinstance(node, ast.Subscript) else node for node in nodes]
    bare = [node.func if isinstance(node, ast.Call) else node for node in bare]
    return {node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "") for node in bare}


def test_every_class_is_abstract_or_final() -> None:
    classes = {
        (name, node.name): node
        for name, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    bases = set().union(*(names_of(node.bases) for node in classes.values()))

    def is_open(node: ast.ClassDef) -> bool:
        abstract = names_of(node.bases) & {"ABC", "Protocol"}
        # An error, or an abstract class under another one, that classes of the house build on.
        return bool(abstract) or node.name in bases

    loose = [
        f"{name}: {node.name}"
        for (name, _), node in classes.items()
        if "final" not in names_of(node.decorator_list)
        and not names_of(node.bases) & {"NamedTuple", "Enum", "IntEnum", "StrEnum"}
        and not is_open(node)
    ]
    assert loose == []


def test_no_file_is_longer_than_300_lines() -> None:
    lengths = {name: len((TOP / name).read_text(encoding="utf-8").splitlines()) for name in sources()}
    assert {name: length for name, length in lengths.items() if length > 300} == {}


TEXTS = {".py", ".md", ".toml", ".txt", ".yaml", ".yml", ".cfg", ".html", ".css", ".js", ".csv", ""}
# Paths of one machine: a checkout, a home folder, a temporary folder.
MACHINE = re.compile(r"(?<![\w.$~}:/-])/(?:work|home|root|Users|tmp|mnt|opt|scratch)(?:/[\w.-]+|\b(?!/))")


def test_no_text_names_a_path_of_one_machine() -> None:
    told = [
        f"{named(path)}: {match[0]}"
        for path in tracked()
        if path.suffix in TEXTS and path != Path(__file__)
        for match in MACHINE.finditer(path.read_text(encoding="utf-8"))
    ]
    assert told == []


@pytest.mark.parametrize(
    ("text", "found"),
    [("see /home/ada/x", True), ('"/tmp/a"', True), ("and/work/out", False), ("https://x.org/home/a", False)],
)
def test_paths_of_one_machine_are_recognised(text: str, found: bool) -> None:
    assert bool(MACHINE.search(text)) == found


def test_links_between_documents_lead_to_files() -> None:
    broken = []
    for page in (path for path in tracked() if path.suffix == ".md"):
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)", text):
            if "://" not in target and not target.startswith(("#", "mailto:")):
                place = page.parent / unquote(target.split("#")[0])
                broken += [] if place.exists() else [f"{named(page)}: {target}"]
    assert broken == []


# What it is built from.


def test_each_dependency_has_its_reason() -> None:
    text = (TOP / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    wanted = [
        *project["dependencies"],
        *(d for extra in project["optional-dependencies"].values() for d in extra),
    ]
    lines = [line.strip() for line in text.splitlines()]
    entries = [line for line in lines if line.strip('",') in wanted]
    assert len(entries) == len(wanted)  # one a line
    after = {line: lines[i - 1] for i, line in enumerate(lines)}
    # Lines that follow each other share the reason above the first.
    unreasoned = [line for line in entries if not after[line].startswith("#") and after[line] not in entries]
    assert unreasoned == []


def test_everything_is_pinned() -> None:
    lines = (TOP / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in pins if not re.fullmatch(r"[\w.-]+==[\w.+!]+( *;.*)?", line)] == []
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(d for extra in project["optional-dependencies"].values() for d in extra),
    ]

    def plain(name: str) -> str:
        return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", name)[0]).lower()

    assert {plain(name) for name in wanted} <= {plain(name) for name in pins}
