"""Inception as an extractor: the loader against pytorch-fid's layout, the network against NumPy, the two resizes."""

import collections
import pathlib
import pickle
import subprocess
import sys
import zipfile

import h5py
import keras
import numpy as np
import pytest
from PIL import Image

from tfgan_zoo.metrics import features, inception, torch_weights

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import inception_stand_in as stand_in


@pytest.fixture(scope="module")
def weights():
    return stand_in.weights()


@pytest.fixture(scope="module")
def saved(weights, tmp_path_factory):
    path = tmp_path_factory.mktemp("inception") / "pt_inception.pth"
    stand_in.save_torch(weights, path)
    return path


@pytest.fixture(scope="module")
def extractor(saved):
    return inception.inception_2015(saved)


def test_every_array_of_the_file_has_one_place(weights, extractor):
    wanted = {name: array.shape for name, array in weights.items() if not name.endswith("num_batches_tracked")}
    assert inception.shapes(extractor.model) == wanted
    assert len(wanted) == 94 * 5 + 2
    backbone = sum(np.prod(shape) for name, shape in wanted.items() if "running" not in name and "fc" not in name)
    assert backbone == 21_785_568  # of Szegedy et al.'s network without its auxiliary head, as torchvision counts it


def test_the_whole_network_equals_numpy(weights, extractor):
    images = np.random.default_rng(0).integers(0, 256, (1, 299, 299, 3), np.uint8)
    expected = stand_in.features(((images.astype(np.float32) - 128) / 128).transpose(0, 3, 1, 2), weights)
    found = extractor(images.astype(np.float32) / 127.5 - 1)
    np.testing.assert_allclose(found["features"], expected, atol=2e-4)
    assert expected.std() > 1  # it is no network that has died
    logits = expected @ weights["fc.weight"].T
    odds = np.exp(logits - logits.max())
    np.testing.assert_allclose(found["probabilities"], odds / odds.sum(), rtol=5e-3)


def test_its_name_says_what_it_is(extractor, saved):
    assert (extractor.kind, extractor.width, extractor.classes) == ("inception2015", 2048, 1008)
    assert extractor.key("fid", 50_000) == "fid_inception2015_50000_legacy"
    clean = features.Extractor(**{**vars_of(extractor), "resize": inception.RESIZES["clean"]})
    assert clean.key("kid", 10) == "kid_inception2015_10_clean"
    assert features.fingerprint(clean) != features.fingerprint(extractor)
    assert extractor.preprocessing((28, 28, 1)) == "gray to RGB, bilinear as in TensorFlow 1 28x28 to 299x299"
    with pytest.raises(ValueError, match=r"Unknown resize 'cleen'\. Did you mean 'clean'"):
        inception.inception_2015(saved, resize="cleen")


def vars_of(extractor):
    names = ("kind", "name", "hash", "image_shape", "width", "classes", "model")
    return {name: getattr(extractor, name) for name in names}


def test_the_clean_resize_is_pillows():
    levels = np.random.default_rng(0).integers(0, 256, (40, 60), np.uint8)
    picture = Image.fromarray(levels.astype(np.float32))
    images = levels[None, :, :, None].astype(np.float32) / 127.5 - 1
    for height, width in ((299, 299), (17, 23)):
        expected = np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC)).clip(0, 255)
        found = inception._clean(images, [height, width]).numpy()[0, :, :, 0]
        np.testing.assert_allclose((found + 1) * 127.5, expected, atol=0.01)


def test_the_legacy_resize_is_tensorflow_1s():
    levels = np.array(
        [[0, 60, 120, 180]], np.float32
    )  # doubled: output pixel i lies at i / 2, the last one is repeated
    images = levels[None, :, :, None] / 127.5 - 1
    found = inception._legacy(images, [1, 8]).numpy()[0, 0, :, 0]
    np.testing.assert_allclose((found + 1) * 127.5, [0, 30, 60, 90, 120, 150, 180, 180], atol=1e-3)
    down = inception._legacy(images, [1, 2]).numpy()[0, 0, :, 0]  # and no pixel between is seen
    np.testing.assert_allclose((down + 1) * 127.5, [0, 120], atol=1e-3)


def test_gray_is_repeated_and_grey_levels_are_a_files():
    images = np.full((1, 4, 4, 1), 0.1001, np.float32)
    fitted = features.fitted(images, (4, 4, 3), inception.RESIZES["legacy"]).numpy()
    np.testing.assert_allclose((fitted + 1) * 127.5, 140, atol=1e-3)  # 140.26
    assert fitted.shape == (1, 4, 4, 3)


def few(number=2):
    names = list(stand_in.weights())[: 6 * number]
    return collections.OrderedDict((name, stand_in.weights()[name].copy()) for name in names)


def test_all_files_give_the_same_arrays(tmp_path):
    arrays = few()
    stand_in.save_torch(arrays, tmp_path / "a.pth")
    np.savez(tmp_path / "a.npz", **arrays)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, array in arrays.items():
            file[name.replace(".", "/")] = array
    for path in sorted(tmp_path.iterdir()):
        found = torch_weights.read(path)
        assert found.keys() == arrays.keys()
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[name], array, err_msg=f"{path.name} {name}")
            assert found[name].dtype == array.dtype


