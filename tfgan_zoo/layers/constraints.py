"""Constraints: where an optimizer's step may not lead."""

import math

import keras
from keras import ops

from tfgan_zoo.serialization import serializable


@serializable
class ClipWeights(keras.constraints.Constraint):
    """Puts every weight back into [-limit, limit] after each step, which bounds the slope of a critic.

    Arjovsky et al. 2017, Algorithm 1, line 7. They clip all of the critic's weights, so give it to biases as well as
    kernels. It is crude: most weights end on the limit, and `penalties.GradientPenalty` is what replaced it.

    Args:
        limit: largest magnitude of a weight, > 0; 0.01 in the paper.

    Raises:
        ValueError: if limit is not a positive number.
    """

    def __init__(self, limit=0.01):
        if not 0.0 < limit < math.inf:
            raise ValueError(f"limit={limit}: weights are clipped to [-limit, limit], limit > 0; the paper takes 0.01.")
        self.limit = limit

    def __call__(self, w):
        return ops.clip(w, -self.limit, self.limit)

    def get_config(self):
        return {"limit": self.limit}
