"""Reader of scikit-learn's multi-layer perceptrons."""

from typing import Any

from milpcount.errors import NetworkError, NotInstalledError
from milpcount.network.network import Network


def read_sklearn(model: Any) -> Network:
    """Return the network of a fitted ``MLPClassifier`` or ``MLPRegressor``.

    Parameters
    ----------
    model : estimator
        With activation ``"relu"``; the softmax or logistic function of a classifier's output is
        left out.

    Returns
    -------
    Network
        Weights converted to float64 exactly.

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
            f"a {type(model).__name__} is not supported: give an MLPClassifier or MLPRegressor "
            "(of a Pipeline, the step that holds it)"
        )
    if not hasattr(model, "coefs_"):
        raise NetworkError(f"the {type(model).__name__} is not fitted: call its fit method first")
    _check_activation(model.activation)
    return Network.from_arrays([w.T for w in model.coefs_], model.intercepts_)


def _check_activation(name: str) -> None:
    if name == "identity":
        raise NetworkError(
            "activation 'identity' makes the whole network one affine map: it has one linear "
            "region and no units to count; allowed is 'relu'"
        )
    if name != "relu":
        raise NetworkError(
            f"activation {name!r} is not piecewise linear: allowed is 'relu'; train the model "
            "with activation='relu'"
        )
