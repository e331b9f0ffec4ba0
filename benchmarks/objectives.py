"""Every objective on Fashion-MNIST with the same CPU seconds of training.

    python -m benchmarks.objectives --minutes 20                 four hours in all; it can be stopped and goes on
    python -m benchmarks.objectives --seed 1 --only non-saturating,wgan_gp          further rows of the same table

Data, seed and budget are the same; update rules are each paper's, the networks DCGAN's of one width but for BEGAN's and
those of the papers from `r3gan` on, in sizes that a CPU trains thousands of steps. A model
is scored every two CPU minutes against 5,000 training images, off the clock, and the lowest of those scores is its
best; what is reported is 10,000 images against the 10,000 of the test split. A higher `--minutes` prolongs what is
there. Written: objectives.md, objectives.json and a grid of each, objectives/*.png, beside this file.
"""

import pathlib
import time

import keras
import numpy as np
import typer

import tfgan_zoo as tz

HERE = pathlib.Path(__file__).parent
CHUNK_S = 10.0  # CPU seconds of training between two looks at the clock, about
LOOK_S = 120.0  # CPU seconds of training between two scores
LAZY = (tz.penalties.R1(0.05, every=4), tz.penalties.R2(0.05, every=4))
SMALL = {"width": 16, "channel_max": 64}  # of networks whose maps grow in number as they shrink: 64, 32 and 16
R3 = {"blocks": 1, "learning_rate": 1e-3, "penalties": LAZY}
GROWN = {"phase_steps": 500}  # of about 4,000
PLAIN = {"path_length": None, "style_mixing": 0.0}  # as the paper's network for CIFAR-10
CONTENDERS = {  # name: (zoo entry, its keywords, images of one update)
    "minimax": ("dcgan", {"objective": tz.objectives.MinimaxGAN()}, 64),
    "non-saturating": ("dcgan", {}, 64),
    "lsgan": ("lsgan", {}, 64),
    "wgan": ("wgan", {}, 64),
    "wgan_gp": ("wgan_gp", {}, 64),
    "dragan": ("dragan", {}, 64),
    "ebgan": ("ebgan", {}, 64),
    "began": ("began", {}, 16),
    "hinge": ("hinge_gan", {}, 64),
    "cgan": ("cgan", {}, 64),
    "acgan": ("acgan", {}, 64),
    "infogan": ("infogan", {}, 64),
    "relativistic": ("dcgan", {"objective": tz.objectives.Relativistic(), "penalties": LAZY}, 64),
    "r3gan": ("r3gan", SMALL | R3, 64),
    "conditional_r3gan": ("conditional_r3gan", SMALL | R3, 64),
    "sagan": ("sagan", {"width": 16}, 64),
    "biggan": ("biggan", {"width": 16, "learning_rate": 2e-4}, 64),
    "progressive_gan": ("progressive_gan", SMALL | GROWN, 64),
    "stylegan": ("stylegan", SMALL | GROWN, 64),
    "stylegan2": ("stylegan2", SMALL, 64),
    "stylegan2_ada": ("stylegan2_ada", SMALL | PLAIN, 64),
    "conditional_stylegan2_ada": ("conditional_stylegan2_ada", SMALL | PLAIN, 64),
}


