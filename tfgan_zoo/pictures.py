"""What a person looks at: grids of images, scatters of points, films of training, curves."""

import io
import math

import numpy as np

from tfgan_zoo import errors, files, pixels

_SHORTEST_SIDE = 448  # pixels; small grids are enlarged by a whole factor, so that every pixel stays a square
_LONGEST_SIDE = 800  # of a grid between titles, likewise, where it has only a few rows or columns
_PANEL_SIDE = 540  # of one of several grids
_GAP = 30  # pixels between panels
_DPI = 110


def new_figure(width, height, rows=1, columns=1, **options):
    """A figure like all others here, without a window, and its axes.

    Args:
        width, height: of the figure, inches.
        rows, columns: of axes.
        **options: of Matplotlib's `Figure.subplots`, such as `sharex=True`.

    Returns:
        The figure, and what `subplots` gives: one axis, or an array of them.
    """
    from matplotlib.figure import Figure  # without pyplot: no window, no global state

    figure = Figure(figsize=(width, height), layout="constrained", dpi=_DPI)
    return figure, figure.subplots(rows, columns, **options)


def save_figure(figure, path, **options):
    """Save a figure as a PNG without transparency, and in grey if it has no colour: the same pixels in half the bytes.

    Args:
        figure: of Matplotlib.
        path: the PNG to write, whole or not at all.
        **options: of Matplotlib's `Figure.savefig`, such as `bbox_inches="tight"`.
    """
    from PIL import Image

    figure.savefig(drawn := io.BytesIO(), format="png", **options)
    picture = Image.open(drawn).convert("RGB")
    grey = picture.convert("L")
    has_colour = picture.tobytes() != grey.convert("RGB").tobytes()
    with files.atomic_write(path) as temporary:
        (picture if has_colour else grey).save(temporary, format="PNG", optimize=True)


