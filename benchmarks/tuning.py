"""What the machinery of a search costs: CPU seconds a trial beside fit and score, and memory from trial to trial.

    python -m benchmarks.tuning

A small dense GAN on points, random search. Everything counts that is not `fit` or a score: drawing numbers, building
and compiling the model, clearing the session, writing the records.

Memory is weighed when a trial has ended; what the first few leave is TensorFlow's own, and comes once.
"""

import os
import pathlib
import statistics
import tempfile
import time

import typer

import tfgan_zoo as tz
from tfgan_zoo.tuning import report, tuners

SPACE = {"width": [16, 32, 64], "latent_dim": 4}
SETTLED = 5  # trials after which memory is compared


class Scale(report.View):
    """A view that weighs the process when a trial has ended."""

    def end(self, record):
        super().end(record)
        with open("/proc/self/statm", encoding="ascii") as file:
            self.weights.append(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6)


def main(trials: int = 30, epochs: int = 2, seed: int = 0):
    """Print CPU seconds a trial beside fit and score, and resident memory after the fifth and the last trial."""
    model = tz.tuning.ZooHyperModel("gan", "ring8", SPACE, epochs=epochs, split="train[:4000]", batch_size=200)
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        oracle = tuners.oracle("random", model.objective, trials, epochs, seed)
        with Scale(model.objective, [], lambda: tuners.finished(directory), trials, quiet=True) as view:
            view.weights = []
            tuner = tuners.Tuner(oracle, model, directory, 1, view)
            begin = time.process_time()
            tuner.search()
            spent = time.process_time() - begin
        records = tuners.finished(directory)
    inside = sum(record["fit_s"] + record["score_s"] for record in records)
    beside = [record["cpu_s"] - record["fit_s"] - record["score_s"] for record in records]
    print(f"{trials} trials of {epochs} epochs: {spent:.1f} CPU s, of which fit and score {inside:.1f}")
    print(f"beside fit and score, a trial: {(spent - inside) / trials:.2f} CPU s   (goal <= 3)")
    print(f"  in its runs, median and most: {statistics.median(beside):.2f} and {max(beside):.2f}")
    settled, last = view.weights[min(SETTLED, trials) - 1], view.weights[-1]
    print(f"resident memory after trial {SETTLED}: {settled:.0f} MB, after trial {trials}: {last:.0f} MB", end="   ")
    print(f"({1000 * (last - settled) / max(1, trials - SETTLED):+.0f} kB a trial; goal: flat)")


if __name__ == "__main__":
    typer.run(main)