class Contender:
    """A model with its clock and its best scores, kept in a directory from which it goes on."""

    def __init__(self, name, width, seed, split, directory):
        entry, overrides, batch_size = CONTENDERS[name]
        tz.runtime.setup(seed=seed)
        self.name, self.directory = name, directory
        self.model = tz.create(entry, (28, 28, 1), **{"width": width} | overrides)
        self.model.compile()
        self.batch_size = batch_size
        self.images = tz.data.load("fashion_mnist", split, batch_size=batch_size * self.model.n_critic, seed=seed)
        self.state = {"cpu_s": 0.0, "batches": 0, "looks": [], "best": None}
        self.warm()
        if (directory / "state.json").exists():
            self.state = tz.metrics.records.load(directory / "state.json")
            self.model.load_weights(directory / "last.keras")

    def warm(self):
        """Trace the step on a copy's behalf: compiling is not training."""
        start = self.model.get_weights()
        optimizers = (self.model.generator_optimizer, self.model.discriminator_optimizer)
        slots = [optimizer.variables for optimizer in optimizers]
        kept = [[variable.numpy() for variable in variables] for variables in slots]
        self.model.fit(self.images.take(2), verbose=0)
        self.model.set_weights(start)
        for variables, values in zip(slots, kept, strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)

    def train(self, seconds):
        """Fit, chunk by chunk, for about so many CPU seconds."""
        until, chunk = self.state["cpu_s"] + seconds, 8
        while self.state["cpu_s"] < until:
            epoch, at = divmod(self.state["batches"], len(self.images))
            part = self.images.skip(at).take(chunk)
            begin = time.process_time()
            self.model.fit(part, initial_epoch=epoch, epochs=epoch + 1, verbose=0)
            spent = time.process_time() - begin
            self.state["cpu_s"] += spent
            self.state["batches"] += min(chunk, len(self.images) - at)
            left = min(CHUNK_S, until - self.state["cpu_s"])
            chunk = max(4, int(min(chunk, len(self.images) - at) / spent * left))

    def look(self):
        """Score against training images, and keep the weights if they are the best so far."""
        record = scored(self.model, 5000, "train")
        found = tz.metrics.records.score(record, "fd_classifier")
        self.state["looks"].append([round(self.state["cpu_s"], 1), found])
        self.directory.mkdir(parents=True, exist_ok=True)
        if self.state["best"] is None or found < self.state["best"]:
            self.state["best"] = found
            self.model.save(self.directory / "best.keras")
        self.model.save(self.directory / "last.keras")
        tz.metrics.records.save(self.state, self.directory / "state.json")
        print(f"{self.name:15s} {self.state['cpu_s']:6.0f} CPU s  fd {found:.2f}", flush=True)

    def report(self):
        """Test scores of the last and the best look; the model holds the best afterwards."""
        last = scored(self.model, 10_000, "test")
        self.model.load_weights(self.directory / "best.keras")
        best = scored(self.model, 10_000, "test")
        steps = int(keras.models.load_model(self.directory / "last.keras").step)
        images = self.model.generate(2000, seed=1)
        return {
            "steps": steps,
            "critic_steps": steps * self.model.n_critic,
            "kimg": steps * self.model.n_critic * self.batch_size / 1000,
            "cpu_s": round(self.state["cpu_s"], 1),
            "looks": self.state["looks"],
            "clustering_accuracy": clustering_accuracy(self.model),
            "diversity": diversity(images) / diversity(tz.data.arrays("fashion_mnist", "test[:2000]")[0] / 127.5 - 1.0),
            "last": last,
            "best": best,
        }


def scored(model, num_images, split):
    """The record of a model on Fashion-MNIST."""
    return tz.evaluate(model, "fashion_mnist", num_images=num_images, split=split, floor=False, verbose=False)


def clustering_accuracy(model):
    """Share of the test images whose category, as InfoGAN's Q reads it, agrees with their class; None for others."""
    if not isinstance(model, tz.InfoGAN):
        return None
    images, labels = tz.data.arrays("fashion_mnist", "test")
    (categories, *_), _ = model.codes(np.float32(images / 127.5 - 1.0))
    return tz.metrics.clustering_accuracy(labels, categories.argmax(axis=1))


