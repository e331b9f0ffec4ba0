"""Run the command line: `tfgan-zoo`, `python -m tfgan_zoo_cli`."""


def main():
    """Run a command by the words of the command line."""
    from tfgan_zoo_cli.commands import app

    app(prog_name="tfgan-zoo")


if __name__ == "__main__":
    main()