def test_the_layout_before_pytorch_1_6_is_read(tmp_path):
    kernel = np.arange(6, dtype="<f4").reshape(2, 3)
    with stand_in.torch_names() as torch, open(tmp_path / "old.pt", "wb") as file:

        class Pickler(pickle.Pickler):
            def persistent_id(self, value):
                known = isinstance(value, stand_in.Storage)
                return ("storage", torch.FloatStorage, value.key, "cpu", 6, None) if known else None

        class Transposed:  # a view into the storage: its strides say so
            def __reduce__(self):
                storage = stand_in.Storage("5", kernel)
                return torch._utils._rebuild_tensor_v2, (storage, 1, (3, 1), (1, 3), False, collections.OrderedDict())

        for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
            pickle.dump(value, file, 2)
        Pickler(file, 2).dump(collections.OrderedDict(view=Transposed()))
        pickle.dump(["5"], file, 2)
        file.write(np.int64(6).tobytes() + kernel.tobytes())
    np.testing.assert_array_equal(torch_weights.read(tmp_path / "old.pt")["view"], [[1], [2], [3]])


class Harmful:
    def __reduce__(self):
        return subprocess.getoutput, ("echo harm",)


def spoiled(change):
    def write(path):
        stand_in.save_torch(few(), path)
        change(path)

    return write


def cut(path):
    path.write_bytes(path.read_bytes()[:-500])


def short_storage(path):
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["archive/data/0"] = parts["archive/data/0"][:-4]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def harmful(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"a": Harmful()}))


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        (spoiled(cut), "is damaged or no state_dict"),
        (spoiled(short_storage), r"a storage has 3452 bytes and not 3456"),
        (harmful, r"it names subprocess.getoutput, which is no tensor and is not loaded"),
        (lambda path: path.write_bytes(pickle.dumps({"a": Harmful()})), "it names subprocess.getoutput"),
        (lambda path: path.write_bytes(pickle.dumps({"a": 1})), "does not begin like a file of torch.save"),
        (lambda path: path.write_bytes(b""), "is damaged"),
    ],
)
def test_files_that_are_no_tensors_are_refused_unread(tmp_path, write, sentence):
    write(tmp_path / "bad.pth")
    with pytest.raises(ValueError, match=sentence):
        torch_weights.read(tmp_path / "bad.pth")


def test_other_weights_are_refused(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="There is no file"):
        inception.inception_2015(tmp_path / "none.pth")
    with pytest.raises(ValueError, match=r"is not \.pth, \.pt, \.npz, \.h5"):
        inception.inception_2015(tmp_path / "weights.bin")
    with pytest.raises(FileNotFoundError, match='"imagenet" to download'):
        inception.inception_v3(tmp_path / "none.h5")
    wanted = {name: array.shape for name, array in few(1).items()}
    wanted.pop("Conv2d_1a_3x3.bn.num_batches_tracked")
    monkeypatch.setattr(inception, "build", lambda: None)
    monkeypatch.setattr(inception, "shapes", lambda _: wanted)
    for change, sentence in (
        (
            lambda arrays: arrays.pop("Conv2d_1a_3x3.bn.bias"),
            r"1 of 5 names are missing, such as 'Conv2d_1a_3x3.bn.bias'",
        ),
        (lambda arrays: arrays.update(more=np.zeros(1)), "1 are unknown, such as 'more'"),
        (
            lambda arrays: arrays.update({"Conv2d_1a_3x3.bn.bias": np.zeros(31)}),
            r"'Conv2d_1a_3x3.bn.bias' has the shape \(31,\), and \(32,\) is needed",
        ),
        (lambda arrays: arrays["Conv2d_1a_3x3.bn.bias"].fill(np.nan), "'Conv2d_1a_3x3.bn.bias' contains NaN"),
    ):
        arrays = few(1)
        change(arrays)
        np.savez(tmp_path / "w.npz", **arrays)
        with pytest.raises(ValueError, match=sentence):
            inception.inception_2015(tmp_path / "w.npz")


@pytest.mark.slow
def test_keras_own_inception_is_loaded_from_a_file(tmp_path):
    keras.utils.set_random_seed(1)
    network = keras.applications.InceptionV3(weights=None)
    network.save_weights(tmp_path / "inception.weights.h5")
    extractor = inception.inception_v3(tmp_path / "inception.weights.h5")
    assert extractor.key("fid", 1000) == "fid_inceptionv3keras_1000"
    assert (extractor.width, extractor.classes) == (2048, 1000)
    images = np.random.default_rng(0).uniform(-1, 1, (1, 299, 299, 3)).astype("float32")
    np.testing.assert_allclose(extractor(images)["probabilities"], network(images), rtol=1e-4)
    (tmp_path / "other.weights.h5").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="does not hold the weights of InceptionV3"):
        inception.inception_v3(tmp_path / "other.weights.h5")
