"""Directions in which a generator's images change most, without labels: in its weights, or in its activations."""

import keras
import numpy as np

from tfgan_zoo import errors
from tfgan_zoo.latents import drawing


def closed_form_directions(model, count=None):
    """The directions that the first dense layer stretches most: the leading eigenvectors of its AᵀA.

    Shen & Zhou 2021 (SeFa), Eq. 5. Where the latent reaches the layer beside a label, or only in part, A is the map
    from latents alone.

    Args:
        model: a GAN, whose averaged generator leads latents linearly to a dense layer.
        count: how many, at most latent_dim; None for so many.

    Returns:
        float32 array (count, latent_dim) of orthonormal rows, the strongest first; each points to where its largest
        coordinate is positive.

    Raises:
        ValueError: if there is no generator, or no dense layer reads the latents linearly.
    """
    count = _checked(count, drawing.width_of(model))
    layer = _first_reader(model, lambda layer: _dense_of(layer) is not None)
    if layer is None:
        raise ValueError(
            f"No dense layer of {model.name}'s generator reads its latents linearly: take tz.latents.pca_directions."
        )
    matrix = _way_to(layer, model) @ np.asarray(_dense_of(layer).kernel, "float64")  # rows are latents: this is Aᵀ
    values, vectors = np.linalg.eigh(matrix @ matrix.T)
    return _signed(vectors[:, np.argsort(values)[::-1][:count]].T)


def pca_directions(model, count=None, layer=None, num_latents=2000, labels=None, seed=0):
    """The directions along which a layer's principal components move.

    Härkönen et al. 2020 (GANSpace), Sec. 2.2: activations of many latents, their principal components x, and the
    vectors U that minimise the sum of |U x - z|².

    Args:
        model: a GAN.
        count: how many, at most latent_dim and the layer's width; None for so many.
        layer: name of a layer of the averaged generator; None for the first one with weights that the latents reach.
        num_latents: drawn to see the activations, more than the layer's components that are asked for.
        labels: (num_latents,) for a conditional model; None draws them from the seed.
        seed: integer, of the latents.

    Returns:
        float32 array (count, latent_dim) of rows of length 1, the component with the largest variance first; each
        points to where its largest coordinate is positive.

    Raises:
        ValueError: if there is no generator or no such layer, or count, num_latents or labels are none of these.
    """
    from sklearn.decomposition import PCA

    width = drawing.width_of(model)
    if count is not None:
        _checked(count, width)
    if drawing.count_of("num_latents", num_latents) <= width:
        raise ValueError(f"num_latents={num_latents}: {width} coordinates need more latents than that.")
    condition = drawing.condition_of(model, num_latents, labels, seed)
    latents = drawing.latents_drawn(model, num_latents, seed)
    seen = keras.Model(_generator(model).inputs, _layer(model, layer).output)
    activations = np.asarray(seen.predict(_inputs(latents, condition), batch_size=256, verbose=0))
    activations = activations.reshape(num_latents, -1)
    count = _checked(count, min(width, activations.shape[1]))
    components = PCA(count, random_state=seed).fit_transform(activations)
    vectors, *_ = np.linalg.lstsq(components, latents - latents.mean(0), rcond=None)
    return _signed(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))


def _generator(model):
    """The averaged generator, whose layers are looked into."""
    network = getattr(model, "ema_network", None)
    if network is None:
        raise ValueError(f"{model.name} has no generator to look into: these directions are those of a GAN.")
    return network


def _inputs(latents, condition):
    return latents if condition is None else [latents, condition]


def _layer(model, name):
    network = _generator(model)
    if name is None:
        return _first_reader(model, lambda layer: layer.weights, linear=False)
    names = [layer.name for layer in network.layers]
    if name not in names:
        raise errors.unknown(f"layer of {model.name}'s generator", name, names)
    return network.get_layer(name)


def _first_reader(model, wanted, linear=True):
    """The first wanted layer in a generator's order that latents reach; linearly, if that is asked for."""
    for layer in _generator(model).layers:
        if wanted(layer) and (
            _way_to(layer, model) is not None if linear else np.ptp(_seen(layer, model), axis=0).any()
        ):
            return layer
    return None


def _way_to(layer, model):
    """The matrix (latent_dim, width) that leads latents to a dense layer's input; None where it is none."""
    size, drawn = model.latent_dim, np.asarray(model.draw_latents(3, 0))
    points = np.concatenate([np.zeros((1, size)), np.eye(size), drawn]).astype("float32")
    start, *steps = _seen(layer, model, points)
    if start.ndim != 1:
        return None
    matrix, reached = np.stack(steps[:size]) - start, np.stack(steps[size:])
    linear = np.allclose(start + drawn @ matrix, reached, atol=1e-4 * np.abs(reached).max())
    return matrix if linear and matrix.any() else None


def _seen(layer, model, latents=None):
    """A layer's input for latents beside one and the same condition."""
    latents = np.asarray(model.draw_latents(3, 0) if latents is None else latents)
    condition = drawing.repeated(drawing.condition_of(model, 1, None, 0), len(latents))
    seen = keras.Model(_generator(model).inputs, layer.input)(_inputs(latents, condition), training=False)
    return np.asarray(seen, "float64")


def _dense_of(layer):
    """A dense layer itself, or the one that a wrapper such as `layers.SpectralNorm` holds; None for any other."""
    layer = getattr(layer, "layer", layer)
    return layer if isinstance(layer, keras.layers.Dense) else None


def _checked(count, most):
    """How many directions: as many as there are, unless it is said."""
    count = most if count is None else drawing.count_of("count", count)
    if count > most:
        raise ValueError(f"count={count}: there are no more than {most} directions.")
    return count


def _signed(rows):
    """An eigenvector is one up to its sign: with the largest coordinate positive, it is the same on every machine."""
    largest = np.take_along_axis(rows, np.abs(rows).argmax(1)[:, None], 1)
    return (rows * np.where(largest < 0, -1.0, 1.0)).astype("float32")
