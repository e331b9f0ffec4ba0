"""Mode collapse: every objective on eight Gaussians in a ring and 25 in a grid, with dense networks of one size.

    python -m recipes.mode_collapse [--dataset ring8] [--only minimax,dragan]             it goes on where it was
In each toy's picture a row is an objective and a column a look at what it makes."""

import time
from pathlib import Path

import numpy as np
import typer
from keras.optimizers.schedules import CosineDecay
from rich.progress import track

import tfgan_zoo as tz

OUT, TOYS, BATCH, LOOKS = Path("exported/mode_collapse"), ("ring8", "grid25"), 250, (0, 1 / 15, 1 / 3, 2 / 3, 1)
COMMON, RATE = {"latent_dim": 2, "width": 128, "prior": tz.priors.Normal()}, 1e-3  # falls to zero along a cosine
LAB = {  # name: (zoo entry, what differs from COMMON, minibatch discrimination)
    "minimax": ("gan", {"objective": tz.objectives.MinimaxGAN()}, {}),
    "non-saturating": ("gan", {}, {}),
    "minibatch": ("gan", {"prior": tz.priors.Uniform()}, {"kernels": 5}),
    "relativistic": ("gan", {"objective": tz.objectives.RelativisticAverage()}, {}),
    "wgan": ("wgan", {"clip": 0.1, "n_critic": 5}, {}),
    "wgan_gp": ("wgan_gp", {"penalties": (tz.penalties.GradientPenalty(0.1),), "beta_1": 0.5, "n_critic": 2}, {}),
    "dragan": ("dragan", {"penalties": (tz.penalties.DRAGAN(1.0),), "n_critic": 2}, {}),
} | {entry: (entry, {}, {}) for entry in ("lsgan", "hinge_gan", "ebgan", "began")}
HEAD = "| objective | modes | high quality | steps | D per G | CPU s | entry and its own |\n" + "|---" * 7 + "|\n"


def train(toy, name, steps, seed):
    """The record of a model, and in it some of its points at each look, a share of the steps."""
    tz.runtime.setup(seed=seed)
    (entry, own, measures), nets, film, begin = LAB[name], tz.networks, [], time.process_time()
    of_g, of_d = (CosineDecay(RATE, steps * each) for each in (1, own.get("n_critic", 1)))
    gan = tz.create(entry, (2,), **COMMON | {"learning_rate": of_g, "discriminator_learning_rate": of_d} | own)
    if measures:  # no entry of the zoo, so its networks meet here
        body = nets.heads.after(nets.mlp.body((2,), COMMON["width"]), tz.layers.MinibatchDiscrimination(**measures))
        gan = tz.GAN.from_config(gan.get_config() | {"discriminator": nets.heads.discriminator(body)})
    gan.compile(steps_per_execution=20)  # the same weights to the last bit, and less of Keras between steps
    images = tz.data.load(toy, batch_size=BATCH * gan.updates_per_step, seed=seed).take(steps)
    for epochs in (round(share * -(-steps // len(images))) for share in LOOKS):
        gan.fit(images, initial_epoch=int(gan.step) // len(images), epochs=epochs, verbose=0)
        film.append(gan.generate(1000, seed=seed).astype("float16"))
    run = {"steps": int(gan.step), "n_critic": gan.updates_per_step, "train_cpu_s": round(time.process_time() - begin)}
    return run | tz.evaluate(gan, toy, seed=seed, floor=False, verbose=False) | {"film": np.stack(film).tobytes().hex()}


def report(path, records, steps):
    """Write the table, and the films as rows of one picture: generated points in orange over the data's in blue."""
    data, text, images = tz.data.arrays(path.name, split="test[:1000]")[0], HEAD, []
    edges = np.linspace(-1.3, 1.3, 101) * np.abs(data).max()
    for name, it in records.items():
        modes, good = (tz.metrics.records.score(it, of) for of in ("modes_covered", "high_quality"))
        own = ", ".join([LAB[name][0], *(f"{key}={value}" for key, value in (LAB[name][1] | LAB[name][2]).items())])
        text += f"| {name} | {modes} | {good:.1%} | {it['steps']} | {it['n_critic']} | {it['train_cpu_s']} | {own} |\n"
        for points in np.frombuffer(bytes.fromhex(it["film"]), "float16").reshape(len(LOOKS), -1, 2):
            real, made = (1 - 0.4 ** np.histogram2d(-c[:, 1], c[:, 0], edges)[0][..., None] for c in (data, points))
            images.append(np.kron(255 - (1 - made) * real * (224, 136, 75) - made * (0, 128, 241), np.ones((2, 2, 1))))
    columns = [f"step {share * steps:,.0f}" for share in LOOKS]
    tz.pictures.save_labelled_grid(np.uint8(images), path.with_suffix(".png"), len(LOOKS), list(records), columns)
    path.with_suffix(".md").write_text(text, encoding="utf-8")
    print(f"\n{path}\n{text}")


def main(dataset: str = "both", only: str = "", steps: int = 8000, seed: int = 0, out: Path = OUT, quiet: bool = False):
    """Train what is not there yet; write mode_collapse.json, and of each toy a table and a picture."""
    toys, names = TOYS if dataset == "both" else [dataset], only.split(",") if only else list(LAB)
    for wrong in [*({*toys} - {*TOYS}), *({*names} - {*LAB})]:
        raise typer.BadParameter(str(tz.errors.unknown("name", wrong, [*TOYS, "both", *LAB])))
    path, keys = out / "mode_collapse.json", [f"{toy} {name} {steps} {seed}" for toy in toys for name in names]
    found = tz.metrics.records.load(path) if path.exists() else {}
    for key in track([key for key in keys if key not in found], "Training", disable=quiet):
        tz.metrics.records.save(found := found | {key: train(*key.split()[:2], steps, seed)}, path)
    for toy in toys:
        report(out / toy, {name: found[key] for name in LAB if (key := f"{toy} {name} {steps} {seed}") in found}, steps)


if __name__ == "__main__":
    tz.cli.run(main)
