"""Score against the work of sampling: one trained model of diffusion, drawn by every sampler in few and many steps.

    python -m benchmarks.samplers diffusion_fashion_mnist              an export, or a run's last.keras
    python -m benchmarks.samplers diffusion_fashion_mnist --even       levels even in time, in place of rho 7
    python -m benchmarks.samplers diffusion_fashion_mnist --only dpmpp_2m --num-images 2000

Prints, for each sampler and number of steps, how often the network was asked for an image (NFE), CPU seconds for 1,000
images, and the Fréchet distance and recall of `--num-images` images. Once, on digits of 8 x 8 and levels even in time
(the second command of `recipes.diffusion`; fd of 360 images beside a floor of 7.7, recall): DDIM 100 steps 39.0, 0.80;
50 39.4; 20 40.6; 10 42.2; DPM-Solver++(2M) 20 39.5, 0.80; 10 37.7, 0.79; Heun 10 (19 passes) 39.1, 0.81; ancestral 100
31.6, 0.79; 20 35.0. Clothes stand in docs/diffusion.md.
"""

import time

import keras
import typer

import tfgan_zoo as tz

DRAWN = [("ddim", 100), ("ddim", 50), ("ddim", 20), ("ddim", 10), ("dpmpp_2m", 20), ("dpmpp_2m", 10), ("dpmpp_2m", 5)]
DRAWN += [
    ("dpmpp_2m_sde", 30),
    ("dpmpp_2m_sde", 20),
    ("dpmpp_2m_sde", 10),
    ("heun", 10),
    ("heun", 5),
    ("ancestral", 100),
    ("ancestral", 20),
]


def main(
    model: str,
    reference: str = "fashion_mnist",
    num_images: int = 10_000,
    rho: float = 7.0,
    even: bool = False,
    only: str = "",
):
    """Score a model by sampler and number of steps."""
    loaded = keras.models.load_model(model) if model.endswith(".keras") else tz.load_model(model)
    print(f"{'sampler':<10} {'steps':>5} {'NFE':>4} {'CPU s / 1000':>12} {'fd':>8} {'recall':>7}")
    for sampler, steps in [one for one in DRAWN if not only or one[0] == only]:
        drawn = loaded.with_sampling(sampler=sampler, steps=steps, rho=None if even else rho)
        drawn.generate(2, seed=0)
        start = time.process_time()
        images = drawn.generate(num_images, seed=0)
        seconds = (time.process_time() - start) * 1000 / num_images
        scores = tz.evaluate(images, reference, metrics=("fd", "precision_recall"), floor=False, verbose=False)[
            "scores"
        ]
        fd, recall = (tz.metrics.records.score({"scores": scores}, f"{name}_classifier") for name in ("fd", "recall"))
        asked = 2 * steps - 1 if sampler == "heun" else steps
        print(f"{sampler:<10} {steps:>5} {asked:>4} {seconds:>12.1f} {fd:>8.2f} {recall:>7.3f}", flush=True)


if __name__ == "__main__":
    typer.run(main)
