"""Group-sparse coding in the style of scikit-learn: arrays in, arrays out, sizes and no rates."""

from __future__ import annotations

import logging

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from groupsparse.alternating import Alternated, State, alternate
from groupsparse.arrays import check_count
from groupsparse.dictionary import from_blocks
from groupsparse.discovery import discover
from groupsparse.group_size import estimate_group_size
from groupsparse.pairwise import NoGroupsError
from groupsparse.pursuit import ROWS, Selection, refit_codes, select_groups
from groupsparse.running import Running, as_numpy
from groupsparse.seeds import as_generator

log = logging.getLogger(__name__)

AUTO = "auto"
FOLDS = 5  # of the features, for the score
KEPT = 4096  # first samples of a stream


class GroupSparseCoder(Running, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    r"""Learn groups of atoms such that few of them explain a sample; code samples by them.

    .. math:: y_i \approx \sum_{g \in S_i} A_g x_{ig}, \qquad A_g^T A_g = I

    The dictionary is learnt from nothing (:func:`groupsparse.discover`) and then alternates with
    the codes, both in closed form (:func:`groupsparse.alternate`): there is no rate to tune. The
    codes are least squares on the groups that are active, so they are not shrunk. A sample counts
    as it is: scale features and subtract a mean beforehand if that is meant.

    Parameters
    ----------
    n_groups : groups to learn; None: as many as show more clearly than white noise would. Those
        that do not show are random
    group_size : atoms of a group; None: :func:`groupsparse.estimate_group_size`
    lambda_ : ``"auto"``: a test finds the groups that are active in a sample, from the noise that
        the sample itself shows. A number: those with :math:`||A_g^T y||_2 > \lambda`
    active_groups : groups in every sample, if they are known, instead of either
    max_iter : most passes over the data after the start
    tol : mean squared change of an atom at which they end
    n_init : starts, the one with the best :meth:`score` is kept
    warm_start : whether :meth:`fit` goes on from the groups of the last call
    device : name of the torch device to compute on
    n_jobs : threads; None: as many as torch has
    random_state : of the starts; the same number gives the same groups
    verbose : whether progress is printed

    Attributes
    ----------
    components_ : atoms as rows, (n_groups * group_size, n_features), of unit norm
    groups_ : (n_groups, group_size), the rows of ``components_`` that belong to each group
    n_iter_ : passes over the data after the start
    history_ : ``loss``, the mean of 1/2 ||y - A x||^2 in every pass before its update
    n_features_in_, feature_names_in_ : of the data

    Examples
    --------
    >>> import groupsparse as gs
    >>> truth = gs.random_dictionary(40, 20, generator=0)
    >>> X = gs.sample(truth, 4, 1, (4.0, 5.0), samples=500, generator=1, snr_db=10.0).data
    >>> coder = GroupSparseCoder(n_groups=5, group_size=4, random_state=0).fit(X)
    >>> gs.invariant_squared_error(coder.components_.T, truth, 4) < 0.2
    True
    >>> coder.transform(X).shape, round(coder.score(X), 2)
    ((500, 20), 0.9)
    """

    def __init__(
        self,
        n_groups: int | None = 8,
        group_size: int | None = 2,
        *,
        lambda_: float | str = AUTO,
        active_groups: int | None = None,
        max_iter: int = 20,
        tol: float = 1e-4,
        n_init: int = 1,
        warm_start: bool = False,
        device: str = "cpu",
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_groups = n_groups
        self.group_size = group_size
        self.lambda_ = lambda_
        self.active_groups = active_groups
        self.max_iter = max_iter
        self.tol = tol
        self.n_init = n_init
        self.warm_start = warm_start
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: ArrayLike | Tensor, y: object = None) -> GroupSparseCoder:
        """Learn the groups of samples X (N, n)."""
        again = self.warm_start and hasattr(self, "components_")
        with self._running():
            data = self._data(X, reset=True)
            d = self.groups_.shape[1] if again else self._group_size(data)
            starts = [self._dictionary(data)] if again else self._starts(data, d)
            found = [self._alternated(start, data, d) for start in starts]
            if len(found) > 1:
                errors = [float(self._hidden_errors(data, f.dictionary, d).sum()) for f in found]
                found = [found[int(np.argmin(errors))]]
        losses = found[0].history["loss"][1:].tolist()
        self._stream = self._kept = None
        explained = float(data.square().sum(dtype=torch.float64)) - 2 * len(data) * losses[-1]
        self._power = max(explained, 0.0) / found[0].dictionary.shape[1]
        self._keep(found[0].dictionary, d, losses)
        return self

    def partial_fit(self, X: ArrayLike | Tensor, y: object = None) -> GroupSparseCoder:
        """Update the groups by one more batch X (N, n) of a stream.

        The first :data:`KEPT` samples are kept, and the groups are learnt anew from all of them in
        every call. Of later ones, and after :meth:`fit`, only sums are: memory does not grow.
        """
        fresh = not hasattr(self, "components_")
        with self._running():
            data = self._data(X, reset=fresh)
            d = self._group_size(data) if fresh else self.groups_.shape[1]
            if fresh:
                self._stream, self._kept, self._losses = None, data[:0], []
            if self._stream is None and self._kept is None:
                self._stream, self._losses = State(self._dictionary(data), d, "orthonormal"), []
                self._stream.sums.pull(self._stream.basis, self._power)
            if self._stream is None:
                data = torch.cat([self._kept.to(data), data])
                known = None if fresh else self._dictionary(data)
                dictionary = self._starts(data[:KEPT], d, known)[0]
                self._kept = data
                if len(data) >= KEPT:
                    self._kept, self._stream = None, State(dictionary, d, "orthonormal")
            if self._stream is not None:
                loss = self._stream.add(data.to(self._stream.basis), self._rule()) / 2
                self._losses.append(loss / len(data))
                self._stream.update()
                dictionary = self._stream.dictionary()
        self._keep(dictionary, d, self._losses)
        return self

    def transform(self, X: ArrayLike | Tensor) -> np.ndarray:
        """Codes (N, n_groups * group_size) of samples X (N, n): zero outside the active groups."""
        check_is_fitted(self)
        with self._running():
            data = self._data(X, reset=False)
            problem = data, self._dictionary(data), self.groups_.shape[1]
            return self._codes(*problem, self._rule()).cpu().numpy()

    def inverse_transform(self, X: ArrayLike | Tensor) -> np.ndarray:
        """The samples A x (N, n) of codes X (N, n_groups * group_size)."""
        check_is_fitted(self)
        codes, atoms = as_numpy(X), len(self.components_)
        if codes.ndim != 2 or codes.shape[1] != atoms:
            raise ValueError(f"codes must have shape (N, {atoms}), not {codes.shape}")
        return codes @ self.components_

    def score(
        self, X: ArrayLike | Tensor, y: object = None, sample_weight: ArrayLike | None = None
    ) -> float:
        r"""Share of the energy of hidden features that codes of the others predict, at most 1.

        .. math:: 1 - \sum_i w_i ||y_i - \hat y_i||^2 / \sum_i w_i ||y_i||^2

        A fifth of the features at a time is hidden. Too many groups, or too large ones, fit noise
        in what they see and predict the rest worse, so cross-validation can choose between sizes.
        With fewer than 3 ``group_size`` features nothing is hidden.
        """
        check_is_fitted(self)
        with self._running():
            data = self._data(X, reset=False)
            error = self._hidden_errors(data, self._dictionary(data), self.groups_.shape[1])
            parts = [part.double().cpu().numpy() for part in (error, data.square().sum(1))]
        weight = np.ones(len(data)) if sample_weight is None else np.asarray(sample_weight, float)
        if weight.shape != (len(data),):
            raise ValueError(f"sample_weight must have shape ({len(data)},), not {weight.shape}")
        error, energy = (float(weight @ part) for part in parts)
        return 1 - error / energy if energy else 0.0

    def _group_size(self, data: Tensor) -> int:
        if self.group_size is None:
            return estimate_group_size(data, self._seeds()[0])
        return self._atoms(data.shape[1])

    def _starts(self, data: Tensor, d: int, known: Tensor | None = None) -> list[Tensor]:
        """Groups (n, m) to begin with, from every seed; ``known`` may be some of them."""
        (samples, n), count = data.shape, self.n_groups
        if count is not None:
            check_count(count, "n_groups", least=1)
        try:
            if min(samples, n) < 2 * d:
                raise NoGroupsError(f"{samples} samples of {n} features show no groups of {d}")
            k = self._rule().active_groups
            return [
                discover(data, count, d, seed, start=known, active_groups=k)
                for seed in self._seeds()
            ]
        except NoGroupsError as error:
            if count is None:
                raise
            log.warning("%s; the start is random", error)
        drawn = [torch.randn(count, n, d, generator=as_generator(seed)) for seed in self._seeds()]
        return [from_blocks(torch.linalg.qr(groups).Q).to(data) for groups in drawn]

    def _alternated(self, start: Tensor, data: Tensor, d: int) -> Alternated:
        before = [start]

        def settled(number: int, dictionary: Tensor) -> bool:
            moved = (dictionary - before.pop()).square().sum(0).mean()
            before.append(dictionary)
            return bool(moved < self.tol)

        rule, passes = self._rule(), check_count(self.max_iter, "max_iter", least=1)
        return alternate(
            start, data, d, passes=passes, callback=settled, active_groups=rule.active_groups,
            lambda_=rule.lambda_,
        )  # fmt: skip

    def _codes(self, data: Tensor, dictionary: Tensor, d: int, rule: Selection) -> Tensor:
        codes = []
        for part in data.split(ROWS):
            support = select_groups(part, dictionary, d, **rule._asdict())
            codes.append(refit_codes(part, dictionary, support, d))
        return torch.cat(codes)

    def _hidden_errors(self, data: Tensor, dictionary: Tensor, d: int) -> Tensor:
        """Squared errors (N,) of features that the codes have not seen."""
        n, rule = data.shape[1], self._rule()
        fold = torch.arange(n, device=data.device) % FOLDS
        if n < 3 * d:
            return (data - self._codes(data, dictionary, d, rule) @ dictionary.mT).square().sum(1)
        if rule.active_groups:  # no more than what is left can tell
            seen = n - -(-n // FOLDS)
            rule = rule._replace(active_groups=min(rule.active_groups, seen // d))
        errors = torch.zeros_like(data[:, 0])
        for number in range(min(FOLDS, n)):
            hidden = fold == number
            codes = self._codes(data[:, ~hidden], dictionary[~hidden], d, rule)
            errors += (data[:, hidden] - codes @ dictionary[hidden].mT).square().sum(1)
        return errors

    def _rule(self) -> Selection:
        """Which groups are active in a sample."""
        if isinstance(self.lambda_, str) and self.lambda_ != AUTO:
            raise ValueError(f"lambda_ must be a number or {AUTO!r}, not {self.lambda_!r}")
        return Selection(self.active_groups, None if self.lambda_ == AUTO else self.lambda_)

    def _dictionary(self, data: Tensor) -> Tensor:
        return torch.from_numpy(self.components_.T.copy()).to(data)

    def _keep(self, dictionary: Tensor, d: int, losses: list[float]) -> None:
        self.components_ = dictionary.mT.cpu().numpy().copy()
        self.groups_ = np.arange(len(self.components_)).reshape(-1, d)
        self.history_ = {"loss": np.asarray(losses)}
        self.n_iter_ = len(losses)
        self._n_features_out = len(self.components_)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
