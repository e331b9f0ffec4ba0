"""One paper a file: its data, its budget and its figures, over the numbers that stand in `tfgan_zoo.zoo`."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's own chatter at start; errors still show
