"""Images from TensorFlow Serving by gRPC, with the official stubs: pip install tensorflow-serving-api.

    python examples/serving/grpc_client.py localhost:8500 dcgan --seed 0 --num-images 16
    python examples/serving/grpc_client.py localhost:8500 cgan --seed 0 --labels 0 1 2 3

The images of a seed are those of `model.generate`, as uint8; they are kept in images.npy.
"""

import argparse

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc

_ANY_SIZE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]  # instead of 4 MB


class Client:
    """One model of a server.

    Args:
        address: host:port of the server's gRPC interface.
        model: its name there, as in models.config.
        seconds: that an answer may take.
    """

    def __init__(self, address, model, seconds=30):
        self.model, self.seconds = model, seconds
        self._channel = grpc.insecure_channel(address, options=_ANY_SIZE)
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)

    def predict(self, signature, **inputs):
        """Ask a signature.

        Args:
            signature: its name; README.md of the export lists them with their inputs.
            **inputs: arrays or numbers by name; Python's own become int32 and float32.

        Returns:
            Dict name -> array.

        Raises:
            grpc.RpcError: with `.code()` and `.details()`, if the server refuses.
        """
        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = self.model, signature
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        answer = self._stub.Predict(request, self.seconds)
        return {name: tf.make_ndarray(value) for name, value in answer.outputs.items()}

    def sample(self, seed, num_images=None, labels=None):
        """uint8 images (N, height, width, channels): give num_images, or labels to a model with classes."""
        rows = {"num_images": num_images} if labels is None else {"labels": np.asarray(labels, np.int32)}
        return self.predict("sample", **rows, seed=seed)["images"]

    def signatures(self):
        """What can be asked: signature -> {"inputs": names, "outputs": names}, each sorted."""
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        request.model_spec.name = self.model
        told = get_model_metadata_pb2.SignatureDefMap()
        self._stub.GetModelMetadata(request, self.seconds).metadata["signature_def"].Unpack(told)
        return {
            name: {"inputs": sorted(one.inputs), "outputs": sorted(one.outputs)}
            for name, one in told.signature_def.items()
            if not name.startswith("__")
        }

    def close(self):
        """Close the connection."""
        self._channel.close()


def main():
    """Ask for images and keep them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address", help="host:port")
    parser.add_argument("model", help="its name on the server")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--num-images", type=int, default=16)
    parser.add_argument("--labels", type=int, nargs="+", help="classes, one an image, instead of --num-images")
    chosen = parser.parse_args()
    try:
        images = Client(chosen.address, chosen.model).sample(chosen.seed, chosen.num_images, chosen.labels)
    except grpc.RpcError as error:
        parser.exit(1, f"{error.code().name}: {error.details()}\n")
    np.save("images.npy", images)
    print(f"images.npy: {images.dtype} {images.shape}")


if __name__ == "__main__":
    main()
