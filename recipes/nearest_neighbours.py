"""Samples beside the training images nearest to them (Goodfellow et al. 2014): has a DCGAN memorised?

    python -m recipes.nearest_neighbours                                        handwritten digits, two minutes
    python -m recipes.nearest_neighbours --dataset fashion_mnist --epochs 3 --width 16

The display of the paper's Fig. 2, twice: in each row a sample, then its neighbours by Euclidean distance in pixels
(`run/nearest_pixels.png`), or in the features of the classifier, which minds a shift less (`run/nearest_features.png`;
Theis et al. 2016, Sec. 3.3). The scores compare the median distance from a sample to its nearest training image with
that from a test image, which no model has seen: `_ratio` is near 1 for samples as new as test images, near 0 for
copies; above 1 where samples are unlike any image.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "DCGAN, Radford et al. 2016, with its nearest neighbours"
BUDGETS = {
    "digits": {"epochs": 100, "width": 32, "image_size": 16},
    None: {"epochs": 10, "width": 32},
}
SHOWN, COUNT = 10, 360  # samples in a figure and in a score


def spaces(model, run):
    """Where distances are taken: name -> extractor, None for pixels."""
    dataset = run.config["dataset"]
    shipped = tz.metrics.distance_name(dataset) == "fd_classifier"
    return {"pixels": None} | ({"features": tz.metrics.classifier_for(dataset)} if shipped else {})


def scores(model, run):
    """Median distances to the nearest training image, of samples and of test images."""
    found, (real, _) = {}, run.test_images(COUNT)
    for name, extractor in spaces(model, run).items():
        for source, images in {"samples": model, "test_images": real}.items():
            near = tz.latents.nearest(images, run.config["dataset"], len(real), 1, extractor)
            found[f"nearest_{name}_{source}"] = float(np.median(near.distances))
        found[f"nearest_{name}_ratio"] = found[f"nearest_{name}_samples"] / found[f"nearest_{name}_test_images"]
    return found


def figures(model, run):
    """Samples and their neighbours, once for each kind of distance."""
    drawn = {f"Nearest in {name}": run.directory / f"nearest_{name}.png" for name in spaces(model, run)}
    for to, extractor in zip(drawn.values(), spaces(model, run).values(), strict=True):
        tz.latents.nearest(model, run.config["dataset"], SHOWN, extractor=extractor, to=to)
    return drawn


main = tz.runs.recipe("dcgan", PAPER, BUDGETS, figures, scores, shipped=None)

if __name__ == "__main__":
    tz.cli.run(main)
