"""SAGAN (Zhang et al. 2019): pixels that look at far pixels, in both networks, under spectral normalisation.

    python -m recipes.sagan                             handwritten digits, 200 epochs at 16 x 16
    python -m recipes.sagan --dataset fashion_mnist     clothes of 28 x 28, 20 epochs
    python -m recipes.sagan --dataset ring8             points on a ring, by dense networks

The figures: `run/attention.png`, the paper's Fig. 5: generated images, each with the places that five of its pixels
(marked) look at; `run/by_class.png`, a row for each class and one latent in each column.
"""

import keras
import numpy as np

import tfgan_zoo as tz

PAPER = "SAGAN, Zhang et al. 2019"
BUDGETS = {
    "digits": {"epochs": 200, "batch_size": 64, "width": 16, "image_size": 16},
    None: {"epochs": 20, "batch_size": 64, "width": 16},
}
ASKING = ((0.5, 0.5), (0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75))  # shares of height and width


def figures(model, run):
    """Attention maps and classes, where there are images, and the samples by epoch."""
    drawn = {"By epoch": run.by_epoch()}
    if len(model.image_shape) == 1:
        return drawn
    return {"Attention": attention(model, run.directory / "attention.png"), "By class": run.by_class(model)} | drawn


def attention(model, path, count=6):
    """Draw images, a marked pixel in each of the next columns, and where it looks; returns the path."""
    network = model.ema_network
    (layer,) = [layer for layer in network.layers if isinstance(layer, tz.layers.SelfAttention)]
    given = [model.draw_latents(count, seed=0), model.condition_for(count, None, 0)]
    images = np.asarray(network(given, training=False))
    maps = keras.Model(network.inputs, layer.input)(given, training=False)
    shares = np.asarray(layer.attention(maps))  # (count, asking pixels, pooled pixels)
    height, width = maps.shape[1:3]
    shown = [images]
    for down, right in ASKING:
        row, column = int(down * height), int(right * width)
        seen = shares[:, row * width + column].reshape(count, height // 2, width // 2, 1)
        seen = seen / seen.max(axis=(1, 2), keepdims=True)
        times = [side // part for side, part in zip(model.image_shape, seen.shape[1:3], strict=False)]
        seen = 2.0 * seen.repeat(times[0], axis=1).repeat(times[1], axis=2) - 1.0
        seen = np.repeat(seen, model.image_shape[-1], axis=-1)
        at = slice(2 * row, 2 * row + 2), slice(2 * column, 2 * column + 2)
        seen[:, at[0], at[1]] = 1.0
        shown.append(seen)
    rows = np.stack(shown, axis=1).reshape(-1, *model.image_shape)
    tz.pictures.save_labelled_grid(rows, path, len(shown), title="an image, and where five of its pixels look")
    return path


SHIPPED = tz.runs.FASHION | {"minutes": 12.0, "decay_from": 0.5}
main = tz.runs.recipe("sagan", PAPER, BUDGETS, figures, shipped=SHIPPED)

if __name__ == "__main__":
    tz.cli.run(main)
