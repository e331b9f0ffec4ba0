"""Every Python block of the README and of docs/, the notebook and every docstring example does what it says."""

import doctest
import importlib
import json
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(path.name for path in (ROOT / "docs").glob("*.md"))
SLOW = {"diffusion.md", "export.md", "extend.md", "latents.md", "models.md", "own_images.md", "quickstart.md"}
SLOW |= {"data.md", "evaluation.md"}  # which train, score or export; the README is the default's part of it
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


def run_blocks(text, name, tmp_path, monkeypatch):
    """Run the Python blocks of a page in order, as one script, where exported/ can be read."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exported").mkdir()
    for export in (ROOT / "exported").iterdir():
        (tmp_path / "exported" / export.name).symlink_to(export)
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.S | re.M)
    scope = {"__name__": "__main__"}
    for block in blocks:
        exec(compile(block, name, "exec"), scope)
    return blocks


def test_readme_blocks_run_in_order(tmp_path, monkeypatch):
    assert len(run_blocks(README, "README.md", tmp_path, monkeypatch)) >= 2


@pytest.mark.parametrize("page", [pytest.param(p, marks=[pytest.mark.slow] if p in SLOW else []) for p in PAGES])
def test_blocks_of_a_page_run_in_order(page, tmp_path, monkeypatch):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    blocks = run_blocks(text, page, tmp_path, monkeypatch) if page != "api.md" else ()
    assert blocks or page not in SLOW


def test_the_notebook_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cells = json.loads((ROOT / "docs/quickstart.ipynb").read_text(encoding="utf-8"))["cells"]
    scope = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), "quickstart.ipynb", "exec"), scope)
    assert (tmp_path / "by_class.png").is_file()
    assert not any(cell.get("outputs") for cell in cells)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", *(f"docs/{page}" for page in PAGES)])
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    for target in targets:
        path, _, anchor = target.partition("#")
        if path.startswith(("http:", "https:")) or (not path and page == "docs/api.md"):
            continue
        there = (ROOT / page).parent / path if path else ROOT / page
        assert there.exists(), f"{page}: {target}"
        if anchor and there.suffix == ".md":
            titles = re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), flags=re.M)
            assert anchor in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}, target


def test_the_page_of_the_package_has_no_link_that_breaks_there():
    text = (ROOT / "docs/package.md").read_text(encoding="utf-8")
    assert not re.findall(r"\]\((?!https?:)", text)
    assert "!" + "[" not in text


def test_readme_is_short_and_names_every_model_and_the_two_commands():
    import tfgan_zoo as tz

    assert len(README.splitlines()) <= 150
    for name in tz.list_models():
        assert f"`{name}`" in README, "make zoo-index"
    assert "make demo" in README
    assert "make test" in README


def test_the_reference_has_every_public_name():
    import tfgan_zoo as tz
    from docs import make_api

    page = make_api.page()
    for name, _ in make_api.public(tz):
        assert f"### `tz.{name}(" in page
    assert "### `tz.data.load(source" in page
    assert not re.search(r" at 0x[0-9a-f]+", page)
    committed = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    assert committed.startswith(page[:80]), "make docs"


def test_every_page_is_in_the_contents():
    contents = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    for page in {*PAGES} - {"index.md", "package.md"}:
        assert f"({page})" in contents, page


def test_the_project_speaks_of_itself_alone():
    texts = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "recipes").glob("*.py")]
    for package in ("tfgan_zoo", "tfgan_zoo_cli", "tfgan_zoo_serving"):
        texts += (ROOT / package).rglob("*.py")
    for path in texts:
        assert not re.search(r"/(root|work|home|tmp)/\w", path.read_text(encoding="utf-8")), path
