#!/usr/bin/env bash
# A newcomer's walk by commands alone, in an empty folder: draw, look at own pictures, train, score, export, load elsewhere.
#   benchmarks/walk.sh [path of tfgan-zoo] [path of a python that has TensorFlow]
# It ends with status 0 if every step did what it says; each step's time is printed.
set -euo pipefail
zoo=${1:-tfgan-zoo} python=${2:-python3}
room=$(mktemp -d) && cd "$room"
step() { echo "== $*"; local begin=$SECONDS; "$@"; echo "   $((SECONDS - begin)) s"; }

step "$zoo" list "cgan*"
step "$zoo" generate cgan_digits -n 100 --seed 1 --out digits.png
"$python" - <<'PYTHON'
import pathlib, numpy as np
from PIL import Image
random = np.random.default_rng(0)
pathlib.Path("photographs").mkdir()
for number in range(200):  # JPEGs of several sizes: a bright disc on a dark ground
    height, width = random.integers(40, 90, 2)
    y, x = np.mgrid[:height, :width]
    disc = (y - height / 2) ** 2 + (x - width / 2) ** 2 < random.uniform(8, 16) ** 2
    image = np.where(disc[..., None], random.integers(150, 255, 3), random.integers(0, 90, 3)).astype("uint8")
    Image.fromarray(image).save(f"photographs/{number:03d}.jpg")
PYTHON
step "$zoo" data check photographs/ --image-size 16 || [ $? -eq 1 ]
step "$zoo" train dcgan --data photographs/ --image-size 16 --width 8 --epochs 3 --out mine --quiet
step "$zoo" evaluate mine --data photographs/
step "$zoo" doctor mine
step "$zoo" export mine --formats saved_model,tflite --out served
step "$zoo" verify served
step "$zoo" generate served -n 16 --seed 1 --out sixteen.png
"$python" - <<'PYTHON'
import sys
for name in ("keras", "tfgan_zoo", "tfgan_zoo_serving"):
    sys.modules[name] = None  # plain TensorFlow, nothing else
import pathlib, tensorflow as tf
(version,) = (path for path in pathlib.Path("served").iterdir() if path.name.isdigit())
images = tf.saved_model.load(str(version)).signatures["sample"](num_images=tf.constant(4), seed=tf.constant(1))["images"]
assert images.shape == (4, 16, 16, 3), images.shape
print("plain TensorFlow drew", images.shape)
PYTHON
! "$zoo" generate cgan_digts 2> told || exit 1
cat told && grep -q "Did you mean 'cgan_digits'" told
echo "The walk is done: $room"
