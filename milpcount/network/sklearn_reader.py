"""Reader of scikit-learn's multi-layer perceptrons, alone or at the end of a pipeline.

Scalers before a network stay factors of its first map: `(x - mean) / scale` is not rounded.
"""

import inspect
from typing import Any

import numpy as np

from milpcount import optional
from milpcount.errors import NetworkError
from milpcount.network.activation import relu
from milpcount.network.affine_tensor import AffineTensor
from milpcount.network.builder import NetworkBuilder
from milpcount.network.linear_maps import product
from milpcount.network.network import Network

_CHECKED = {
    "MLP": ("predict", "predict_proba", "_predict", "_forward_pass", "_forward_pass_fast"),
    "Scaler": ("transform", "inverse_transform"),
    "Pipeline": ("predict", "predict_proba", "_iter", "transform"),
    "TransformedTargetRegressor": ("predict",),
}


_PARTS = ("compose", "neural_network", "pipeline", "preprocessing")
"""Modules of scikit-learn that hold what is read."""


def read_sklearn(model: Any) -> Network:
    """Return the network of a fitted perceptron, with the scalers before and after it.

    Parameters
    ----------
    model : estimator
        An ``MLPClassifier`` or ``MLPRegressor`` with activation ``"relu"`` or ``"identity"``; a
        ``Pipeline`` of StandardScaler, MinMaxScaler, MaxAbsScaler or RobustScaler that ends with
        one; a ``TransformedTargetRegressor`` of one with such a scaler. The softmax or logistic
        function of a classifier's output is left out.

    Returns
    -------
    Network
        Weights converted to float64 exactly. With ``"identity"`` all layers are one affine map,
        multiplied out without rounding: a network without units.

    Raises
    ------
    NetworkError
        If it is another estimator, is not fitted, or has another activation.
    NotInstalledError
        If scikit-learn is missing, or cannot be loaded.
    """
    for part in _PARTS:
        optional.require(
            f"sklearn.{part}", "reading a scikit-learn model", "scikit-learn", "sklearn"
        )
    size = _inputs(model)
    builder = NetworkBuilder(size)
    tensor = _applied(model, AffineTensor.of_columns((size,), 0), builder)
    return builder.finish(tensor)


def _applied(model: Any, tensor: AffineTensor, builder: NetworkBuilder) -> AffineTensor:
    """Return what an estimator makes of a row of numbers."""
    kind = _kind_of(model)
    if model is None or model == "passthrough":
        return tensor
    if kind == "Pipeline":
        for _, step in model.steps:
            tensor = _applied(step, tensor, builder)
        return tensor
    if kind == "TransformedTargetRegressor":
        return _retransformed(model, tensor, builder)
    if kind.startswith("MLP"):
        return _perceptron(model, tensor, builder)
    return _scaled(model, kind, tensor)


def _inputs(model: Any) -> int:
    """Return the number of inputs of a fitted model."""
    kind = _kind_of(model)
    first = model
    if kind == "Pipeline":
        steps = [step for _, step in model.steps if step is not None and step != "passthrough"]
        if not steps:
            raise NetworkError("the Pipeline has no steps: there is nothing to count")
        first = steps[0]
        return _inputs(first)
    if kind == "TransformedTargetRegressor":
        return _inputs(_fitted(model, "regressor_").regressor_)
    return int(_fitted(first, "n_features_in_").n_features_in_)


