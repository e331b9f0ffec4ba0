"""SNGAN (Miyato et al. 2018): every kernel of D divided by its largest singular value, on residual networks.

    python -m recipes.sngan                                     handwritten digits, 200 epochs at 16 x 16
    python -m recipes.sngan --dataset fashion_mnist             clothes of 28 x 28, 20 epochs
    python -m recipes.sngan --dataset cifar10 --width 128       the paper's discriminator; its generator has 256 maps
    python -m recipes.sngan --dataset ring8                     points on a ring, by dense networks

The figure, `run/spectra.png`, is the paper's Fig. 3 for this method: the squared singular values of D's kernels as they
are used, largest first. The first is 1 as far as one power iteration a step can tell, and the others should not die.
The one in exported/ takes one step of D where the paper takes five (`--n-critic 1`): fd 203.9 after seven CPU minutes,
where five steps come to 246.1 after twelve, at one seed each.
"""

import numpy as np

import tfgan_zoo as tz

PAPER = "SNGAN, Miyato et al. 2018"
BUDGETS = {
    "digits": {"epochs": 200, "batch_size": 53, "width": 32, "image_size": 16},  # 5 * 53 of 1,077 images a step
    None: {"epochs": 20, "batch_size": 64, "width": 32},
}


def figures(model, run):
    """Spectra of D's normalised kernels, and the samples by epoch."""
    kernels = [layer for layer in model.discriminator.layers if isinstance(layer, tz.layers.SpectralNorm)]
    figure, axis = tz.pictures.new_figure(7.6, 4.2)
    for number, layer in enumerate(kernels):
        kernel = np.asarray(layer.kernel)
        matrix = kernel.reshape(-1, kernel.shape[-1])
        values = np.linalg.svd(matrix / np.linalg.norm(matrix @ layer.u), compute_uv=False)
        name, shade = f"{number + 1}: {' × '.join(map(str, kernel.shape))}", 0.9 * number / len(kernels)
        axis.plot(np.linspace(0, 1, len(values)), values**2, marker=".", color=(shade, 0.3, 1 - shade), label=name)
    axis.axhline(1.0, color="black", linestyle=":")
    axis.set(xlabel="rank, as a share of all", ylabel="squared singular value", ylim=(0.0, None))
    figure.legend(loc="outside right upper", title="kernels of D")
    tz.pictures.save_figure(figure, run.directory / "spectra.png")
    return {"Singular values": run.directory / "spectra.png", "By epoch": run.by_epoch()}


SHIPPED = tz.runs.FASHION | {"width": 16, "minutes": 7.0, "n_critic": 1, "decay_from": 0.0}
main = tz.runs.recipe("sngan", PAPER, BUDGETS, figures, shipped=SHIPPED)

if __name__ == "__main__":
    tz.cli.run(main)
