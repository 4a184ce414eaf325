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


def scaled(*scalers, target=None, **options):
    """Return a fitted pipeline of scalers and a regressor."""
    from sklearn.pipeline import make_pipeline

    model = neural_network.MLPRegressor(
        hidden_layer_sizes=(5, 3), max_iter=3, random_state=0, **options
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make_pipeline(*scalers, model).fit(X, X[:, 0] if target is None else target)


def scalers():
    from sklearn import preprocessing

    return [
        preprocessing.StandardScaler(),
        preprocessing.StandardScaler(with_mean=False),
        preprocessing.StandardScaler(with_std=False),
        preprocessing.MinMaxScaler((-1, 2)),
        preprocessing.MaxAbsScaler(),
        preprocessing.RobustScaler(),
        preprocessing.RobustScaler(with_centering=False, unit_variance=True),
    ]


@pytest.mark.parametrize("number", range(7))
def test_scalers_before_a_network(number):
    model = scaled(scalers()[number])
    net = Network.from_sklearn(model)
    np.testing.assert_allclose(net(X)[:, 0], model.predict(X), rtol=1e-9, atol=1e-12)


def test_several_scalers_and_steps_that_do_nothing():
    model = scaled(*scalers(), "passthrough")
    np.testing.assert_allclose(
        Network.from_sklearn(model)(X)[:, 0], model.predict(X), rtol=1e-9, atol=1e-12
    )


def test_a_scaler_is_not_rounded():
    """Both units change where the scaled input is -1: two regions, three if 1 / 0.7 is rounded."""
    import milpcount as mc

    model = scaled(scalers()[0])
    scaler, mlp = model[0], model[-1]
    scaler.mean_, scaler.scale_, scaler.n_features_in_ = np.array([0.3]), np.array([0.7]), 1
    mlp.coefs_, mlp.intercepts_ = [np.array([[1.0, 3.0]])], [np.array([1.0, 3.0])]
    mlp.coefs_.append(np.ones((2, 1)))
    mlp.intercepts_.append(np.zeros(1))
    net = Network.from_sklearn(model)
    found = mc.count(net, mc.Box(-10, 10), mc.ExactTree())
    assert (found.lower, found.upper) == (2, 2)


@pytest.mark.parametrize("number", range(7))
def test_scaled_targets(number):
    from sklearn.compose import TransformedTargetRegressor

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inner = neural_network.MLPRegressor(hidden_layer_sizes=(5,), max_iter=3, random_state=0)
        model = TransformedTargetRegressor(inner, transformer=scalers()[number]).fit(X, 9 * X[:, 0])
    net = Network.from_sklearn(model)
    np.testing.assert_allclose(net(X)[:, 0], model.predict(X), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("sizes", [(1,), (1, 1), 1])
def test_one_unit_one_input_one_output(sizes):
    model = neural_network.MLPRegressor(hidden_layer_sizes=sizes, max_iter=3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X[:, :1], X[:, 0])
    net = Network.from_sklearn(model)
    assert net.n_inputs == 1 and set(net.widths) == {1}
    np.testing.assert_allclose(net(X[:, :1])[:, 0], model.predict(X[:, :1]), rtol=1e-12)


def test_a_pipeline_is_a_chain_where_nothing_is_scaled():
    model = scaled("passthrough")
    mlp = Network.from_sklearn(model[-1])
    assert Network.from_sklearn(model).fingerprint == mlp.fingerprint
    weights = [w.T for w in model[-1].coefs_]
    assert mlp.fingerprint == Network.from_arrays(weights, model[-1].intercepts_).fingerprint


def test_pipelines_that_are_refused():
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures

    with pytest.raises(NetworkError, match="a PolynomialFeatures is not implemented: give an MLP"):
        Network.from_sklearn(scaled(PolynomialFeatures(2)))
    with pytest.raises(NetworkError, match="a MinMaxScaler with clip=True is not implemented"):
        Network.from_sklearn(scaled(MinMaxScaler(clip=True)))
    with pytest.raises(NetworkError, match="MLPRegressor is not fitted"):
        Network.from_sklearn(make_pipeline(neural_network.MLPRegressor()))
    with pytest.raises(NetworkError, match="TransformedTargetRegressor is not fitted"):
        Network.from_sklearn(TransformedTargetRegressor(neural_network.MLPRegressor()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inner = neural_network.MLPRegressor(hidden_layer_sizes=(2,), max_iter=3)
        logs = TransformedTargetRegressor(inner, func=np.log1p, inverse_func=np.expm1)
        logs.fit(X, abs(X[:, 0]))
    with pytest.raises(NetworkError, match="has to be a StandardScaler"):
        Network.from_sklearn(logs)
