"""Who may import whom, held over the syntax tree; and how long the public names take to import."""

import ast
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = ROOT / "tfgan_zoo"

# room -> rooms it may import; the small shared modules are open to all
SHARED = {"errors", "files", "keras_private", "geometry", "noise", "pixels", "serialization", "version"}
MAY_IMPORT = {
    "__init__": {"*"},
    "__main__": set(),
    **{name: set() for name in SHARED},
    "objectives": set(),
    "likelihoods": set(),
    "penalties": set(),
    "augmentations": set(),
    "latents": {"data", "metrics", "pictures", "priors", "runtime"},
    "priors": set(),
    "schedules": set(),
    "samplers": {"schedules"},
    "layers": set(),
    "networks": {"layers"},
    "data": set(),
    "runtime": set(),
    "profiling": set(),
    "pictures": set(),
    "registry": set(),
    "conditions": set(),
    "models": {"conditions", "likelihoods", "priors", "samplers", "schedules", "data", "runtime"},
    "zoo": {"registry", "models", "networks", "layers", "objectives", "penalties", "priors", "schedules", "samplers"}
    | {"likelihoods", "augmentations", "conditions"},
    "metrics": {"data", "pictures", "runtime"},
    "export": {"pictures", "priors", "metrics", "runtime"},
    "callbacks": {"data", "doctor", "pictures", "metrics", "profiling", "runtime"},
    "doctor": {"data"},
    "human": {"data"},
    "directories": set(),
    "runs": {"callbacks", "data", "directories", "metrics", "export", "pictures", "profiling", "registry", "runtime"},
    "tuning": {"callbacks", "data", "directories", "metrics", "export", "pictures", "registry", "runtime"},
    "cli": {"profiling", "runtime"},
    "yardsticks": {"metrics", "pictures"},
}
TENSORFLOW = {"noise", "models", "latents", "penalties", "augmentations", "data", "profiling", "runtime", "export"}
TENSORFLOW |= {"metrics"}
KERAS_ONLY = {"objectives", "likelihoods", "networks", "layers"}
KERNELS = {"layers/batch_norm.py"}  # asks TensorFlow for a fused kernel that keras.ops does not reach
FILES = sorted(PACKAGE.rglob("*.py"))


def room(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path):
    """Dotted names a file imports; `from tfgan_zoo import data` counts as tfgan_zoo.data."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module == "tfgan_zoo")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_what_it_may(path):
    here = room(path)
    allowed = MAY_IMPORT[here] | SHARED | {here}
    for name in imported(path):
        top, *rest = name.split(".")
        assert top not in {"recipes", "tests", "benchmarks"}, f"{path} imports {name}"
        if top == "tfgan_zoo" and rest:
            assert "*" in allowed or rest[0] in allowed, f"{here} imports {name}"
        if top == "tensorflow" and str(path.relative_to(PACKAGE)) in KERNELS:
            continue
        if top == "tensorflow":
            assert here in TENSORFLOW, f"{path} imports tensorflow"
        if here in KERAS_ONLY:
            assert top in {"keras", "tfgan_zoo", "math", "dataclasses", "inspect", "numpy"}, f"{path} imports {name}"


PRIVATE = ("_flatten_layers", "_common_apply", "_initial_epoch", "_maybe_symbolic_build", "_use_cached_eval_dataset")


def test_keras_private_names_stand_in_one_file():
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        there = {name for name in PRIVATE if name in text} | ({"keras.src"} if "keras.src" in text else set())
        assert not there or path.name == "keras_private.py", f"{path}: {there}"


@pytest.mark.parametrize("path", sorted((ROOT / "tfgan_zoo_serving").glob("*.py")), ids=lambda path: path.name)
def test_the_loader_of_exports_knows_numpy_and_itself_only(path):
    """What it needs beside, a runtime, it imports in the function that runs it."""
    top = {name.split(".")[0] for node in ast.parse(path.read_text(encoding="utf-8")).body for name in _names(node)}
    assert top <= {"numpy", "tfgan_zoo_serving"} | set(sys.stdlib_module_names)
    assert not any(name.split(".")[0] == "tfgan_zoo" for name in imported(path))


def _names(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) else []


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("[a-z]*.py")), ids=lambda path: path.name)
def test_recipes_use_the_public_names_and_fit_on_a_page(path):
    for name in imported(path):
        top, *rest = name.split(".")
        assert top != "tfgan_zoo" or not rest, f"{path} imports {name}"
        assert top != "recipes", f"{path} imports {name}"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 80


def test_importing_stays_light():
    heavy = {
        "sklearn",
        "scipy",
        "matplotlib",
        "tensorflow_datasets",
        "PIL",
        "ai_edge_litert",
        "rich",
        "typer",
        "keras_tuner",
    }
    script = "import sys, tensorflow; was = set(sys.modules); import tfgan_zoo; print(*(set(sys.modules) - was))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not heavy & {name.split(".")[0] for name in result.stdout.split()}


def test_another_backend_is_refused_in_a_sentence():
    script = """
import sys, types
sys.modules["keras"] = types.SimpleNamespace(backend=types.SimpleNamespace(backend=lambda: "jax"))
import tfgan_zoo
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "Keras is set to 'jax'" in result.stderr
    assert "KERAS_BACKEND=tensorflow" in result.stderr
