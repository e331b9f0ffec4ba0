"""The zoo: one function a paper, each the meeting of networks, objective, penalties and optimizers.

Read as a table: a row is a paper, and its numbers stand here and nowhere else. What is about a run (data, batch size,
epochs, seed) stands in the paper's recipe. Every function also takes the keywords of its model, such as `n_critic`,
`ema_decay`, `augmentations` and `seed`; `discriminator_learning_rate` apart from `learning_rate` is the two time-scale
rule of Heusel et al. 2017. Points, image_shape=(2,), get dense networks whatever the paper has.

The generator's average is not in the papers before 2018. Over the last hundred steps (0.99) it smooths and hardly lags.
In one run on Fashion-MNIST (width 32, six epochs, scored on the test split) it was between even with and 7 % better
than the generator itself, and 0.999 up to 6 % worse; 0.99 was chosen by that run. For runs of many tens of thousands of
steps take 0.999.

Every module of this folder is imported, and every function that is registered there is found here by its name.
"""

import importlib
import pkgutil

from tfgan_zoo import registry

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
__all__ = registry.list_models()
globals().update({name: registry.function_of(name) for name in __all__})
