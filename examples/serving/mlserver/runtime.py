"""A generator behind MLServer and KServe, by the Open Inference Protocol.

    pip install mlserver './tfgan_zoo_serving[litert]'
    MLSERVER_PARALLEL_WORKERS=0 mlserver start examples/serving/mlserver

Asked with a latent a row ("latents", and "labels" of a model with classes) it draws float32 images; asked with a "seed"
and "num_images" (or "labels") it draws those of `model.generate`. Requests run in threads that share one generator.
"""

import asyncio

import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.errors import InferenceError
from mlserver.types import InferenceResponse
from mlserver.utils import get_model_uri

from tfgan_zoo_serving import load_exported

MOST = 1024  # images of one request


class Generator(MLModel):
    """An export, at the `uri` of model-settings.json."""

    async def load(self):
        """Check the export's hashes and load its first format that can be run here."""
        self._generator = load_exported(await get_model_uri(self.settings), threads=1)
        return True

    async def predict(self, payload):
        """Images for a request's inputs."""
        given = {one.name: NumpyCodec.decode_input(one) for one in payload.inputs}
        try:
            images = await asyncio.get_running_loop().run_in_executor(None, self._draw, given)
        except (ValueError, KeyError, TypeError) as error:
            raise InferenceError(str(error)) from error
        output = NumpyCodec.encode_output("images", images)
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=[output])

    def _draw(self, given):
        labels = given.get("labels")
        count = len(labels) if labels is not None else None
        if "latents" in given:
            count = len(given["latents"])
        elif count is None:
            count = int(given["num_images"].item())
        if count > MOST:
            raise ValueError(f"{count} images were asked for: {MOST} are made at most.")
        if "latents" in given:
            return self._generator(given["latents"].astype(np.float32), labels)
        return self._generator.generate(count, labels, int(given["seed"].item()))
