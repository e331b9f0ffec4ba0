"""The card as a page for people: what it is, how well it scores, and how to load it without this package."""

from tfgan_zoo.export import serving
from tfgan_zoo.export.publishing import PAGE
from tfgan_zoo_serving import page

_LABELS = {"saved_model": "SavedModel", "onnx": "ONNX", "openvino": "OpenVINO", "keras": "Keras"}


def readme(card):
    """The card as a page for people, with code that runs as it stands in the directory of the export."""
    parts = [_head(card), _scores(card), *_loading(card), _page(card), _serving(card), _formats(card), _files(card)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(card):
    model = card["model"]
    latents = model["latent_dim"]
    drawn = "2-D points" if len(model["image_shape"]) == 1 else " × ".join(map(str, model["image_shape"])) + " images"
    classes = f", {model['num_classes']} classes" if model["num_classes"] is not None else ""
    lines = [
        f"# {model['name']}",
        "",
        f"A trained generator: {drawn}{classes}{f', from {latents} latent numbers' if latents else ''}; "
        f"{model['parameters']:,} parameters.",
    ]
    if _has_codes(model):
        lines += ["", _codes(model)]
    for caption, name in card["pictures"].items():
        lines += ["", f"![{caption}]({name})"]
    if card["about"]:
        lines += ["", *(f"- **{str(key).capitalize()}:** {_inline(value)}" for key, value in card["about"].items())]
    return "\n".join(lines)


def _has_codes(model):
    return (model["prior"] or {}).get("class") == "Codes" and len(model["start"]) == 1


def _codes(model):
    """Where the codes of a latent stand, and what they are."""
    prior, latents = model["prior"], model["latent_dim"]
    at = latents - sum(prior["categorical"]) - prior["continuous"]
    told = [f"noise in 0 to {at - 1}"] if at else []
    for values in prior["categorical"]:
        told.append(f"one of {values} categories as a one-hot vector in {at} to {at + values - 1}")
        at += values
    told += [f"codes from -1 to 1 in {at} to {latents - 1}"] if prior["continuous"] else []
    return (
        f"Its latents hold codes, the coordinates being {', '.join(told)}. `draw_latents` of a loaded generator and "
        "the signature `sample` draw all of them; the signature `sample_codes` takes codes of yours."
    )


def _scores(card):
    scores = card["scores"]
    if not scores:
        return ""
    rows, floors = [], False
    for name, value in scores.items():
        if name.endswith(("_floor", "_seconds")):
            continue
        floor = scores.get(f"{name}_floor")
        if isinstance(value, dict):
            value, floor = value.get("value"), value.get("floor", floor)
        floors = floors or floor is not None
        rows.append(f"| {name} | {_number(value)} | {_number(floor)} |")
    text = "## Scores\n\n| score | generator | floor |\n|---|---:|---:|\n" + "\n".join(rows)
    if floors:
        text += "\n\nThe floor is what real images score under the same protocol: nothing is expected to do better."
    if card["protocol"]:
        text += "\n\n" + "\n".join(f"- {key}: {_inline(value)}" for key, value in card["protocol"].items())
    return text


def _loading(card):
    if card["model"].get("translates"):
        yield from _translating(card)
        yield _with_keras(card)
        return
    conditional, points = card["model"]["num_classes"] is not None, len(card["model"]["image_shape"]) == 1
    kind = "float32" if points else "uint8"
    labels = ", labels=[0, 1, 1]" if conditional else ""
    bounds = "" if points else " from -1 to 1"
    if card["model"]["seeded"]:
        yield f"""## Load with tfgan_zoo_serving

It checks the files' hashes, and neither needs the package that trained the model nor, for LiteRT and ONNX, TensorFlow.
Run these where this file lies.

```python
from tfgan_zoo_serving import load_exported, verify

generator = load_exported(".")
images = generator.generate(3{labels}, seed=0)
print(generator.format, images.shape, images.dtype)  # the model's own for seed 0, float32{bounds}
print(verify(".", [generator.format]))  # hashes, signatures and images, checked again
```

Without Python of one's own: `python -m tfgan_zoo_serving generate . -n 16 --seed 0 --out grid.png`. A SavedModel is a
program, and may read and write files: do not load one of somebody you do not trust. `verify(".", run=False)` executes
nothing."""
    if "saved_model" in card["formats"]:
        asked = "labels=tf.constant([0, 1, 1])" if conditional else "num_images=tf.constant(3)"
        yield f"""## Load with TensorFlow

No Keras and no other package is needed.

```python
import tensorflow as tf

generator = tf.saved_model.load("{card["version"]}")
images = generator.signatures["sample"]({asked}, seed=tf.constant(0))["images"]
print(images.shape, images.dtype)  # three, {kind}; the same seed gives the same images
```"""
    plain = next((entry for name, entry in card["formats"].items() if name.startswith("tflite")), None)
    if plain:
        count = 1 if plain["batch"] == 1 else 3
        labels = f", labels=np.array({[0, 1, 1][:count]}, np.int32)" if conditional else ""
        (name, shape), *others = card["model"]["start"].items()
        uniform = {"class": "Uniform", "low": 0.0, "high": 1.0}
        drawn = "\n".join(
            [
                *_draw(card["model"], name, count, shape),
                *(f"{one} = {_drawn(uniform, count, of)}".replace("rng(0)", "rng(1)") for one, of in others),
            ]
        )
        given = ", ".join(f"{one}={one}" for one in card["model"]["start"])
        yield f"""## Load with LiteRT

One interpreter serves one thread.

```python
import numpy as np
from ai_edge_litert.interpreter import Interpreter

generator = Interpreter("{plain["path"]}").get_signature_runner("serving_default")
{drawn}
images = generator({given}{labels})["images"]
print(images.shape, images.dtype)  # {"one" if count == 1 else "three"}, float32{bounds}
```"""
    yield _with_keras(card)


def _translating(card):
    """How to translate images of one's own."""
    model, image = card["model"], ", ".join(map(str, card["model"]["start"]["sources"]))
    one, told = "", ""
    if model["num_classes"] is not None:
        one, told = "np.array([1], np.int32)", "labels"
    elif "attribute_names" in model:
        one, told = f"np.array([{[1.0] + [0.0] * (len(model['attribute_names']) - 1)}], np.float32)", "attributes"
    names = f"  # {', '.join(model['attribute_names'])}" if told == "attributes" else ""
    given = f"\n{told} = {one}{names}" if told else ""
    yield f"""## Translate with tfgan_zoo_serving

It checks the files' hashes, and neither needs the package that trained the model nor, for LiteRT and ONNX, TensorFlow.
Run these where this file lies.

```python
import numpy as np
from tfgan_zoo_serving import load_exported, verify

generator = load_exported(".")
pictures = np.zeros((1, {image}), np.float32)  # yours, from -1 to 1, or uint8{given}
images = generator.translate(pictures{f", {told}" if told else ""})
print(generator.format, images.shape, images.dtype)
print(verify(".", [generator.format]))  # hashes, signatures and images, checked again
```"""
    if "saved_model" in card["formats"]:
        asked = f", {told}=tf.constant({told})" if told else ""
        asked += ", seed=tf.constant(0)" if len(model["start"]) > 1 else ""
        yield f"""## Load with TensorFlow

No Keras and no other package is needed.

```python
import numpy as np
import tensorflow as tf

generator = tf.saved_model.load("{card["version"]}")
pictures = tf.zeros((1, {image})){given}
images = generator.signatures["translate"](images=pictures{asked})["images"]
print(images.shape, images.dtype)  # float32 from -1 to 1
```"""
    plain = next((entry for name, entry in card["formats"].items() if name.startswith("tflite")), None)
    if plain:
        inputs = {
            name: f"np.zeros((1, {', '.join(map(str, shape))}), np.float32)" for name, shape in model["start"].items()
        }
        inputs |= {told: one} if told else {}
        lines = "\n".join(f"{name} = {value}" for name, value in inputs.items())
        yield f"""## Load with LiteRT

```python
import numpy as np
from ai_edge_litert.interpreter import Interpreter

generator = Interpreter("{plain["path"]}").get_signature_runner("serving_default")
{lines}
images = generator({", ".join(f"{name}={name}" for name in inputs)})["images"]
print(images.shape, images.dtype)  # float32 from -1 to 1
```"""


def _with_keras(card):
    names = [network["path"] for network in card["model"]["networks"].values()]
    files = f"`{names[0]}` is the network itself" if len(names) == 1 else f"`{'`, `'.join(names)}` are the networks"
    return f"""## Load with Keras

{files}, for further work. If it has layers of this package, `import tfgan_zoo` first.

```python
import keras

network = keras.saving.load_model("{names[0]}", compile=False)
network.summary()
```"""


def _page(card):
    if not page.can_draw(card["model"], card["formats"]):
        return ""
    own = f", `{PAGE}/index.html` itself here" if f"{PAGE}/index.html" in card["files"] else ""
    if card["model"].get("translates"):
        does = f"translates with LiteRT.js{own} what you choose or your camera sees, and sends it nowhere."
    else:
        does = f"draws with LiteRT.js{own}: a seed there gives the images of the same seed here."
    return f"""## Try it in a browser

This serves a page that {does}
LiteRT.js is no part of it: `make demo-vendor` gets it, or `npm install @litertjs/core`, whose folder
`node_modules/@litertjs` becomes `{PAGE}/vendor`.

```sh
python -m tfgan_zoo_serving page .
```"""


def _serving(card):
    if "saved_model" not in card["formats"]:
        return ""
    name, entry = card["name"], card["formats"]["saved_model"]
    asked = '"num_images": 3' if card["model"]["num_classes"] is None else '"labels": [0, 1, 1]'
    if "attribute_names" in card["model"]:
        asked = f'"attributes": {[[1] + [0] * (len(card["model"]["attribute_names"]) - 1)]}'
    asked += ', "seed": 0'
    if entry["warm_up"]:
        warm = f" `{serving.WARM_UP}` warms it up before it says that it is ready."
    else:
        warm = " It was exported without tensorflow-serving-api (extra `serving`), and so without warm-up requests."
    return f"""## Serve with TF Serving

```sh
docker run --rm -p 8500:8500 -p 8501:8501 -v "$PWD:/models/{name}" tensorflow/serving \\
  --model_config_file=/models/{name}/models.config
curl -d '{{"signature_name": "sample", "inputs": {{{asked}}}}}' http://localhost:8501/v1/models/{name}:predict
```

The highest number here is the version served.{warm} A request may ask for {entry["max_images"]:,} images at most.

For many clients of `serving_default`, start it with `--enable_batching`,
`--batching_parameters_file=/models/{name}/batching.config` and `--enable_model_warmup=false`: the server then joins
requests along their first dimension, and refuses whatever has none, such as a seed: the other signatures, and warming
them up, which would keep the model from being loaded. A refused request takes those along that it was joined to.

{_signatures(card)}"""


def _signatures(card):
    def listed(specs):
        return ", ".join(f"{name} {spec['dtype']} {_shape(spec['shape'])}" for name, spec in specs.items())

    signatures = card["formats"]["saved_model"]["signatures"]
    return "\n".join(f"- `{name}`: {listed(s['inputs'])} → {listed(s['outputs'])}" for name, s in signatures.items())


def _formats(card):
    rows, measured_quality = [], False
    for name, entry in card["formats"].items():
        speed = entry.get("latency", {})
        times = " / ".join(_number(speed.get(key)) for key in ("xnnpack_ms", "plain_ms")) if speed else ""
        measured_quality = measured_quality or "recommended" in entry
        apart = (_number(entry["parity"][key]) for key in ("max_abs_diff", "mean_abs_diff"))
        cells = (_label(name), entry["path"], _size(entry["bytes"]), *apart, times, _quality(entry))
        rows.append(f"| {' | '.join(cells)} |")
    text = (
        "## Formats\n\nEach was reloaded from disk and compared with the model it came from: the largest and the mean "
        "difference of a number in an image. Milliseconds are of one image on one thread where it was exported, with "
        "LiteRT's XNNPACK and without.\n\n"
        "| format | path | size | largest | mean | ms | quality |\n|---|---|---:|---:|---:|---:|---|\n"
        + "\n".join(rows)
    )
    if measured_quality:
        text += (
            "\n\nQuality is the Fréchet distance over that of float32, from the same latents: above 1.05 a format is "
            "not recommended, nor is one that nobody has measured and in which a number differs by more than 0.5."
        )
    return text


def _label(name):
    if name.startswith("tflite"):
        return " ".join(["LiteRT", *(name.removeprefix("tflite").replace("batch1", "one_image").split("_")[1:])])
    return _LABELS[name]


def _quality(entry):
    if "recommended" not in entry:
        return ""
    told = f"{entry['quality']['ratio']:.3f}" if "quality" in entry else "not measured"
    return f"{told}, **not recommended**" if entry["recommended"] is False else told


def _files(card):
    rows = [f"| {name} | {_size(file['bytes'])} | `{file['sha256']}` |" for name, file in card["files"].items()]
    made_with = ", ".join(f"{name} {version}" for name, version in card["made_with"].items())
    return (
        "## Files\n\n| file | size | sha256 |\n|---|---:|---|\n"
        + "\n".join(rows)
        + f"\n\nMade by {card['made_by']} with {made_with}, {card['made_at']}."
    )


def _draw(model, name, count, shape):
    """Lines of NumPy that draw from the prior."""
    if not _has_codes(model):
        return [f"{name} = {_drawn(model['prior'] or {}, count, shape)}"]
    prior = model["prior"]
    free = model["latent_dim"] - sum(prior["categorical"]) - prior["continuous"]
    lines, parts = [f"noise = {_drawn(prior['noise'], count, [free])}"], ["noise"]
    for number, values in enumerate(prior["categorical"]):
        parts.append(f"category_{number}")
        chosen = f"np.random.default_rng({number + 1}).integers({values}, size={count})"
        lines.append(f"{parts[-1]} = np.eye({values}, dtype=np.float32)[{chosen}]")
    if prior["continuous"]:
        parts.append("codes")
        codes = {"class": "Uniform", "low": -1.0, "high": 1.0}
        lines.append(f"codes = {_drawn(codes, count, [prior['continuous']])}")
    return [*lines, f"{name} = np.concatenate([{', '.join(parts)}], axis=1)"]


def _drawn(prior, count, shape):
    shape = f"({count}, {', '.join(map(str, shape))})"
    if prior.get("class") == "Uniform":
        return f"np.random.default_rng(0).uniform({prior['low']}, {prior['high']}, {shape}).astype(np.float32)"
    scale = "" if prior.get("stddev", 1.0) == 1.0 else f"np.float32({prior['stddev']}) * "
    return f"{scale}np.random.default_rng(0).standard_normal({shape}, dtype=np.float32)"


def _number(value):
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "–" if value is None else _inline(value)
    return str(value) if isinstance(value, int) else f"{value:.4g}"


def _inline(value):
    if isinstance(value, dict):
        return ", ".join(f"{key} {_inline(item)}" for key, item in value.items())
    if isinstance(value, float):
        return f"{value:.4g}"
    text = ", ".join(map(_inline, value)) if isinstance(value, list) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")


def _shape(shape):
    return "(" + ", ".join("N" if size is None else str(size) for size in shape) + ")"


def _size(count):
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
