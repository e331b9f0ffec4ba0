"""The grid that a convolutional network begins or ends with, and how often it is doubled to the size of the image."""

LONGEST = 256  # pixels of a side of images that are not square
LARGEST = 11  # cells of the shorter side of their grid


def sizes(doublings):
    """Sides of square images: a grid of 4 to 7 doubled so many times, up to 128.

    Args:
        doublings: iterable of how often a grid may be doubled.
    """
    return tuple(sorted(base * 2**times for base in (4, 5, 6, 7) for times in doublings if base * 2**times <= 128))


def plan(image_shape, sizes, *, base=7, least=1, name):
    """The grid of an image shape: both sides are halved while they are even and the shorter is above `base`.

    Args:
        image_shape: (height, width, channels).
        sizes: the sides that square images may have.
        base: cells of the shorter side that are few enough.
        least: doublings that the network needs.
        name: of the network, for messages.

    Returns:
        ((rows, columns), doublings): 28 x 28 is (7, 7) doubled twice, 96 x 64 is (6, 4) doubled 4 times.

    Raises:
        ValueError: if there is no such grid, with the nearest sizes that have one.
    """
    if len(image_shape) != 3:
        raise ValueError(
            f"image_shape={tuple(image_shape)}: the {name} networks make images, (height, width, channels). "
            "For points take networks.mlp."
        )
    height, width = image_shape[:2]
    if _allowed(height, width, sizes, base, least):
        return _grid(height, width, base)
    if height == width:
        nearest = min(sizes, key=lambda size: abs(size - height))
        raise ValueError(
            f"image_shape={tuple(image_shape)}: the {name} networks make square images of "
            f"{', '.join(map(str, sizes))} pixels; the nearest is {nearest} x {nearest}."
        )
    near = " and ".join(f"{rows} x {columns}" for rows, columns in _nearest(height, width, sizes, base, least))
    raise ValueError(
        f"image_shape={tuple(image_shape)}: the {name} networks double a small grid, which does not give "
        f"{height} x {width}; the nearest sizes are {near}: load images with image_size=(height, width) and "
        "resize='crop' or 'pad'."
    )


def _grid(height, width, base):
    doublings = 0
    while min(height, width) > base and height % 2 == width % 2 == 0:
        height, width, doublings = height // 2, width // 2, doublings + 1
    return (height, width), doublings


def _allowed(height, width, sizes, base, least):
    if height == width:
        return height in sizes
    grid, doublings = _grid(height, width, base)
    return max(height, width) <= LONGEST and 4 <= min(grid) <= LARGEST and doublings >= least


def _nearest(height, width, sizes, base, least):
    """The nearest allowed sizes: one within the image, to crop it to, and one around it, to pad it to."""
    sides = range(4, LONGEST + 1, 2)
    allowed = [(rows, columns) for rows in sides for columns in sides if _allowed(rows, columns, sizes, base, least)]
    smaller = [size for size in allowed if size[0] <= height and size[1] <= width]
    larger = [size for size in allowed if size[0] >= height and size[1] >= width]

    def distance(size):
        return abs(size[0] - height) + abs(size[1] - width)

    return [min(group, key=distance) for group in (smaller, larger) if group]