def _kind_of(model: Any) -> str:
    """Return the class of scikit-learn that a model is of; its methods must be those of the class.

    Raises
    ------
    NetworkError
        If it is of no class that is read, or has methods of its own.
    """
    from sklearn import compose, neural_network, pipeline, preprocessing

    if model is None or model == "passthrough":
        return ""
    known = (
        *(neural_network.MLPClassifier, neural_network.MLPRegressor, pipeline.Pipeline),
        *(preprocessing.StandardScaler, preprocessing.MinMaxScaler, preprocessing.MaxAbsScaler),
        *(preprocessing.RobustScaler, compose.TransformedTargetRegressor),
    )
    for cls in known:
        if isinstance(model, cls):
            _check_methods(model, cls)
            return str(cls.__name__)
    raise NetworkError(
        f"a {type(model).__name__} is not implemented: give an MLPClassifier or MLPRegressor, or a "
        "Pipeline of StandardScaler, MinMaxScaler, MaxAbsScaler or RobustScaler and one of them"
    )


def _check_methods(model: Any, kind: type) -> None:
    """Raise NetworkError if a subclass or an instance need not compute what its class does."""
    for name in next(names for k, names in _CHECKED.items() if k in kind.__name__):
        # As defined: some are made anew whenever they are looked up.
        own = inspect.getattr_static(type(model), name, None) is not inspect.getattr_static(
            kind, name, None
        )
        if own or name in vars(model):
            raise NetworkError(
                f"the {type(model).__name__} has a {name} method of its own, so it need not "
                f"compute what {kind.__name__} does: give a plain {kind.__name__}"
            )


def _fitted(model: Any, name: str) -> Any:
    if not hasattr(model, name):
        raise NetworkError(f"the {type(model).__name__} is not fitted: call its fit method first")
    return model


def _perceptron(model: Any, tensor: AffineTensor, builder: NetworkBuilder) -> AffineTensor:
    _fitted(model, "coefs_")
    _check_activation(model.activation)
    last = len(model.coefs_) - 1
    for number, (weight, bias) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        matrix, shape = product(tensor.shape, np.asarray(weight))
        tensor = tensor.applied(matrix, shape, np.asarray(bias))
        if number < last and model.activation == "relu":
            tensor = builder.activate(tensor, relu())
    return tensor


def _check_activation(name: str) -> None:
    if name not in ("relu", "identity"):
        raise NetworkError(
            f"activation {name!r} is not piecewise linear: allowed are 'relu' and 'identity'; "
            "train the model with activation='relu'"
        )


def _scaled(model: Any, kind: str, tensor: AffineTensor, *, inverse: bool = False) -> AffineTensor:
    """Return what a scaler, or its inverse, makes of a row of numbers, without rounding."""
    _fitted(model, "scale_")
    if kind == "MinMaxScaler":
        if model.clip and not inverse:
            raise NetworkError("a MinMaxScaler with clip=True is not implemented")
        if inverse:
            return tensor.plus(np.asarray(model.min_), -1.0).over(np.asarray(model.scale_))
        return tensor.times(np.asarray(model.scale_)).plus(np.asarray(model.min_))
    if getattr(model, "clip", False):
        raise NetworkError(f"a {kind} with clip=True is not implemented")
    centre = getattr(model, "mean_" if kind == "StandardScaler" else "center_", None)
    centred = getattr(model, "with_mean", getattr(model, "with_centering", False))
    scale = model.scale_
    if inverse:
        found = tensor if scale is None else tensor.times(np.asarray(scale))
        return found.plus(np.asarray(centre)) if centred else found
    found = tensor.plus(np.asarray(centre), -1.0) if centred else tensor
    return found if scale is None else found.over(np.asarray(scale))


def _retransformed(model: Any, tensor: AffineTensor, builder: NetworkBuilder) -> AffineTensor:
    """Return what a regressor predicts, put back to the scale of its targets."""
    transformer = _fitted(model, "transformer_").transformer_
    kind = "" if model.func is not None or model.inverse_func is not None else _kind_of(transformer)
    if "Scaler" not in kind:
        raise NetworkError(
            "the transformer of a TransformedTargetRegressor has to be a StandardScaler, "
            "MinMaxScaler, MaxAbsScaler or RobustScaler"
        )
    return _scaled(transformer, kind, _applied(model.regressor_, tensor, builder), inverse=True)
