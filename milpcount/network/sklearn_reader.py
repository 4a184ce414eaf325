"""Reader of scikit-learn's multi-layer perceptrons."""

from typing import Any

from milpcount.errors import NetworkError, NotInstalledError
from milpcount.network.affine import Dense
from milpcount.network.composite import compose
from milpcount.network.network import Network


def read_sklearn(model: Any) -> Network:
    """Return the network of a fitted ``MLPClassifier`` or ``MLPRegressor``.

    Parameters
    ----------
    model : estimator
        With activation ``"relu"`` or ``"identity"``; the softmax or logistic function of a
        classifier's output is left out.

    Returns
    -------
    Network
        Weights converted to float64 exactly. With ``"identity"`` all layers are one affine map,
        multiplied out in float64: a network without units.

    Raises
    ------
    NetworkError
        If it is another estimator, is not fitted, or has another activation.
    NotInstalledError
        If scikit-learn is missing.
    """
    try:
        from sklearn.neural_network import MLPClassifier, MLPRegressor
    except ImportError:
        raise NotInstalledError("reading a scikit-learn model", "scikit-learn", "sklearn") from None
    if not isinstance(model, MLPClassifier | MLPRegressor):
        raise NetworkError(
            f"a {type(model).__name__} is not implemented: give an MLPClassifier or MLPRegressor "
            "(of a Pipeline, the step that holds it)"
        )
    _check_methods(model, MLPClassifier if isinstance(model, MLPClassifier) else MLPRegressor)
    if not hasattr(model, "coefs_"):
        raise NetworkError(f"the {type(model).__name__} is not fitted: call its fit method first")
    _check_activation(model.activation)
    weights = [w.T for w in model.coefs_]
    if model.activation == "identity":
        maps = [Dense(w, b) for w, b in zip(weights, model.intercepts_, strict=True)]
        return Network((), compose(maps))
    return Network.from_arrays(weights, model.intercepts_)


def _check_methods(model: Any, kind: type) -> None:
    """Raise NetworkError if a subclass or an instance need not compute what its class does."""
    for name in ("predict", "predict_proba", "_predict", "_forward_pass", "_forward_pass_fast"):
        own = getattr(type(model), name, None) is not getattr(kind, name, None)
        if own or name in vars(model):
            raise NetworkError(
                f"the {type(model).__name__} has a {name} method of its own, so it need not "
                f"compute what an {kind.__name__} does: give a plain {kind.__name__}"
            )


def _check_activation(name: str) -> None:
    if name not in ("relu", "identity"):
        raise NetworkError(
            f"activation {name!r} is not piecewise linear: allowed are 'relu' and 'identity'; "
            "train the model with activation='relu'"
        )
