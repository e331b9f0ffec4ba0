"""The command line: a recipe's keywords become flags, and bad input becomes one sentence."""

import pathlib
import sys
import traceback

_PACKAGE = pathlib.Path(__file__).parent


def run(main):
    """Run `main` with the flags of the command line; its parameters are the flags, its module's docstring the help.

    A sentence of the zoo's own about bad input ends the program with status 2 and no traceback; Ctrl-C with 130.

    Args:
        main: a function whose parameters are annotated keywords.
    """
    import click
    import typer

    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command(help=sys.modules[main.__module__].__doc__)(main)
    try:
        sys.exit(app(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        print("\nStopped. The same command continues from the last whole epoch; --fresh starts over.", file=sys.stderr)
        sys.exit(130)
    except (ValueError, OSError) as error:
        if not _is_ours(error):
            raise
        print(f"error: {error.strerror if isinstance(error, OSError) and error.strerror else error}", file=sys.stderr)
        sys.exit(2)


def _is_ours(error):
    """Whether the sentence was raised by the zoo itself, so that a traceback would add nothing."""
    return _PACKAGE in pathlib.Path(traceback.extract_tb(error.__traceback__)[-1].filename).parents
