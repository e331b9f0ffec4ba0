"""Every Python block of the README and every docstring example does what it says."""

import doctest
import importlib
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "tfgan_zoo").rglob("*.py")
    if ">>>" in path.read_text(encoding="utf-8") and path.name != "__init__.py"
)


@pytest.mark.parametrize("name", ["tfgan_zoo", *MODULES])
def test_docstring_examples(name):
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.attempted
    assert not result.failed


def test_readme_blocks_run_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exported").mkdir()
    (tmp_path / "exported" / "cgan_digits").symlink_to(ROOT / "exported" / "cgan_digits")
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.S)
    assert len(blocks) >= 3
    scope = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), scope)


def test_readme_names_every_model_and_the_two_commands():
    import tfgan_zoo as tz

    for name in tz.list_models():
        assert f"`{name}`" in README
    assert "make demo" in README
    assert "make test" in README


def test_the_project_speaks_of_itself_alone():
    for path in [*ROOT.glob("*.md"), *(ROOT / "tfgan_zoo").rglob("*.py"), *(ROOT / "recipes").glob("*.py")]:
        assert not re.search(r"/(root|work|home|tmp)/\w", path.read_text(encoding="utf-8")), path
