"""The command line: a recipe's keywords become flags, and bad input becomes one sentence."""

import functools
import inspect
import pathlib
import sys
import traceback

from tfgan_zoo import profiling, runtime

_PACKAGE = pathlib.Path(__file__).parent
MACHINE = {  # how the machine is used: flags of every recipe -> type and default
    "precision": (str, "float32"),
    "jit": (bool, False),
    "strategy": (str | None, None),
    "steps_per_execution": (int, 1),
    "profile": (bool, False),
}
_OURS = {_PACKAGE, _PACKAGE.parent / "tfgan_zoo_serving"}


def run(main):
    """Run `main` with the flags of the command line; its parameters are the flags, its module's docstring the help.

    Further flags say how the machine is used, `--precision`, `--jit`, `--strategy` and `--steps-per-execution`, as in
    `runtime.setup`; and `--profile` profiles a few steps of training, as `callbacks.Profile` does.

    A sentence of the zoo's own about bad input ends the program with status 2 and no traceback; Ctrl-C with 130.

    Args:
        main: a function whose parameters are annotated keywords.
    """
    import typer

    @functools.wraps(main)
    def command(precision, jit, strategy, steps_per_execution, profile, **flags):
        profiling.request(profile)
        try:
            runtime.setup(None, precision, jit, strategy, steps_per_execution)
            with runtime.each_traced_once():  # experiments build many
                main(**flags)
        except KeyboardInterrupt:
            runs = "fresh" in inspect.signature(main).parameters  # an experiment of minutes keeps no checkpoints
            hint = " The same command continues from the last checkpoint; --fresh starts over." if runs else ""
            print(f"\nStopped.{hint}", file=sys.stderr)
            raise typer.Exit(130) from None
        except (ValueError, OSError, RuntimeError, MemoryError, FloatingPointError) as error:
            if not _is_ours(error):
                raise
            print(f"error: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
            raise typer.Exit(2) from None
        if profiling.unanswered():
            print("Nothing is profiled: nothing was trained by this run, or not for long enough.", file=sys.stderr)

    machine = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in MACHINE.items()
    ]
    signature = inspect.signature(main)
    command.__signature__ = signature.replace(parameters=[*signature.parameters.values(), *machine])
    command.__annotations__ = main.__annotations__ | {one.name: one.annotation for one in machine}
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command(help=sys.modules[main.__module__].__doc__)(command)
    app()


def _is_ours(error):
    """Whether the sentence was raised by the zoo itself, so that a traceback would add nothing."""
    return bool(_OURS & {*pathlib.Path(traceback.extract_tb(error.__traceback__)[-1].filename).parents})
