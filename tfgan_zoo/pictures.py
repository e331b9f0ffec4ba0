"""What a person looks at: grids of images, scatters of points, films of training, curves."""

import math

import numpy as np

from tfgan_zoo import files, pixels

_SHORTEST_SIDE = 448  # pixels; small grids are enlarged by a whole factor, so that every pixel stays a square


def grid(images, columns=None):
    """One uint8 picture with the images in rows, left to right, on a thin white lattice.

    Args:
        images: (N, height, width, channels) float32 in [-1, 1], or uint8.
        columns: images in a row; None for a grid as square as N allows.

    Returns:
        uint8 array (rows * (height + 1) + 1, columns * (width + 1) + 1, channels).
    """
    images = np.asarray(images)
    if images.ndim != 4 or not len(images):
        raise ValueError(f"images has shape {images.shape}; a grid needs (N, height, width, channels) with N >= 1.")
    if images.dtype != np.uint8:
        images = np.asarray(pixels.to_uint8(images))
    count, height, width, channels = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    sheet = np.full((rows * columns, height + 1, width + 1, channels), 255, np.uint8)
    sheet[:count, 1:, 1:] = images
    sheet = sheet.reshape(rows, columns, height + 1, width + 1, channels).transpose(0, 2, 1, 3, 4)
    sheet = sheet.reshape(rows * (height + 1), columns * (width + 1), channels)
    return np.pad(sheet, ((0, 1), (0, 1), (0, 0)), constant_values=255)


def save_grid(images, path, columns=None, reference=None):
    """Save images as a PNG grid, or 2-D points as a scatter over the points of the data.

    Args:
        images: (N, height, width, channels) float32 in [-1, 1] or uint8; or points (N, 2).
        path: the PNG to write.
        columns: images in a row.
        reference: points of the data (M, 2), drawn underneath; only for points.
    """
    if np.ndim(images) == 2:
        return save_scatter(images, path, reference=reference)
    picture = _enlarged(grid(images, columns))
    with files.whole(path) as temporary:
        picture.save(temporary, format="PNG", optimize=True)


def _enlarged(sheet):
    from PIL import Image

    picture = Image.fromarray(sheet.squeeze(-1) if sheet.shape[-1] == 1 else sheet)
    factor = max(1, math.ceil(_SHORTEST_SIDE / min(picture.size)))
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)


def save_scatter(points, path, reference=None, title=None):
    """Save a scatter of generated points (orange) over the points of the data (blue).

    Args:
        points: (N, 2) generated, or a dict title -> (N, 2) for one panel each.
        path: the PNG to write.
        reference: (M, 2) data, which also fixes the window; None for no data.
        title: of a single panel.
    """
    panels = points if isinstance(points, dict) else {title or "": points}
    columns = min(3, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure, axes = _figure(columns=columns, rows=rows, width=3.6 * columns + 0.6, height=3.6 * rows + 0.6)
    for axis in axes.flat[len(panels) :]:
        axis.axis("off")
    for axis, (name, cloud) in zip(axes.flat, panels.items(), strict=False):
        cloud = np.asarray(cloud)
        if reference is not None:
            axis.scatter(*np.asarray(reference).T, s=5, c="tab:blue", alpha=0.45, linewidths=0, label="data")
        axis.scatter(*cloud.T, s=5, c="tab:orange", alpha=0.6, linewidths=0, label="generated")
        # one window for every panel and every picture of a film: the data's, with the origin, where clouds start
        seen = cloud if reference is None else np.concatenate([np.asarray(reference), np.zeros((1, 2))])
        low, high = np.nanmin(seen), np.nanmax(seen)
        margin = 0.1 * max(high - low, 1e-6)
        axis.set(xlim=(low - margin, high + margin), ylim=(low - margin, high + margin), aspect="equal", title=name)
    axes.flat[0].legend(loc="upper left", markerscale=3, framealpha=0.9)
    _save_figure(figure, path)


def save_curves(history, path):
    """Save one panel per quantity of a training history; a quantity and its validation twin share a panel.

    Args:
        history: list of rows, one an epoch: dicts name -> number, with "epoch" counted from 1. A row may lack a score.
        path: the PNG to write.
    """
    names = list(
        dict.fromkeys(name for row in history for name in row if name != "epoch" and not name.startswith("val_"))
    )
    names = [name for name in names if not name.endswith(("_floor", "_seconds"))]
    together = [[name for name in names if name.endswith("_loss")]] + [[n] for n in names if not n.endswith("_loss")]
    panels = [panel for panel in together if panel]
    if not panels:
        return
    figure, axes = _figure(columns=len(panels), rows=1, width=4.2 * len(panels), height=3.4)
    for axis, panel in zip(axes.flat, panels, strict=True):
        for name in panel:
            for label, style in ((name, "-"), (f"val_{name}", "--"), (f"{name}_floor", ":")):
                drawn = [(row["epoch"], row[label]) for row in history if row.get(label) is not None]
                if drawn:
                    axis.plot(*zip(*drawn, strict=True), style, marker="." if len(drawn) < 30 else None, label=label)
        axis.set(xlabel="epoch", title=panel[0] if len(panel) == 1 else "losses")
        axis.grid(alpha=0.3)
        axis.legend()
    _save_figure(figure, path)


def save_film(frames, path, seconds_each=0.25):
    """Save PNG files as an animated GIF that rests on its last frame.

    Args:
        frames: paths of the PNGs, in order.
        path: the GIF to write.
        seconds_each: how long a frame stands, in seconds.
    """
    from PIL import Image

    pictures = []
    for frame in frames:
        with Image.open(frame) as picture:
            pictures.append(picture.convert("L" if picture.mode == "L" else "RGB"))
    if not pictures:
        return
    durations = [int(1000 * seconds_each)] * (len(pictures) - 1) + [2000]
    with files.whole(path) as temporary:
        pictures[0].save(
            temporary,
            format="GIF",
            save_all=True,
            append_images=pictures[1:],
            duration=durations,
            loop=0,
            optimize=True,
        )


def save_strip(frames, path, columns=4):
    """Save several pictures side by side under their titles, such as one latent batch at chosen epochs.

    Args:
        frames: dict title -> path of a PNG.
        path: the PNG to write.
        columns: pictures in a row.
    """
    from matplotlib.image import imread

    columns = min(columns, len(frames))
    rows = math.ceil(len(frames) / columns)
    figure, axes = _figure(columns=columns, rows=rows, width=3.6 * columns, height=3.8 * rows)
    for axis in axes.flat:
        axis.axis("off")
    for axis, (title, frame) in zip(axes.flat, frames.items(), strict=False):
        axis.imshow(imread(frame), cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest")
        axis.set_title(title)
    _save_figure(figure, path)


def _figure(columns, rows, width, height):
    from matplotlib.figure import Figure  # without pyplot: no window, no global state

    figure = Figure(figsize=(width, height), layout="constrained", dpi=110)
    return figure, figure.subplots(rows, columns, squeeze=False)


def _save_figure(figure, path):
    with files.whole(path) as temporary:
        figure.savefig(temporary, format="png")
