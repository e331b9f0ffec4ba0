"""A web page that draws with the exported generator: demo/index.html, which reads the card and the .tflite above it."""

import pathlib

from tfgan_zoo.export import litert
from tfgan_zoo.export.publishing import PAGE

_SOURCE = pathlib.Path(__file__).parent / "demo"


def write(new, facts, made):
    """Write the page, if a browser can run one of the files and draw what the model is fed.

    Args:
        new: directory of the files that were written.
        facts: what the card says of the model.
        made: format -> its entry.

    Returns:
        Whether it was written: only beside a .tflite of one image, of a model of images whose latents have a seed.
    """
    single = any(litert.VARIANTS[name].batch == 1 for name in made if name in litert.VARIANTS)
    if not (single and facts["seeded"] and len(facts["image_shape"]) == 3):
        return False
    (new / PAGE).mkdir()
    for path in sorted(_SOURCE.iterdir()):
        (new / PAGE / path.name).write_bytes(path.read_bytes())
    return True
