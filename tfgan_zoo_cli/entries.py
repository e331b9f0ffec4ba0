"""The zoo's entries as their source tells them: names, papers, keywords; nothing is imported for it."""

import ast
import importlib.util
import pathlib


def known():
    """Name of each entry -> {"paper", "text", "keywords"}, sorted."""
    package = pathlib.Path(importlib.util.find_spec("tfgan_zoo").origin).parent
    found = {}
    for path in sorted((package / "zoo").glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and any(_registers(one) for one in node.decorator_list):
                text = ast.get_docstring(node) or ""
                names = node.args.kwonlyargs
                pairs = zip(names, node.args.kw_defaults, strict=True)
                keywords = {one.arg: None if value is None else ast.unparse(value) for one, value in pairs}
                found[node.name] = {"paper": text.splitlines()[0] if text else "", "text": text, "keywords": keywords}
    return dict(sorted(found.items()))


def _registers(decorator):
    name = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(name, ast.Name) and name.id == "register"
