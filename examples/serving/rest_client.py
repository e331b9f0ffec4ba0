"""Images from TensorFlow Serving by REST: pip install requests.

    python examples/serving/rest_client.py http://localhost:8501 dcgan --seed 0 --num-images 16
    python examples/serving/rest_client.py http://localhost:8501 cgan --seed 0 --labels 0 1 2 3

The images of a seed are those of `model.generate`; they come as PNG files, and are kept as image_0.png, image_1.png, …
"""

import argparse
import base64
import pathlib

import numpy as np
import requests


class RefusedError(ValueError):
    """The server did not answer; the sentence is its own, the HTTP status in `.status`."""

    def __init__(self, status, told):
        super().__init__(told)
        self.status = status


class Client:
    """One model of a server.

    Args:
        url: of the server, such as "http://localhost:8501".
        model: its name there, as in models.config.
        seconds: that an answer may take.
    """

    def __init__(self, url, model, seconds=30):
        self._url, self._seconds = f"{url}/v1/models/{model}", seconds
        self._session = requests.Session()

    def predict(self, signature, **inputs):
        """Ask a signature, in columns.

        Args:
            signature: its name; README.md of the export lists them with their inputs.
            **inputs: numbers, lists or arrays by name.

        Returns:
            Its only output: nested lists of numbers; bytes are {"b64": text}.

        Raises:
            RefusedError: if the server refuses.
            requests.RequestException: if it cannot be reached.
        """
        given = {name: value.tolist() if hasattr(value, "tolist") else value for name, value in inputs.items()}
        return self._ask({"signature_name": signature, "inputs": given})["outputs"]

    def draw(self, latents, labels=None):
        """float32 images for latents of your own, by rows: what `serving_default` answers."""
        rows = [{"latents": list(map(float, row))} for row in latents]
        if labels is not None:
            rows = [row | {"labels": int(label)} for row, label in zip(rows, labels, strict=True)]
        return np.array(self._ask({"instances": rows})["predictions"], np.float32)

    def sample(self, seed, num_images=None, labels=None):
        """uint8 images (N, height, width, channels): give num_images, or labels to a model with classes."""
        return np.array(self.predict("sample", **_rows(num_images, labels), seed=seed), np.uint8)

    def sample_png(self, seed, num_images=None, labels=None):
        """The same images as the bytes of PNG files, a fifth of the traffic of numbers in JSON."""
        files = self.predict("sample_png", **_rows(num_images, labels), seed=seed)
        return [base64.b64decode(file["b64"]) for file in files]

    def versions(self):
        """Dict version -> state, such as {"2": "AVAILABLE"}."""
        told = self._told(self._session.get(self._url, timeout=self._seconds))
        return {one["version"]: one["state"] for one in told["model_version_status"]}

    def _ask(self, body):
        return self._told(self._session.post(f"{self._url}:predict", json=body, timeout=self._seconds))

    def _told(self, answer):
        if not answer.ok:
            try:
                told = answer.json()["error"]
            except (ValueError, KeyError, TypeError):
                told = answer.reason
            raise RefusedError(answer.status_code, told)
        return answer.json()

    def close(self):
        """Close the connection."""
        self._session.close()


def _rows(num_images, labels):
    return {"num_images": num_images} if labels is None else {"labels": labels}


def main():
    """Ask for images and keep them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", help="http://host:port")
    parser.add_argument("model", help="its name on the server")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--num-images", type=int, default=16)
    parser.add_argument("--labels", type=int, nargs="+", help="classes, one an image, instead of --num-images")
    chosen = parser.parse_args()
    try:
        files = Client(chosen.url, chosen.model).sample_png(chosen.seed, chosen.num_images, chosen.labels)
    except (RefusedError, requests.RequestException) as error:
        parser.exit(1, f"{error}\n")
    for number, file in enumerate(files):
        pathlib.Path(f"image_{number}.png").write_bytes(file)
    print(f"image_0.png to image_{len(files) - 1}.png")


if __name__ == "__main__":
    main()
