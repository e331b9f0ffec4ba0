"""Search the numbers of a model of the zoo with keras-tuner, on any data.

    python -m recipes.tune --model wgan_gp --dataset digits --trials 12
    python -m recipes.tune --model dcgan --dataset fashion_mnist --tuner hyperband --split train[:15000]
    python -m recipes.tune --model began --dataset ring8 --seeds 3 --narrow

Every trial is scored on validation images, the winner is trained again with another seed and asked once on the test
split. The ranges are those of Lucic et al. 2018 for what the model takes, the wide ones unless --narrow is given, at a
width that stays. Stopped or killed, the same command goes on; to share the trials among machines, set keras-tuner's
KERASTUNER_TUNER_ID, KERASTUNER_ORACLE_IP and KERASTUNER_ORACLE_PORT and give all of them one --out.
Written: ranking.md, ranking.json, budget.png, parallel.png, and the winner in best/, ready to serve.
"""

from pathlib import Path

import tfgan_zoo as tz

BUDGETS = {
    "digits": {"epochs": 60, "batch_size": 32, "width": 16},
    None: {"epochs": 9, "batch_size": 64, "width": 32},
}


def main(
    model: str = "wgan_gp",
    dataset: str = "digits",
    trials: int | None = None,
    tuner: str = "random",
    narrow: bool = False,
    epochs: int | None = None,
    batch_size: int | None = None,
    image_size: int | None = None,
    width: int | None = None,
    split: str = "train",
    validation: int | None = None,
    seed: int = 0,
    seeds: int = 1,
    out: Path | None = None,
    fresh: bool = False,
    quiet: bool = False,
):
    """Search, rank, train the winner again, test it once and export it; the same command again continues."""
    flags = {"epochs": epochs, "batch_size": batch_size, "width": width}
    numbers = BUDGETS.get(dataset, BUDGETS[None]) | {name: n for name, n in flags.items() if n is not None}
    space = tz.tuning.narrow(model) if narrow else {}
    return tz.tuning.search(
        model,
        dataset,
        space=space | {"width": numbers.pop("width")},
        tuner=tuner,
        max_trials=trials,
        directory=out,
        seed=seed,
        seeds=seeds,
        split=split,
        validation=validation,
        image_size=image_size,
        fresh=fresh,
        quiet=quiet,
        **numbers,
    )


if __name__ == "__main__":
    tz.cli.run(main)
