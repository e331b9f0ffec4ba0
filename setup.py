"""What pyproject.toml cannot say: the recipes and some exports are installed under names of their own."""

import json
import pathlib

from setuptools import find_packages, setup

EXPORTED_MB = 10.0  # of exports in a wheel; the rest is fetched by name


def exports():
    """Names of the smallest exports, as many as a wheel holds."""
    index = pathlib.Path(__file__).parent / "exported" / "index.json"
    rows = sorted(json.loads(index.read_text(encoding="utf-8")).items(), key=lambda pair: pair[1]["bytes"])
    chosen, total = [], 0
    for name, row in rows:
        total += row["bytes"]
        if total <= EXPORTED_MB * 1e6:
            chosen.append(name)
    return chosen


setup(
    packages=[*find_packages(include=["tfgan_zoo*"]), "tfgan_zoo_recipes", "tfgan_zoo_exported"],
    include_package_data=False,
    package_dir={"tfgan_zoo_recipes": "recipes", "tfgan_zoo_exported": "exported"},
    package_data={
        "tfgan_zoo": ["metrics/weights/*", "py.typed"],
        "tfgan_zoo_serving": ["py.typed", "demo/*.js", "demo/*.html"],
        "tfgan_zoo_exported": ["index.json", *(f"{name}/**/*" for name in exports())],
    },
)
