"""Commands for an export: images of it, whether it is whole, who signed it.

python -m tfgan_zoo_serving generate exported/dcgan_fashion_mnist -n 16 --seed 0 --out grid.png
python -m tfgan_zoo_serving verify exported/dcgan_fashion_mnist --hashes-only
python -m tfgan_zoo_serving sign exported/dcgan_fashion_mnist --key key.bin
python -m tfgan_zoo_serving page exported/dcgan_fashion_mnist
"""

import argparse
import pathlib
import sys
import warnings


def _generate(chosen):
    import numpy as np

    from tfgan_zoo_serving import load_exported, pictures

    if chosen.out.suffix not in (".png", ".npy"):
        raise ValueError(f"--out {chosen.out}: give a name that ends in .png or .npy.")
    generator = load_exported(chosen.directory, chosen.format, chosen.threads, chosen.providers, _key(chosen))
    if chosen.out.suffix == ".png" and len(generator.image_shape) != 3:
        raise ValueError(f"--out {chosen.out}: {generator.name} makes no images, give a name that ends in .npy.")
    words = chosen.labels and ([*map(int, chosen.labels)] if all(map(str.isdigit, chosen.labels)) else chosen.labels)
    labels = words and np.resize(words, chosen.num_images)
    images = generator.generate(chosen.num_images, labels, chosen.seed)
    if chosen.out.suffix == ".npy":
        np.save(chosen.out, images)
    else:
        chosen.out.write_bytes(pictures.png(pictures.grid(images, chosen.columns)))
    print(f"{chosen.out}: {len(images)} images of {generator.name}, by {generator.format}")


def _verify(chosen):
    from tfgan_zoo_serving import verify

    for name, told in verify(chosen.directory, chosen.format, run=not chosen.hashes_only, key=_key(chosen)).items():
        print(f"{name}: {', '.join(f'{key} {value}' for key, value in told.items())}")


def _sign(chosen):
    from tfgan_zoo_serving import sign

    sign(chosen.directory, _key(chosen))
    print(f"{chosen.directory / 'card.sig'}: signed")


def _page(chosen):
    from tfgan_zoo_serving import page

    page.serve(chosen.directory, chosen.port)


def _key(chosen):
    return chosen.key and chosen.key.read_bytes()


def _parser():
    parser = argparse.ArgumentParser(prog="python -m tfgan_zoo_serving", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(function, told, key=False):
        one = commands.add_parser(function.__name__[1:], help=told, description=told.capitalize() + ".")
        one.add_argument("directory", type=pathlib.Path, help="an export")
        one.add_argument(
            "--key", type=pathlib.Path, required=key, help="file of the key that the export is signed with"
        )
        one.set_defaults(run=function)
        return one

    one = command(_generate, "draw images, as a PNG of all of them or as a NumPy array")
    one.add_argument("-n", "--num-images", type=int, default=16)
    one.add_argument("--seed", type=int, help="from 0 to 2147483647; another draw each time if it is left out")
    one.add_argument(
        "--labels", nargs="+", help="classes, by number or name, over and over; drawn from the seed if left out"
    )
    one.add_argument("--columns", type=int, help="images in a row of the picture")
    one.add_argument("--out", type=pathlib.Path, default=pathlib.Path("grid.png"), help="a .png or .npy")
    one.add_argument("--format", help="of the export, such as tflite or onnx")
    one.add_argument("--threads", type=int, help="that compute one call")
    one.add_argument("--providers", nargs="+", help="ONNX Runtime's execution providers")
    one = command(_verify, "check hashes, signatures and images")
    one.add_argument("--format", nargs="+", help="those to run; all whose runtimes are installed if left out")
    one.add_argument("--hashes-only", action="store_true", help="execute nothing")
    command(_sign, "write card.sig with a key that only you know", key=True)
    command(_page, "serve the web page on this machine").add_argument("--port", type=int, default=8000)
    return parser


def main(arguments=None):
    """Run a command; what it refuses is one sentence on standard error, and the exit status 1."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    warnings.showwarning = lambda message, *_, **__: print(message, file=sys.stderr)
    try:
        chosen.run(chosen)
    except (OSError, ValueError, ImportError) as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
