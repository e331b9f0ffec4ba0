"""The SavedModel, as TensorFlow Serving wants it."""

import tensorflow as tf

from tfgan_zoo.export import endpoints


def write(model, path, max_images=endpoints.MAX_IMAGES, only=None, batch=None):
    """Write the SavedModel of what a model answers.

    Args:
        model: a model that `inference.check` accepts.
        path: the directory to make.
        max_images: that one request may ask for.
        only: name of the single signature to write, for a converter; None for all.
        batch: fixed batch size of serving_default; None for a free one.

    Returns:
        (dict name -> `endpoints.Signature` of what was written, dict name -> what the card says of it).
    """
    signatures = endpoints.of(model, max_images, batch)
    signatures = signatures if only is None else {only: signatures[only]}
    module = tf.Module()
    variables = [variable for network in model.inference.values() for variable in network.variables]
    variables += getattr(model, "state", {}).values()
    module.weights = [variable.value for variable in variables]  # keras.export.ExportArchive saves each twice
    functions = {name: signature.traced() for name, signature in signatures.items()}
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)  # nothing served is trained
    tf.saved_model.save(module, str(path), signatures=functions, options=options)
    outputs = {name: function.get_concrete_function().structured_outputs for name, function in functions.items()}
    return signatures, {name: one.describe(outputs[name]) for name, one in signatures.items()}
