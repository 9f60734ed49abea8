"""Clustering by the one group that explains a sample best, in the style of scikit-learn."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import KMeans
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from groupsparse.arrays import check_count
from groupsparse.flats import Flats, fit_flats
from groupsparse.running import Running


class GroupSparseClustering(Running, ClusterMixin, BaseEstimator):
    r"""Cluster samples by the group of atoms that explains them: one active group each.

    .. math:: \min \sum_i \min_k ||y_i - \mu_k - A_k x_i||^2, \qquad A_k^T A_k = I

    It is k-means with ``group_size`` directions in which a cluster may extend for free, fitted by
    turns from several starts of k-means. The fit with the least error is kept; no label enters. A
    network for each cluster, with sparsity within, is :class:`groupsparse.Mixture`.

    Parameters
    ----------
    n_clusters : K
    group_size : atoms of a cluster, from 0, which is k-means, to n_features; n_features - 1 at most
        are used
    centered : whether each cluster has a mean of its own
    n_init : starts
    max_iter : most passes over the data
    device, n_jobs, random_state, verbose : as for :class:`GroupSparseCoder`

    Attributes
    ----------
    labels_ : cluster of each sample of the fit
    components_ : atoms (n_clusters, group_size, n_features); ``means_`` (n_clusters, n_features)
    noise_std_ : standard deviation of an entry about its cluster
    inertia_ : sum of the squared errors
    n_iter_ : passes over the data
    n_features_in_, feature_names_in_ : of the data

    Examples
    --------
    >>> lines = np.repeat([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], 20, axis=0)
    >>> X = lines * np.random.default_rng(0).normal(size=(40, 1)) + [[0.0, 0.0, 1.0]]
    >>> found = GroupSparseClustering(2, group_size=1, random_state=0).fit_predict(X)
    >>> len(set(found[:20])), len(set(found[20:])), len(set(found))
    (1, 1, 2)
    """

    def __init__(
        self,
        n_clusters: int = 8,
        group_size: int = 2,
        *,
        centered: bool = True,
        n_init: int = 4,
        max_iter: int = 50,
        device: str = "cpu",
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.group_size = group_size
        self.centered = centered
        self.n_init = n_init
        self.max_iter = max_iter
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: ArrayLike | Tensor, y: object = None) -> GroupSparseClustering:
        """Cluster samples X (N, n)."""
        count = check_count(self.n_clusters, "n_clusters", least=1)
        passes = check_count(self.max_iter, "max_iter", least=1)
        with self._running():
            data = self._data(X, reset=True)
            if len(data) < count:
                raise ValueError(f"{len(data)} samples cannot form n_clusters = {count}")
            d = min(self._atoms(data.shape[1], least=0), data.shape[1] - 1)
            fits = []
            for seed in self._seeds():
                start = KMeans(count, n_init=1, random_state=seed).fit_predict(data.cpu().numpy())
                labels = torch.from_numpy(start).long().to(data.device)
                fits.append(fit_flats(data, labels, count, d, bool(self.centered), passes))
            errors = [float(f.flats.energies(data).amin(-1).double().sum()) for f in fits]
            best = fits[int(np.argmin(errors))]
        self.inertia_ = min(errors)
        self.noise_std_ = (self.inertia_ / len(data) / (data.shape[1] - d)) ** 0.5
        self.means_ = best.flats.means.cpu().numpy()
        self.components_ = best.flats.atoms.mT.cpu().numpy()
        self.labels_ = self.predict(X).astype(np.int32)
        self.n_iter_ = best.passes
        return self

    def energies(self, X: ArrayLike | Tensor) -> np.ndarray:
        """Squared distance of samples X (N, n) from every cluster: (N, n_clusters)."""
        check_is_fitted(self)
        with self._running():
            data = self._data(X, reset=False)
            flats = Flats(*(torch.from_numpy(x).to(data) for x in (self.means_, self.components_)))
            return flats._replace(atoms=flats.atoms.mT).energies(data).cpu().numpy()

    def predict(self, X: ArrayLike | Tensor) -> np.ndarray:
        """The nearest cluster of samples X (N, n): (N,)."""
        return self.energies(X).argmin(1)

    def predict_proba(self, X: ArrayLike | Tensor) -> np.ndarray:
        r"""Probability of every cluster for samples X (N, n): (N, n_clusters).

        .. math:: \text{softmax}_k(-E_k(y) / (2 \sigma^2))

        with sigma the ``noise_std_``: white noise of one size about clusters that are as likely
        beforehand. Where the errors are not white it is too certain.
        """
        energies = self.energies(X).astype(np.float64)
        odds = -energies / (2 * max(self.noise_std_**2, np.finfo(np.float32).tiny))
        return torch.from_numpy(odds).softmax(-1).numpy()

    def score(self, X: ArrayLike | Tensor, y: object = None) -> float:
        """Minus the mean squared distance of samples X (N, n) from their cluster."""
        return -float(self.energies(X).min(1).mean(dtype=np.float64))
