"""One loaded generator may be shared by threads, and streams without drawing what nobody has asked for yet."""

import concurrent.futures
import tracemalloc
import warnings

import numpy as np
import pytest
from export_stand_ins import image_model

import tfgan_zoo as tz
import tfgan_zoo_serving
from tfgan_zoo_serving import draws, runtimes
from tfgan_zoo_serving.generator import ExportedGenerator

FORMATS = ("saved_model", "tflite", "tflite_batch1", "tflite_float16")
COUNTS = (1, 5, 33)  # of images in a call, so that buffers change their size


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    directory = tmp_path_factory.mktemp("exported") / "export"
    model = image_model(num_classes=3)
    tz.export(model, directory, formats=FORMATS)
    return model, directory


def wrong(generator, calls, threads):
    """How many of the calls that threads made at the same time gave other images than they would alone."""
    seeds = range(7)
    wanted = {seed: generator.generate(max(COUNTS), seed=seed) for seed in seeds}

    def ask(call):
        seed, count = call % len(seeds), COUNTS[call % len(COUNTS)]
        return float(np.abs(generator.generate(count, seed=seed) - wanted[seed][:count]).max())

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return sum(not apart < 1e-4 for apart in pool.map(ask, range(calls)))


@pytest.mark.parametrize("format", [*FORMATS, "keras"])
def test_threads_share_one_generator(exported, format):
    generator = tz.load_exported(exported[1], format)
    assert wrong(generator, 120 if "tflite" in format else 24, 4) == 0


@pytest.mark.parametrize("name", ["onnx", "openvino"])
def test_threads_share_one_generator_of_another_house(name, tmp_path):
    pytest.importorskip({"onnx": "tf2onnx"}.get(name, name))
    tz.export(image_model(), tmp_path / "out", formats=name)
    assert wrong(tz.load_exported(tmp_path / "out", name), 120, 4) == 0
    assert wrong(tz.load_exported(tmp_path / "out", name, threads=1), 24, 2) == 0


@pytest.mark.slow
@pytest.mark.parametrize("format", ["tflite", "tflite_batch1", "tflite_float16", "saved_model"])
def test_twenty_thousand_calls_of_eight_threads(exported, format):
    generator = tz.load_exported(exported[1], format)
    assert wrong(generator, 20_000 if format == "tflite" else 2_000, 8) == 0


def test_a_call_that_fails_takes_its_interpreter_with_it():
    made = []

    def make():
        made.append(len(made))

        def run(inputs):
            if inputs is None:
                raise RuntimeError
            return made[-1]

        return run

    lent = runtimes._Lent(make)
    assert lent({}) == lent({}) == 0
    with pytest.raises(RuntimeError):
        lent(None)
    assert lent({}) == 1


def test_options_belong_to_runtimes_that_have_them(exported, monkeypatch):
    directory = exported[1]
    np.testing.assert_allclose(
        tz.load_exported(directory, "tflite", threads=2).generate(3, seed=1),
        tz.load_exported(directory, "tflite", threads=1).generate(3, seed=1),
        atol=1e-5,
    )
    with pytest.raises(ValueError, match="threads belongs to tflite and onnx and openvino, and the format is 'keras'"):
        tz.load_exported(directory, "keras", threads=2)
    with pytest.raises(ValueError, match="providers belongs to onnx, and the format is 'tflite'"):
        tz.load_exported(directory, providers=["CUDAExecutionProvider"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is rounded
        monkeypatch.setattr(tfgan_zoo_serving, "_ORDER", ("saved_model", "keras", "tflite"))
        assert tz.load_exported(directory).format == "saved_model"
        assert tz.load_exported(directory, threads=1).format == "tflite"  # the first that has threads
    with pytest.raises(ValueError, match="threads=0: give an integer, at least 1"):
        tz.load_exported(directory, threads=0)


def counting(num_classes=None):
    """A generator that shows its latents, and keeps how many of them came at a time."""
    facts = {"name": "counting", "image_shape": [8], "latent_dim": 8, "num_classes": num_classes, "seeded": True}
    facts["prior"] = {"class": "Normal", "stddev": 1.0}
    together = []

    def run(inputs):
        together.append(len(inputs["latents"]))
        labels = inputs.get("labels", np.zeros(len(inputs["latents"])))
        return inputs["latents"] + 10 * labels[:, None].astype(np.float32)

    return ExportedGenerator(facts, run, "tflite", most=20), together


def test_a_stream_draws_as_it_goes():
    generator, _ = counting(num_classes=3)
    tracemalloc.start()
    parts = generator.stream(10**9, seed=4, batch_size=100)
    first = [next(parts) for _ in range(6)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2e6
    wanted = draws.latents({"class": "Normal", "stddev": 1.0}, 600, 8, 4)
    wanted += 10 * draws.labels(600, 3, 4)[:, None].astype(np.float32)
    np.testing.assert_array_equal(np.concatenate(first), wanted)
    np.testing.assert_array_equal(generator.generate(600, seed=4), wanted)
    np.testing.assert_array_equal(np.concatenate(list(generator.stream(600, seed=4, batch_size=7))), wanted)


def test_no_more_images_at_a_time_than_the_format_makes():
    generator, together = counting()
    assert len(generator.generate(70, seed=0)) == 70
    assert set(together) <= {20, 4, 6}
    assert max(together) == 20


@pytest.mark.parametrize("batch_size", [0, -1, 2.0, True, None])
def test_a_batch_has_at_least_one_image(batch_size):
    with pytest.raises(ValueError, match=f"batch_size={batch_size}: ask for at least 1 image in a batch"):
        counting()[0].stream(3, batch_size=batch_size)


def test_latents_of_a_seed_are_there_to_be_changed():
    generator, _ = counting()
    latents = generator.draw_latents(300, seed=6)
    np.testing.assert_array_equal(generator(latents), generator.generate(300, seed=6))
    with pytest.raises(ValueError, match="seed=-1: give an integer from 0"):
        generator.draw_latents(3, -1)


@pytest.mark.parametrize("most", [2, 7])
def test_a_small_limit_is_kept_by_whoever_loads(most, tmp_path):
    model = image_model()
    tz.export(model, tmp_path / "out", "saved_model", max_images=most)
    found = tz.verify(tmp_path / "out")
    assert found["saved_model"]["max_abs_diff"] < 1e-4
    given = tz.load_exported(tmp_path / "out", "saved_model").generate(9, seed=3)
    np.testing.assert_allclose(given, model.generate(9, seed=3), atol=1e-4)
