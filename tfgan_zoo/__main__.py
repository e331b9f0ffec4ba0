"""`python -m tfgan_zoo`: the command line, the same as `tfgan-zoo`."""

from tfgan_zoo_cli.__main__ import main

if __name__ == "__main__":
    main()
