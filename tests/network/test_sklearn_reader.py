import warnings

import numpy as np
import pytest

from milpcount.errors import NetworkError
from milpcount.network import Network

neural_network = pytest.importorskip("sklearn.neural_network")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))


def fitted(kind: str, target: np.ndarray, **options):
    sizes = {"hidden_layer_sizes": (5, 3), "max_iter": 3, "random_state": 0}
    model = getattr(neural_network, kind)(**sizes, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # three steps do not converge, and need not
        return model.fit(X, target)


def test_regressor_computes_the_same():
    model = fitted("MLPRegressor", X @ RNG.normal(size=(4, 2)))
    net = Network.from_sklearn(model)
    assert net.architecture == "4-5-3-2"
    np.testing.assert_allclose(net(X), model.predict(X), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("classes", [2, 3])
def test_classifier_without_its_softmax(classes):
    labels = np.arange(60) % classes
    model = fitted("MLPClassifier", labels)
    scores = Network.from_sklearn(model)(X)
    chosen = (scores[:, 0] > 0) if classes == 2 else np.argmax(scores, axis=1)
    np.testing.assert_array_equal(chosen, model.predict(X))


@pytest.mark.parametrize("activation", ["tanh", "logistic"])
def test_smooth_activations_are_refused(activation):
    model = fitted("MLPRegressor", X[:, 0], activation=activation)
    with pytest.raises(NetworkError, match=f"'{activation}' is not piecewise linear"):
        Network.from_sklearn(model)


def test_identity_makes_one_affine_map_of_all_layers():
    model = fitted("MLPRegressor", X[:, 0], activation="identity")
    net = Network.from_sklearn(model)
    assert net.n_units == 0
    np.testing.assert_allclose(net(X)[:, 0], model.predict(X), rtol=1e-9, atol=1e-12)


def test_not_fitted():
    with pytest.raises(NetworkError, match="is not fitted: call its fit method first"):
        Network.from_sklearn(neural_network.MLPClassifier())


def test_other_estimators():
    from sklearn.linear_model import LinearRegression

    with pytest.raises(NetworkError, match="a LinearRegression is not supported: give an MLP"):
        Network.from_sklearn(LinearRegression())
