"""RealNVP beside a flow of a peer, on grey images.         python -m benchmarks.flows --torch-python PATH

PATH is a Python that has torch and normflows (Stimper et al. 2023), whose image flow is Glow: as many scales and
couplings, with 1 x 1 convolutions between them. Both sides learn the same images in batches of 64 by Adam at 1e-3 for
as many CPU minutes, on one thread each, one after the other; levels get uniform noise below them, and the logit's
derivative counts. Printed are updates, and bits a dimension of the same test images.
"""

import json
import pathlib
import subprocess
import tempfile
import time
from typing import Annotated

import keras
import numpy as np
import tensorflow as tf
import typer

import tfgan_zoo as tz

PEER = pathlib.Path(__file__).with_name("flows_peer.py")


def ours(data, minutes, numbers):
    """Updates, parameters, CPU seconds and bits a dimension."""
    model = tz.create("realnvp", image_shape=data["train"].shape[1:], seed=0, **numbers)
    model.compile()
    begin = time.process_time()

    def stop_in_time(batch, logs=None):
        model.stop_training = time.process_time() - begin >= 60.0 * minutes

    limit = keras.callbacks.LambdaCallback(on_train_batch_end=stop_in_time)
    model.fit(data["train"], batch_size=64, epochs=1000, callbacks=[limit], verbose=0)
    seconds = time.process_time() - begin
    images = np.asarray(data["test"], "float32") / 127.5 - 1.0
    nats = float(
        np.mean(np.concatenate([np.asarray(model.log_prob(part, seed=1)) for part in np.array_split(images, 10)]))
    )
    bits = tz.metrics.bits_per_dim(nats, images[0].size, 256)
    parameters = sum(weight.shape.num_elements() for weight in map(tf.convert_to_tensor, model.flow.trainable_weights))
    return {"updates": int(model.step), "parameters": parameters, "cpu_s": seconds, "bits_per_dim": bits}


def main(
    torch_python: Annotated[str, typer.Option(help="A Python with torch and normflows.")],
    dataset: str = "fashion_mnist",
    minutes: Annotated[float, typer.Option(help="CPU minutes of each side.")] = 5.0,
    width: int = 32,
    peer_width: Annotated[int, typer.Option(help="Of its networks, which have two 3 x 3 layers for our three.")] = 48,
    num_test: int = 1000,
):
    """Print both sides."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    data = {"train": tz.data.arrays(dataset, "train")[0], "test": tz.data.arrays(dataset, f"test[:{num_test}]")[0]}
    found = {"tfgan_zoo, RealNVP": ours(data, minutes, {"width": width})}
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "data.npz"
        np.savez(path, **data)
        command = [torch_python, str(PEER), str(path), str(minutes), str(peer_width)]
        told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found["normflows, Glow"] = json.loads(told.stdout.splitlines()[-1])
    print(f"{dataset}, {len(data['train']):,} images, {minutes:g} CPU minutes, {num_test:,} test images, one seed")
    print(f"{'':<20} {'parameters':>10} {'updates':>8} {'CPU s':>6} {'bits/dim':>9}")
    for name, row in found.items():
        numbers = f"{row['parameters']:>10,} {row['updates']:>8,} {row['cpu_s']:>6.0f} {row['bits_per_dim']:>9.3f}"
        print(f"{name:<20} {numbers}")


if __name__ == "__main__":
    typer.run(main)
