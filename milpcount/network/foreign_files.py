"""Formats of files that are not read: what they are, and how to get a network out of them."""

_PICKLE = "a pickle, which would run code when it is loaded"
_OF_TORCH = (
    f"{_PICKLE}: build the module, load its state_dict with weights_only=True and use "
    "Network.from_torch(module), or write it by torch.export.save(.., 'net.pt2')"
)
_OF_SKLEARN = f"{_PICKLE}: load it yourself and use Network.from_sklearn(model)"
_OF_KERAS = "Keras: write it by model.export('net.onnx', format='onnx')"
_OF_TENSORFLOW = "TensorFlow: convert it by python -m tf2onnx.convert .. --output net.onnx"
FOREIGN = {
    **dict.fromkeys((".pt", ".pth", ".ckpt", ".bin"), _OF_TORCH),
    **dict.fromkeys((".pkl", ".pickle", ".joblib", ".skops"), _OF_SKLEARN),
    **dict.fromkeys((".keras", ".h5", ".hdf5"), _OF_KERAS),
    ".pb": _OF_TENSORFLOW,
    ".tflite": (
        "TensorFlow Lite: convert it by python -m tf2onnx.convert --tflite .. --output net.onnx"
    ),
    ".safetensors": (
        "weights without the layers: load them into the module and use Network.from_torch(module)"
    ),
    ".mat": (
        "MATLAB: write it by exportONNXNetwork(net, 'net.onnx'), or read its matrices with "
        "scipy.io.loadmat and use Network.from_arrays(weights, biases)"
    ),
    ".mlmodel": "Core ML: export the model it was made from as .onnx",
    ".mlpackage": "Core ML: export the model it was made from as .onnx",
    ".gz": "compressed: unpack it first",
    ".zip": "compressed: unpack it first",
    ".pdmodel": "PaddlePaddle: convert it by paddle2onnx --model_dir .. --save_file net.onnx",
    ".onnxtxt": "ONNX as text: write it by onnx.save as .onnx",
}
"""What other formats are, and how to get a network out of them."""
