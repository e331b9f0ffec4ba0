"""The gallery: every generator of exported/ with its picture, its score and how to repeat it, made from the cards.

    python -m benchmarks.gallery          writes docs/gallery.md, and docs/gallery.html for a browser

The page needs nothing but the pictures beside the exports: no script, no network.
"""

import html
import pathlib

from benchmarks import leaderboard
from tfgan_zoo_serving import card as cards

ROOT = pathlib.Path(__file__).resolve().parent.parent
_INTRODUCTION = """# Gallery

Every picture is what the generator beside it draws: `tfgan-zoo generate NAME`. This page is made from the cards in
`exported/` by `python -m benchmarks.gallery`; [gallery.html](gallery.html) is the same for a browser. The
[leaderboard](leaderboard.md) compares the scores."""
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 72rem; color: #222; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: 1.5rem; }
article { border: 1px solid #ddd; border-radius: 6px; padding: 1rem; min-width: 0; }
h2 { font-size: 1.1rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
img { width: 100%; height: auto; image-rendering: pixelated; border-radius: 3px; }
code { font-size: .8rem; overflow-wrap: anywhere; }
p { margin: .5rem 0; }
"""


def told(card):
    """Caption, picture, sentence of numbers, and commands of a card."""
    about, numbers = card["about"], leaderboard.row(card)
    caption = "By class" if "By class" in card["pictures"] else next(iter(card["pictures"]))
    protocol = card["protocol"] or {}
    said = []
    if numbers["fd"] is not None:
        of = f"the {protocol.get('split')} split of {protocol.get('reference')}"
        said.append(f"fd_classifier {numbers['fd']:.1f} on {protocol.get('num_generated', 0):,} images against {of}")
    said += [f"recall {numbers['recall']:.2f}"] if numbers["recall"] is not None else []
    said += [f"{numbers['nats']:.1f} nats an image"] if numbers["nats"] is not None else []
    said += [f"{numbers['bits']:.3f} bits a dimension"] if numbers["bits"] is not None else []
    said += [f"trained for {numbers['minutes']} minutes"] if numbers["minutes"] else []
    return {
        "model": about.get("model", card["model"]["name"]),
        "caption": caption,
        "picture": card["pictures"][caption],
        "numbers": "; ".join(said) + "." if said else "Not scored.",
        "repeat": about.get("command", ""),
    }


def markdown(found):
    """The gallery for whoever reads the repository."""
    lines = [_INTRODUCTION]
    for name, card in found.items():
        one = told(card)
        lines += ["", f"## {name}", "", f"{one['model']}. {one['numbers']}", ""]
        lines += [f"![{name}: {one['caption']}](../exported/{name}/{one['picture']})", ""]
        lines += ["```bash", f"tfgan-zoo generate {name} -n 64 --seed 1 --out grid.png", one["repeat"], "```"]
    return "\n".join(lines) + "\n"


def page(found):
    """The gallery as one page of HTML."""
    articles = []
    for name, card in found.items():
        one = {key: html.escape(text) for key, text in told(card).items()}
        articles.append(f"""<article id="{name}">
<h2>{name}</h2>
<img src="../exported/{name}/{one["picture"]}" alt="{name}: {one["caption"]}">
<p>{one["model"]}. {one["numbers"]}</p>
<p><code>tfgan-zoo generate {name} --out grid.png</code></p>
<p>To repeat it: <code>{one["repeat"]}</code></p>
</article>""")
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>tfgan_zoo: gallery</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>{_STYLE}</style></head>
<body><h1>What the zoo draws</h1>
<p>Each picture is drawn by the generator named above it, which comes with the package.</p>
<main>
{chr(10).join(articles)}
</main></body></html>
"""


def write(found):
    """Write docs/gallery.md and docs/gallery.html."""
    (ROOT / "docs/gallery.md").write_text(markdown(found), encoding="utf-8")
    (ROOT / "docs/gallery.html").write_text(page(found), encoding="utf-8")


def main():
    """Write both."""
    write({path.parent.name: cards.read(path.parent) for path in sorted((ROOT / "exported").glob("*/card.json"))})


if __name__ == "__main__":
    main()
