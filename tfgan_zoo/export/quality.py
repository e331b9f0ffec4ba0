"""Whether a quantised generator is as good as the one it was made from, where that can be said."""

import numpy as np

from tfgan_zoo import metrics
from tfgan_zoo_serving import ExportedGenerator, runtimes

NUM_IMAGES = 2000
ALLOWED = 1.05  # times the Fréchet distance of float32, from the same latents
LARGEST = 0.5  # difference of a number in an image from -1 to 1, a quarter of its range: beyond it a score has to speak


class Gate:
    """The Fréchet distance of each format to the data that the model was scored on (Heusel et al. 2017).

    Args:
        facts: what the card says of the model.
        scores: the record of its evaluation, or None.
        float32: anything with `.stream`, the generator as it is in float32.
    """

    def __init__(self, facts, scores, float32):
        self.facts, self.float32 = facts, float32
        protocol = (scores or {}).get("protocol") or {}
        named = protocol.get("content") is None  # else it is a folder, or an array, of whatever name
        self.reference, self.split = protocol.get("reference") if named else None, protocol.get("split") or "test"
        self._before = None

    def check(self, name, entry, path):
        """Say of a format whether it can be recommended: by its score, or where the data is not known or has no
        extractor, None unless it is plainly another generator.

        Args:
            name: of the format.
            entry: of the format in the card; it is given "recommended", and "quality" where it was measured.
            path: of its file.
        """
        if not self._is_known():
            entry["recommended"] = False if entry["parity"]["max_abs_diff"] > LARGEST else None
            return
        if self._before is None:
            self._before = self._distance(self.float32)
        key, before = self._before
        after = self._distance(ExportedGenerator(self.facts, runtimes.load(name, path), name))[1]
        ratio = after / before
        entry["quality"] = {key: after, f"{key}_float32": before, "ratio": ratio}
        entry["recommended"] = bool(np.isfinite(ratio) and ratio <= ALLOWED)

    def _is_known(self):
        try:
            return self.facts["seeded"] and metrics.distance_name(self.reference) is not None
        except (ValueError, TypeError, OSError):  # scored on arrays, or on a folder that is gone
            return False

    def _distance(self, source):
        wanted = {"metrics": "fd", "num_images": NUM_IMAGES, "split": self.split}
        record = metrics.evaluate(source, self.reference, **wanted, verbose=False, floor=False)
        return next((name, value) for name, value in record["scores"].items() if name.startswith("fd_"))