def diversity(images):
    """Mean Euclidean distance between the images of random pairs."""
    flat = np.reshape(images, (len(images), -1))
    return float(np.linalg.norm(flat[: len(flat) // 2] - flat[len(flat) // 2 :], axis=1).mean())


def table(results, config):
    """The Markdown of what was measured."""
    columns = [
        "objective",
        "seed",
        "G steps",
        "D steps",
        "kimg",
        "CPU s",
        "fd last",
        "fd best",
        "recall",
        "classes, %",
        "diversity",
        "collapsed",
    ]
    rows = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for key, found in results.items():
        name, seed = key.split()
        last, best = (tz.metrics.records.score(found[which], "fd_classifier") for which in ("last", "best"))
        recall = tz.metrics.records.score(found["best"], "recall_classifier")
        shares = found["best"]["scores"]["class_histogram"]
        collapsed = recall < 0.1 or min(shares) < 0.01 or not 0.5 <= found["diversity"] <= 2.0
        rows.append(
            f"| {name} | {seed} | {found['steps']:,} | {found['critic_steps']:,} | {found['kimg']:,.0f} "
            f"| {found['cpu_s']:.0f} | {last:.1f} | {best:.1f} | {recall:.2f} "
            f"| {100 * min(shares):.1f}–{100 * max(shares):.1f} | {found['diversity']:.2f} "
            f"| {'yes' if collapsed else 'no'} |"
        )
    clustered = [
        f"InfoGAN's categories, seed {key.split()[1]}: {found['clustering_accuracy']:.1%} of the 10,000 test images "
        "are in the cluster of their class, by the best assignment of clusters to classes; training saw no labels.\n"
        for key, found in results.items()
        if found["clustering_accuracy"] is not None
    ]
    told = [key.split()[0] for key, found in results.items() if found["best"]["protocol"]["labels"] != "none"]
    told = dict.fromkeys(told)  # each once, in the table's order
    head = [
        "# Every objective on Fashion-MNIST, the same CPU seconds",
        "",
        f"`python -m benchmarks.objectives --minutes {config['minutes']:g} --width {config['width']} [--seed 1 --only "
        f"<objectives>]`: {config['minutes']:g} CPU minutes of training each, 28 x 28 x 1, width {config['width']}; "
        "from `r3gan` on each paper's own network, of width 16. Some rows are told classes, in whose order their grids "
        "stand: "
        f"{', '.join(told)}.",
        "",
        "fd is fd_classifier_10000 on the test split; recall, classes and diversity are of the best look (chosen by "
        "5,000 training images). Diversity is the mean distance of two images over that of real images. Collapsed "
        "means recall below 0.1, a class below 1 %, or diversity not within a factor of 2. Smaller budgets favour "
        "cheap steps: this ranks nothing but these budgets.",
        "",
    ]
    pictures = [f"![{key}](objectives/{slug(key)}.png)" for key in results]
    return "\n".join([*head, *rows, "", *clustered, *pictures, ""])


def slug(key):
    """A row's name and seed as a file's name."""
    return key.replace("-", "_").replace(" ", "_")


def recorded(path, config):
    """What was measured before with the same numbers."""
    there = tz.metrics.records.load(path) if path.exists() else {}
    return there["results"] if there.get("config") == config else {}


def place(row):
    """Where a row of the table belongs: by objective, as in `CONTENDERS`, and then by seed."""
    name, seed = row[0].split()
    return list(CONTENDERS).index(name), int(seed)


def main(
    minutes: float = 20.0,
    width: int = 32,
    seed: int = 0,
    only: str = "",
    split: str = "train",
    out: pathlib.Path = HERE,
    runs: pathlib.Path = HERE / "run/objectives",
):
    """Train, score and picture each objective in turn."""
    path, config = out / "objectives.json", {"minutes": minutes, "width": width, "split": split}
    for name in only.split(",") if only else CONTENDERS:
        key = f"{name} {seed}"
        if key in recorded(path, config):
            continue
        contender = Contender(name, width, seed, split, runs / slug(f"{name} {width} {seed}"))
        while contender.state["cpu_s"] < 60.0 * minutes - 1.0:
            contender.train(min(LOOK_S, 60.0 * minutes - contender.state["cpu_s"]))
            contender.look()
        found = contender.report()
        labels = np.repeat(np.arange(10), 10) if contender.model.num_classes else None
        (out / "objectives").mkdir(parents=True, exist_ok=True)
        images = contender.model.generate(100, labels=labels, seed=seed)
        tz.pictures.save_grid(images, out / f"objectives/{slug(key)}.png", columns=10)
        results = recorded(path, config) | {key: found}  # another process may have added its own
        results = dict(sorted(results.items(), key=place))
        tz.metrics.records.save({"config": config, "results": results}, path)
        (out / "objectives.md").write_text(table(results, config), encoding="utf-8")
    print(table(recorded(path, config), config))


if __name__ == "__main__":
    typer.run(main)