def plain_ticks(axis):
    """Write 1, 2, 5, 10, 20 ... along a logarithmic axis, such as `axes.xaxis`, and no powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def grid(images, columns=None):
    """One uint8 picture with the images in rows, left to right, on a thin white lattice.

    Args:
        images: (N, height, width, channels) float32 in [-1, 1], integers from 0 to 255, or booleans.
        columns: images in a row; None for a grid as square as N allows.

    Returns:
        uint8 array (rows * (height + 1) + 1, columns * (width + 1) + 1, channels).
    """
    images = np.asarray(images)
    if images.ndim != 4 or not len(images):
        raise ValueError(f"images has shape {images.shape}; a grid needs (N, height, width, channels) with N >= 1.")
    images = pixels.shown(images)
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
    with files.atomic_write(path) as temporary:
        picture.save(temporary, format="PNG", optimize=True)


def save_labelled_grid(images, path, columns, row_titles=None, column_titles=None, title=None):
    """Save images as a PNG grid with a word beside each row or above each column: classes, values of a code.

    Args:
        images: (N, height, width, channels) float32 in [-1, 1], or uint8.
        path: the PNG to write.
        columns: images in a row.
        row_titles: one for each row, or None.
        column_titles: one for each column, or None.
        title: above the grid, or None.

    Raises:
        ValueError: if there are more or fewer titles than rows or columns.
    """
    rows = math.ceil(len(images) / columns)
    for name, titles, count in (("row", row_titles, rows), ("column", column_titles, columns)):
        if titles is not None and len(titles) != count:
            raise ValueError(f"{name}_titles has {len(titles)} of them, but the grid has {count} {name}s.")
    figure = _blank()
    axis, width, height = _draw_sheet(figure, grid(images, columns), _LONGEST_SIDE)
    if title is not None:
        axis.set_title(title, pad=10)
    if row_titles is not None:
        axis.set_yticks((np.arange(rows) + 0.5) * height / rows, row_titles)
    if column_titles is not None:
        axis.set_xticks((np.arange(columns) + 0.5) * width / columns, column_titles)
        if max(label.get_window_extent().width for label in axis.get_xticklabels()) > 0.9 * width / columns:
            for label in axis.get_xticklabels():
                label.set(rotation=45, rotation_mode="anchor", ha="left", va="center")
    _place(figure, [(axis, width, height)])
    save_figure(figure, path, bbox_inches="tight")


def save_panels(panels, path):
    """Save several grids side by side under their titles, such as traversals of two models.

    Args:
        panels: dict title -> (images, columns), as for `save_grid`.
        path: the PNG to write.

    Raises:
        ValueError: if there is no panel.
    """
    if not panels:
        raise ValueError("panels is empty: give at least one title with (images, columns).")
    figure = _blank()
    placed = []
    for title, (images, columns) in panels.items():
        axis, width, height = _draw_sheet(figure, grid(images, columns), _PANEL_SIDE)
        axis.set_title(title, pad=10)
        placed.append((axis, width, height))
    _place(figure, placed)
    save_figure(figure, path, bbox_inches="tight")


def _blank():
    from matplotlib.figure import Figure

    return Figure(dpi=_DPI)


def _draw_sheet(figure, sheet, longest_side):
    """Axes that show a grid, enlarged by a whole factor, with the width and height they need, in pixels."""
    factor = math.ceil(longest_side / max(sheet.shape[:2]))
    sheet = sheet.repeat(factor, axis=0).repeat(factor, axis=1)
    sheet = np.broadcast_to(sheet, (*sheet.shape[:2], 3)) if sheet.shape[2] == 1 else sheet  # a grey map would round
    height, width, _ = sheet.shape
    axis = figure.add_axes((0, 0, 1, 1), label=str(len(figure.axes)))
    axis.imshow(sheet, interpolation="none", extent=(0, width, height, 0), aspect="auto")
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0, pad=3, top=False, labeltop=True, bottom=False, labelbottom=False)
    axis.set(xticks=[], yticks=[])
    return axis, width, height


def _place(figure, placed):
    """Put axes side by side, their tops level, one pixel of a grid on one of the PNG, with room for every title."""
    rooms = [max(width, math.ceil(axis.title.get_window_extent().width)) for axis, width, _ in placed]
    whole_width = sum(rooms) + _GAP * (len(placed) - 1)
    whole_height = max(height for *_, height in placed)
    figure.set_size_inches(whole_width / _DPI, whole_height / _DPI)
    left = 0
    for (axis, width, height), room in zip(placed, rooms, strict=True):
        start = left + (room - width) // 2
        axis.set_position((start / whole_width, 1 - height / whole_height, width / whole_width, height / whole_height))
        left += room + _GAP


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
    figure, axes = new_figure(3.6 * columns + 0.6, 3.6 * rows + 0.6, rows, columns, squeeze=False)
    for axis in axes.flat[len(panels) :]:
        axis.axis("off")
    for axis, (name, cloud) in zip(axes.flat, panels.items(), strict=False):
        cloud = np.asarray(cloud)
        if reference is not None:
            axis.scatter(*np.asarray(reference).T, s=5, c="tab:blue", alpha=0.45, linewidths=0, label="data")
        size = 5 if len(cloud) > 100 else 30  # a few points are still to be seen
        axis.scatter(*cloud.T, s=size, c="tab:orange", alpha=0.6, linewidths=0, label="generated")
        # one window for every panel and every picture of a film: the data's, with the origin, where clouds start
        seen = cloud if reference is None else np.concatenate([np.asarray(reference), np.zeros((1, 2))])
        low, high = np.nanmin(seen), np.nanmax(seen)
        margin = 0.1 * max(high - low, 1e-6)
        axis.set(xlim=(low - margin, high + margin), ylim=(low - margin, high + margin), aspect="equal", title=name)
    axes.flat[0].legend(loc="upper left", markerscale=3, framealpha=0.9)
    save_figure(figure, path)


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
    figure, axes = new_figure(4.2 * len(panels), 3.4, 1, len(panels), squeeze=False)
    for axis, panel in zip(axes.flat, panels, strict=True):
        for name in panel:
            for label, style in ((name, "-"), (f"val_{name}", "--"), (f"{name}_floor", ":")):
                drawn = [(row["epoch"], row[label]) for row in history if row.get(label) is not None]
                if drawn:
                    axis.plot(*zip(*drawn, strict=True), style, marker="." if len(drawn) < 30 else None, label=label)
        axis.set(xlabel="epoch", title=panel[0] if len(panel) == 1 else "losses")
        axis.grid(alpha=0.3)
        axis.legend()
    save_figure(figure, path)


def save_against(history, left, right, path):
    """Save two quantities of a training history by epoch, each on an axis of its own, such as loss against quality.

    Args:
        history: list of rows, one an epoch: dicts name -> number, with "epoch" counted from 1. A row may lack a score.
        left, right: names of the quantities with the left and the right axis.
        path: the PNG to write.

    Raises:
        ValueError: if no row has one of the two.
    """
    from matplotlib.ticker import MaxNLocator

    figure, axis = new_figure(6.4, 3.8)
    axis.set_xlabel("epoch")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.grid(alpha=0.3)
    for name, side, colour in ((left, axis, "tab:blue"), (right, axis.twinx(), "tab:orange")):
        drawn = [(row["epoch"], row[name]) for row in history if row.get(name) is not None]
        if not drawn:
            raise errors.unknown("quantity", name, {key for row in history for key in row} - {"epoch"})
        side.plot(*zip(*drawn, strict=True), marker="." if len(drawn) < 30 else None, color=colour)
        side.set_ylabel(name, color=colour)
        side.tick_params(axis="y", labelcolor=colour)
    save_figure(figure, path)


def save_lines(panels, path, xlabel="", ylabel="", log=False, shared=False, columns=3):
    """Save curves of one quantity against another, in panels under their titles, such as theory and estimate.

    Args:
        panels: dict title -> dict label -> (x, y), or (x, y, format) with Matplotlib's short format, such as "--" or
            "o". Values that are not finite are left out of a curve; one labelled "" is left out of the legend.
        path: the PNG to write.
        xlabel, ylabel: the words at the axes of every panel.
        log: True for powers of ten upwards.
        shared: True for one window in all panels.
        columns: panels in a row.

    Raises:
        ValueError: if there is no panel.
    """
    figure, cells = _panels(panels, columns, width=4.4, height=3.5, sharex=shared, sharey=shared)
    for axis, (title, curves) in cells:
        for label, (x, y, *style) in curves.items():
            axis.plot(x, y, *style, label=label, markersize=5, linewidth=1.5)
        axis.set(title=title, xlabel=xlabel, ylabel=ylabel, yscale="log" if log else "linear")
        axis.locator_params(axis="x", nbins=7)  # or the numbers below touch each other
        axis.grid(alpha=0.3)
        if any(curves):
            axis.legend()
    save_figure(figure, path)


def save_fields(panels, path, xlabel="", ylabel="", columns=4):
    """Save vector fields in the plane with a trajectory over each, such as how two players move in a game.

    Args:
        panels: dict title -> (points, arrows, trajectory): (N, 2) places, the (N, 2) vectors there, and (T, 2) places
            in their order, drawn from a dot to a cross. The window holds the points; an arrow's length is as the root
            of its vector's, and each panel's longest is as long.
        path: the PNG to write.
        xlabel, ylabel: the words at the axes of every panel.
        columns: panels in a row.

    Raises:
        ValueError: if there is no panel.
    """
    figure, cells = _panels(panels, columns, width=3.2, height=3.3)
    for axis, (title, (points, arrows, trajectory)) in cells:
        points, arrows, trajectory = (np.asarray(places, float) for places in (points, arrows, trajectory))
        low, high = points.min(axis=0), points.max(axis=0)
        apart = math.sqrt(np.prod(high - low) / len(points))
        roots = np.sqrt(np.linalg.norm(arrows, axis=1, keepdims=True))
        drawn = np.divide(arrows, roots, out=np.zeros_like(arrows), where=roots > 0)
        scale = max(roots.max(), 1e-12) / apart
        axis.quiver(*points.T, *drawn.T, color="0.5", width=0.004, angles="xy", scale_units="xy", scale=scale)
        axis.plot(*trajectory.T, color="tab:orange", linewidth=1.2)
        axis.plot(*trajectory[0], "o", color="tab:blue", markersize=6)
        axis.plot(*trajectory[-1], "X", color="tab:red", markersize=8)
        window = {"xlim": (low[0] - apart, high[0] + apart), "ylim": (low[1] - apart, high[1] + apart)}
        axis.set(title=title, xlabel=xlabel, ylabel=ylabel, aspect="equal", **window)
    save_figure(figure, path)


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
    with files.atomic_write(path) as temporary:
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
    figure, axes = new_figure(3.6 * columns, 3.8 * rows, rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, (title, frame) in zip(axes.flat, frames.items(), strict=False):
        axis.imshow(imread(frame), cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest")
        axis.set_title(title)
    save_figure(figure, path)


def _panels(panels, columns, width, height, **shared):
    """A figure with room for every panel, and pairs of its axes with the items of `panels`."""
    if not panels:
        raise ValueError("panels is empty: give at least one title and what stands under it.")
    columns = min(columns, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure, axes = new_figure(width * columns, height * rows, rows, columns, squeeze=False, **shared)
    for axis in axes.flat[len(panels) :]:
        axis.axis("off")
    return figure, zip(axes.flat, panels.items(), strict=False)
