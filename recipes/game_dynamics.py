"""Two players and their orbits, in the Dirac-GAN and the bilinear game: which training finds the equilibrium?

    python -m recipes.game_dynamics [--rate 0.1] [--rounds 500]                                     half a minute

Data is 0, G makes θ, D(x) = ψ x (Mescheder et al. 2018, Sec. 2). Written: arrows and paths, a table, and JSON.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf
import typer
from rich.progress import track

import tfgan_zoo as tz

GAMES = {"dirac": tz.objectives.MinimaxGAN(), "bilinear": tz.objectives.Wasserstein()}
METHODS = {  # name: what differs from one update of D and then one of G
    "simultaneous": {"simultaneous": True},
    "alternating": {},
    "alternating, 5 D per G": {"n_critic": 5},
    "average of alternating": {"averaged": True},
    "consensus": {"simultaneous": True, "consensus": 1.0},
    "R1": {"penalties": (tz.penalties.R1(1.0),)},
    "WGAN-GP": {"penalties": (tz.penalties.GradientPenalty(0.3),)},
}
OUT, GRID = Path("exported/game_dynamics"), np.mgrid[-2:2:17j, -2:2:17j].reshape(2, -1).T


def descent(objective, penalties, consensus, theta, psi):
    """Where each of N pairs of players would go: G's (N, 1) and D's (N, 1)."""
    with tf.GradientTape() as around:
        around.watch((theta, psi))
        with tf.GradientTape(persistent=True) as tape:
            tape.watch((theta, psi))
            data, logits = tf.zeros_like(theta), psi * theta
            fooled, told = objective.generator_loss(logits), objective.discriminator_loss(psi * data, logits)
            told += sum(term(lambda x: psi * x, data, tf.stop_gradient(theta), seed=(0, 0)) for term in penalties)
        games = float(len(theta))  # a loss is the mean over them, and each is played alone
        moves = [-games * tape.gradient(fooled, theta), -games * tape.gradient(told, psi)]
        speed = consensus / 2 * sum(tf.reduce_sum(move**2) for move in moves)  # Mescheder et al. 2017, Sec. 4
    return [move - down for move, down in zip(moves, around.gradient(speed, (theta, psi)), strict=True)]


def play(objective, places, rate, rounds, simultaneous=False, n_critic=1, averaged=False, consensus=0.0, penalties=()):
    """Where pairs (N, 2) stand before the first and after each round, (rounds + 1, N, 2)."""
    (theta, psi), film = tf.split(tf.constant(places, tf.float32), 2, axis=1), [places]
    moves = tf.function(lambda theta, psi: descent(objective, penalties, consensus, theta, psi))
    for step in range(rounds):
        move = moves(theta, psi)
        for _ in range(n_critic):
            psi += rate * moves(theta, psi)[1]
        theta += rate * (move if simultaneous else moves(theta, psi))[0]
        kept = min(0.999, (2 + step) / (11 + step)) if averaged else 0.0  # as GAN averages its generator
        film.append(kept * film[-1] + (1 - kept) * np.concatenate([theta, psi], axis=1))
    return np.stack(film)


def main(rate: float = 0.1, rounds: int = 500, seed: int = 0, out: Path = OUT, quiet: bool = False):
    """Play by every method from eight places; write the mean distance to (0, 0), and pictures of the first place's."""
    if not 0 < rate <= 0.5 or rounds < 4 or seed < 0:
        raise typer.BadParameter(f"{rate=}, {rounds=}, {seed=}: rate lies in (0, 0.5], rounds from 4 and seed from 0.")
    path, panels, found = tz.files.directory(out) / "game_dynamics.json", {game: {} for game in GAMES}, {}
    starts = 1.2 * np.exp(1j * np.random.default_rng(seed).uniform(0, 2 * np.pi, (8, 1))).view(float)
    text = "| game | method | distance in quarter 1 | 2 | 3 | 4 | at the end |\n" + "|---" * 7 + "|\n"
    for game, name in track([(game, name) for game in GAMES for name in METHODS], "Playing", disable=quiet):
        film = play(GAMES[game], np.concatenate([starts, GRID]), rate, rounds, **METHODS[name])
        panels[game][name] = (GRID, (film[1] - film[0])[8:], film[:, 0])
        distances = np.linalg.norm(film[1:, :8], axis=-1).mean(axis=1)
        found[f"{game} {name}"] = [float(part.mean()) for part in (*np.array_split(distances, 4), distances[-1:])]
        text += f"| {game} | {name} | " + " | ".join(f"{number:.2g}" for number in found[f"{game} {name}"]) + " |\n"
    for game in GAMES:
        tz.pictures.save_fields(panels[game], out / f"{game}.png", "θ, the generator", "ψ, the discriminator")
    tz.metrics.records.save({"rate": rate, "rounds": rounds, "seed": seed, "distances": found}, path)
    path.with_suffix(".md").write_text(text, encoding="utf-8")
    print(f"\n{path.with_suffix('')}\n{text}")


if __name__ == "__main__":
    tz.cli.run(main)
