"""A web page that draws or translates with the .tflite of an export: demo/index.html, which reads the card above it."""

from tfgan_zoo.export.publishing import PAGE
from tfgan_zoo_serving import page


def write(new, facts, made):
    """Write the page, if a browser can run one of the files and draw what the model is fed.

    Args:
        new: directory of the files that were written.
        facts: what the card says of the model.
        made: format -> its entry.

    Returns:
        Whether it was written: only beside a .tflite of one image, of a model of images whose latents have a seed,
        or that translates.
    """
    if not page.can_draw(facts, made):
        return False
    (new / PAGE).mkdir()
    for path in sorted(page.SOURCE.glob("*.*")):
        (new / PAGE / path.name).write_bytes(path.read_bytes())
    return True
