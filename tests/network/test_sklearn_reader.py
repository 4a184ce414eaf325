import warnings
from fractions import Fraction

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

    with pytest.raises(NetworkError, match="a LinearRegression is not implemented: give an MLP"):
        Network.from_sklearn(LinearRegression())


class Rounding(neural_network.MLPRegressor):
    def predict(self, x):
        return np.round(super().predict(x))


def test_methods_of_the_users():
    model = fitted("MLPRegressor", X[:, 0])
    model.__class__ = Rounding
    with pytest.raises(NetworkError, match="the Rounding has a predict method of its own"):
        Network.from_sklearn(model)
    model.__class__ = neural_network.MLPRegressor
    model._forward_pass_fast = model._forward_pass_fast
    with pytest.raises(NetworkError, match="has a _forward_pass_fast method of its own"):
        Network.from_sklearn(model)


def test_affine_maps_are_merged_without_rounding():
    model = fitted("MLPRegressor", X[:, 0], activation="identity")
    maps = [np.full((4, 5), 0.1), np.full((5, 3), 0.1), np.full((3, 1), 0.1)]
    model.coefs_, model.intercepts_ = maps, [np.zeros(5), np.zeros(3), np.zeros(1)]
    integers, denominator = Network.from_sklearn(model).output.exact()
    assert Fraction(int(integers[0, 1]), denominator) == 15 * Fraction(0.1) ** 3
