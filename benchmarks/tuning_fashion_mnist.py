"""Does a search find better numbers than the zoo's defaults? Hyperband against `dcgan` and `wgan_gp` on Fashion-MNIST.

    python -m benchmarks.tuning_fashion_mnist                 it can be stopped, killed, and goes on
    python -m benchmarks.tuning_fashion_mnist --only dcgan

10,000 training images, 5,000 others for validation, narrow networks. The search's budget is one sweep of Hyperband with
at most `--epochs` of an epoch each: 75 epochs in all for 9. Then the defaults and the numbers that were found train for
`--epochs` from the same three seeds, none of which the search has used: the difference of their means stands beside the
spread over seeds. Last, one model of each is asked once on the test split. Written: tuning_fashion_mnist.md and .json.
"""

import pathlib

import keras_tuner
import numpy as np
import typer

import tfgan_zoo as tz

HERE = pathlib.Path(__file__).parent
ENTRIES = ("dcgan", "wgan_gp")
SEEDS = (11, 12, 13)


def compare(entry, directory, epochs, width, split, validation):
    """Everything that is measured for an entry; what an earlier call has measured is read."""
    numbers = {"epochs": epochs, "split": split, "validation": validation}
    space = {"width": width}
    found = tz.tuning.search(
        entry, "fashion_mnist", space, tuner="hyperband", directory=directory / "search", **numbers
    )
    model = tz.tuning.ZooHyperModel(entry, "fashion_mnist", space, **numbers)
    chosen = keras_tuner.HyperParameters()
    chosen.values.update(found["confirmed"]["values"])
    contenders = {"default": keras_tuner.HyperParameters(), "found": chosen}  # asked anew, each gives the entry's own
    result = {"search_cpu_s": sum(one["cpu_s"] for one in found["trials"]), "trials": len(found["trials"])}
    for name, hp in contenders.items():
        runs = [once(directory / f"{name}_{seed}.json", lambda hp=hp, seed=seed: model.run(hp, seed)) for seed in SEEDS]
        scores = [run["score"] for run in runs]
        result[name] = {
            "values": model.values(hp),
            "validation": scores,
            "mean": float(np.mean(scores)),
            "spread": float(np.std(scores, ddof=1)),
            "ended": [run["ended"] for run in runs],
        }
    for name, hp in contenders.items():  # when all else is settled
        record = once(directory / f"{name}_test.json", lambda hp=hp: tested(model, hp))
        result[name]["test"] = tz.metrics.records.score(record, "fd_classifier")
    return result


def tested(model, hp):
    """The test record of a model trained from the first seed, by the weights of its best look at validation images."""
    trial = model.train(hp, model.build(hp, SEEDS[0]), seed=SEEDS[0], keep=True)
    if trial.weights is not None:
        trial.model.set_weights(trial.weights)
    return model.splits.score_on_test(trial.model)


def once(path, measure):
    """What a file holds, or else what is measured now and put there."""
    if not path.exists():
        tz.metrics.records.save(measure(), path)
    return tz.metrics.records.load(path)


def verdict(result):
    """The gain beside the spread, in words."""
    default, found = result["default"], result["found"]
    gain, spread = default["mean"] - found["mean"], max(default["spread"], found["spread"])
    confirmed = default["test"] > found["test"]
    if gain > spread:
        told = f"the search gains {gain:.1f}, more than the spread of {spread:.1f}"
        return f"{told}; on test {'too' if confirmed else 'it does not: not confirmed'}"
    return f"no gain beyond the spread ({gain:+.1f}, spread {spread:.1f}): the defaults are good"


def table(results, config):
    """The Markdown of what was measured."""
    lines = [
        "# Hyperband against the defaults, Fashion-MNIST",
        "",
        f"`python -m benchmarks.tuning_fashion_mnist --epochs {config['epochs']} --width {config['width']}`: "
        f"{config['split']} with {config['validation']} of it for validation, width {config['width']}, at most "
        f"{config['epochs']} epochs; fd_classifier of the best look, mean and spread over seeds "
        f"{', '.join(map(str, SEEDS))}; test: one model of each, from the first of them.",
        "",
        "| entry | numbers | validation | test | trials | search, CPU s |",
        "|---|---|---|---|---|---|",
    ]
    for entry, result in results.items():
        for name in ("default", "found"):
            one = result[name]
            values = ", ".join(f"{key} {value:.4g}" for key, value in one["values"].items())
            cost = f"{result['trials']} | {result['search_cpu_s']:.0f}" if name == "found" else " | "
            score = f"{one['mean']:.1f} ± {one['spread']:.1f}"
            lines.append(f"| {entry} | {name}: {values} | {score} | {one['test']:.1f} | {cost} |")
    return "\n".join([*lines, "", *(f"- `{entry}`: {verdict(result)}." for entry, result in results.items()), ""])


def main(
    epochs: int = 9,
    width: int = 16,
    only: str = "",
    split: str = "train[:15000]",
    validation: int = 5000,
    out: pathlib.Path = HERE,
    runs: pathlib.Path = HERE / "run/tuning_fashion_mnist",
):
    """Search, compare and test each entry in turn."""
    config = {"epochs": epochs, "width": width, "split": split, "validation": validation}
    path, results = out / "tuning_fashion_mnist.json", {}
    if path.exists() and (there := tz.metrics.records.load(path))["config"] == config:
        results = there["results"]
    for entry in only.split(",") if only else ENTRIES:
        if entry not in results:
            results[entry] = compare(entry, runs / f"{entry}_{width}_{epochs}", epochs, width, split, validation)
        tz.metrics.records.save({"config": config, "results": results}, path)
        (out / "tuning_fashion_mnist.md").write_text(table(results, config), encoding="utf-8")
    print(table(results, config))


if __name__ == "__main__":
    typer.run(main)
