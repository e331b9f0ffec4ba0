"""What all tests share: quiet TensorFlow, a clean slate between tests, and TF-GAN as an independent reference."""

import datetime
import importlib
import importlib.util
import os
import sys
import types
import zlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["TFDS_DISABLE_PROGRESS_BAR"] = "1"
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # each worker of pytest has a core
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest


def pytest_addoption(parser):
    parser.addoption(
        "--share",
        type=int,
        default=1,
        help="of the chosen tests only one in so many, others each day, so that in as many days all of them have run",
    )


def pytest_collection_modifyitems(config, items):
    share = config.getoption("--share")
    today = datetime.datetime.now(datetime.UTC).toordinal() % share
    chosen = [item for item in items if zlib.crc32(item.nodeid.encode()) % share == today]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


@pytest.fixture(autouse=True)
def clean_slate():
    """Every test starts with the same seeds, float32, and the first epoch's order of data."""
    import tfgan_zoo as tz

    tz.runtime.setup(seed=0)
    tz.data.set_epoch(0)
    yield
    tz.runtime.setup()


@pytest.fixture(scope="session")
def tfgan():
    """TF-GAN's losses, metrics and features, past its package's import of the estimators that TensorFlow dropped.

    And past that of TensorFlow Hub, which needs the `pkg_resources` that setuptools dropped; Python 3.11's venv alone
    still brings a setuptools that has it.
    """
    root = importlib.util.find_spec("tensorflow_gan").submodule_search_locations[0]
    for name, path in (("tensorflow_gan", root), ("tensorflow_gan.python", f"{root}/python")):
        module = types.ModuleType(name)
        module.__path__ = [path]
        sys.modules.setdefault(name, module)
    sys.modules.setdefault("tensorflow_hub", types.ModuleType("tensorflow_hub"))  # it would load what nobody asks for
    parts = ("losses", "eval", "features")
    return types.SimpleNamespace(**{part: importlib.import_module(f"tensorflow_gan.python.{part}") for part in parts})


class Bare:
    """The least that can be converted: a network of latents."""

    condition = None

    def __init__(self, network):
        self.inference, self.image_shape = {"generator": network}, network.output_shape[1:]

    def start(self, rows, seed):
        return {"latents": np.zeros((rows, self.inference["generator"].input_shape[-1]), "float32")}

    def draw(self, latents):
        return self.inference["generator"](latents, training=False)


@pytest.fixture
def as_tflite(tmp_path):
    """Function: a network of latents -> the runner of its LiteRT file, with LiteRT's own operations alone."""

    def runner(network):
        from ai_edge_litert.interpreter import Interpreter

        from tfgan_zoo.export import litert

        content = litert.convert(litert.Source(Bare(network), tmp_path, None))
        return Interpreter(model_content=content).get_signature_runner("serving_default")

    return runner
