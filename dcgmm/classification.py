"""The classifier layer in the model: what it reads, how it learns, and the way back from a class.

It reads the responsibilities of one or several cGMM layers, all positions in a row, one layer
after the other. No gradient leaves it: on a CPU the cGMM layers are, to the bit, those of a model
without it (Sec. VI).
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from dcgmm import backend
from dcgmm.layers import GMM, Classifier
from dcgmm.layers import classifier as linear
from dcgmm.layers import gmm as mixture
from dcgmm.recipes import Recipe
from dcgmm.stack import layer_features, transforms_below_each


def reader(layers: Sequence[keras.layers.Layer], recipe: Recipe) -> Callable:
    """`read(activities) -> [D, N]`, the classifier's input of all cGMM layers' activities."""
    gmms = [index for index, layer in enumerate(layers, start=1) if isinstance(layer, GMM)]
    chosen = [(gmms.index(index), layers[index - 1]) for index in recipe.classifier.inputs]

    def read(activities: Sequence) -> Any:
        rows = [
            ops.reshape(activities[i], (layer.positions * layer.components, -1))
            for i, layer in chosen
        ]
        return rows[0] if len(rows) == 1 else ops.concatenate(rows, axis=0)

    return read


def learner(recipe: Recipe) -> Callable:
    """`learn(parameters, x [D, N], labels [N]) -> parameters, cross-entropy, accuracy`."""
    rate = recipe.classifier.learning_rate

    @backend.fused
    def judge(products: Any, bias: Any, labels: Any) -> tuple:
        loss, gradient, accuracy = linear.cross_entropy(products + bias[:, None], labels)
        return gradient, bias - rate * ops.sum(gradient, axis=1), loss, accuracy

    @backend.fused
    def descend(weights: Any, gradient: Any) -> Any:
        return weights - rate * gradient

    def learn(parameters: linear.Parameters, x: Any, labels: Any) -> tuple:
        weights, bias = parameters
        gradient, bias, loss, accuracy = judge(backend.matmul(weights, x), bias, labels)
        slope = backend.matmul(gradient, x, transpose_b=True)  # [S, D]
        return linear.Parameters(descend(weights, slope), bias), loss, accuracy

    return learn


def forward_pass(layers: Sequence[keras.layers.Layer], recipe: Recipe) -> Callable:
    """Compile `forward(states, x [H, W, C, N]) -> (), probabilities [S, N]`.

    The last of `states` are the classifier's parameters; `inference.in_batches` takes the rest.
    """
    top = max(recipe.classifier.inputs)
    gmms = [layer for layer in layers[:top] if isinstance(layer, GMM)]
    below = transforms_below_each(layers[:top])
    read = reader(layers, recipe)

    def forward(states: tuple, x: Any) -> tuple:
        activities = []
        for layer, transforms, state in zip(gmms, below, states[:-1], strict=True):
            scores = mixture.log_scores(state.parameters, layer_features(x, transforms, layer))
            gamma = mixture.responsibilities(scores)
            x = ops.reshape(gamma, (*layer.size, layer.components, -1))
            activities.append(x)
        return (), ops.exp(linear.log_probabilities(linear.logits(states[-1], read(activities))))

    return backend.compiled(forward)


def control_signal(
    layers: Sequence[keras.layers.Layer], recipe: Recipe, classes: Any, confidence: float = 0.95
) -> np.ndarray:
    """What the classifier hands to the top cGMM layer, for images of given classes.

    The classifier's backward mode, applied to the logarithm of probabilities that are `confidence`
    for the class wanted and equal for all others; the release takes 0.95. (The paper takes a
    one-hot vector, which has no logarithm.)

    Args:
        layers: of the model; the classifier reads the top cGMM layer and no other.
        recipe: of the model.
        classes: integers [n] in 0..S-1.
        confidence: between 1/S and 1.

    Returns:
        float32 [n, H, W, K], from 0; not normalised.

    Raises:
        ValueError: if there is no classifier or it reads another layer; for a class that it does
            not know, or such a `confidence`.
    """
    *below, layer = layers
    if not isinstance(layer, Classifier):
        raise ValueError("the model has no classifier, so images of a class cannot be drawn")
    top = max(i for i, layer in enumerate(below, start=1) if isinstance(layer, GMM))
    if recipe.classifier.inputs != (top,):
        raise ValueError(
            f"the classifier reads {_named(recipe.classifier.inputs)}, but images of a class can "
            f"be drawn only if it reads the top cGMM layer, layer {top}, and no other"
        )
    classes = as_classes(classes, layer.classes, "classes")
    if not 1 / layer.classes < confidence < 1:
        raise ValueError(
            f"confidence is {confidence}, but must lie between 1/{layer.classes} and 1"
        )
    t = np.full((layer.classes, len(classes)), (1 - confidence) / (layer.classes - 1))
    t[classes, np.arange(len(classes))] = confidence
    signal = layer.backward(ops.convert_to_tensor(np.log(t).astype("float32")))  # [D, n]
    gmm = layers[top - 1]
    return np.asarray(signal).T.reshape(-1, *gmm.size, gmm.components)


def require_fitted(classifier: Classifier | None, fitted: bool) -> None:
    """Refuse to predict without a classifier that has learnt.

    Raises:
        ValueError: saying which of the two is missing.
    """
    if classifier is None:
        raise ValueError("the model has no classifier: end its layers with one, such as C(10)")
    if not fitted:
        raise ValueError("the classifier has not learnt yet: call fit with images and labels")


def as_classes(values: Any, classes: int, name: str) -> np.ndarray:
    """Classes as int32 [n].

    Raises:
        ValueError: for another rank, anything but integers, or a class outside 0..classes-1.
    """
    values = np.asarray(values)
    if values.ndim != 1:
        raise ValueError(f"{name} have {values.ndim} axes {values.shape}, but must have one: [n]")
    if not np.issubdtype(values.dtype, np.integer):
        raise ValueError(f"{name} are {values.dtype}, but must be integers")
    if len(values) and (values.min() < 0 or values.max() >= classes):
        wrong = values[(values < 0) | (values >= classes)][0]
        raise ValueError(
            f"{name} hold {wrong}, but the classifier knows the classes 0 to {classes - 1}"
        )
    return values.astype("int32")


def as_labels(labels: Any, images: int, classifier: Classifier | None) -> np.ndarray | None:
    """The labels [n] that training needs: one an image with a classifier, none without.

    Raises:
        ValueError: for labels without a classifier or a classifier without labels, as many
            labels as there are no images, or labels that are no classes.
    """
    if classifier is None and labels is None:
        return None
    if classifier is None:
        raise ValueError("labels are given, but the model has no classifier: leave them out")
    if labels is None:
        raise ValueError("the model has a classifier, which needs labels: give fit labels")
    labels = as_classes(labels, classifier.classes, "labels")
    if len(labels) != images:
        raise ValueError(f"there are {len(labels)} labels for {images} images: give one each")
    return labels


def _named(indices: Sequence[int]) -> str:
    return ("layer " if len(indices) == 1 else "layers ") + " and ".join(map(str, indices))
