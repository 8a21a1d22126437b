"""The layer types of Table VI, one file each.

Inside the model, activities are [H, W, C, N], the batch LAST: every element-wise operation then
runs along contiguous images, a patch is a copy of whole rows, and a mixture layer is one batched
matrix product with the positions as its batch.
"""

from dcgmm.layers.classifier import Classifier
from dcgmm.layers.folding import Folding
from dcgmm.layers.gmm import GMM
from dcgmm.layers.pooling import MaxPooling

__all__ = ["GMM", "Classifier", "Folding", "MaxPooling"]
