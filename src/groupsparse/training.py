"""Training loop for batched replicates: history per epoch, exact resume."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor
from torch.optim import Optimizer

from groupsparse import checkpoints, history, rates
from groupsparse.arrays import check_count
from groupsparse.batches import Batches, fit_batch
from groupsparse.dictionary import normalize_columns, retract_groups, tangent
from groupsparse.trainable import Trainable
from groupsparse.trials import Recording

log = logging.getLogger(__name__)

OPTIMIZERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}
NORMALIZATIONS = (False, True, "orthonormal")
DECAYS = (None, "cosine")
ROUNDING = 1e-5  # share of the loss by which it rises without a reason
DIVERGED = 1e3  # factor over the first loss at which training counts as diverged


class DivergedError(RuntimeError):
    """Training produced a loss that is not finite or has exploded."""


def train(
    model: Trainable,
    batches: Batches,
    *,
    epochs: int,
    lr: float = 1e-3,
    optimizer: str | Optimizer | Callable[..., Optimizer] = "adam",
    normalize: bool | str = False,
    decay: str | None = None,
    metrics: Callable[[Tensor], dict[str, float | Tensor]] | None = None,
    callback: Callable[[int, Trainable], object] | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 50,
    fingerprint: object = None,
) -> dict[str, Tensor]:
    r"""Minimise the loss of ``model`` in place: for an autoencoder eqs. 13-14.

    Replicates (the leading dimension of the dictionary) do not interact: the losses are summed
    and the usual optimisers act entry by entry.

    Parameters
    ----------
    model : a :class:`groupsparse.autoencoder.Autoencoder`, a :class:`groupsparse.mixture.Mixture`,
        or what has their attributes (:class:`groupsparse.trainable.Trainable`)
    batches : yields the batches of an epoch in 1..epochs: (R, B, n); or (B, n), for a dictionary
        (n, m) or shared by all replicates; or trials (:class:`groupsparse.trials.TrialData`)
    lr : learning rate of an optimiser that is given by name or class
    optimizer : ``adam``, ``sgd``, a class of :mod:`torch.optim`, a function from parameters to an
        optimiser, or an optimiser of the parameters of ``model``
    normalize : after every step, True: scale atoms to unit norm, or to what the ``project`` of a
        model makes of them; ``orthonormal``: make every group orthonormal by
        :func:`groupsparse.dictionary.retract_groups`; False: nothing. Orthonormal groups step
        along :func:`groupsparse.dictionary.tangent` alone: shrunk codes have a large gradient that
        would stretch the atoms, which Adam, entry by entry, turns into a rotation
    decay : of the learning rate. ``cosine``: in epoch e of E it is

        .. math:: lr \, \tfrac12 (1 + \cos(\pi (e - 1) / E))

        so it is lr at first and tends to 0: a constant step jitters about the optimum for ever. It
        needs no number of its own (1/t needs the epoch at which it begins), but a checkpoint for
        another E is not used. Your own optimiser keeps the last rate, as with torch's schedulers,
        and another training with it begins at lr again, or at the rate that you set in between
    metrics : maps the dictionary (R, n, m) to named values (R,), or (n, m) to numbers; recorded
        after every epoch
    callback : called as ``callback(epoch, model)`` after every epoch; training stops if it returns
        True, and stays stopped when the same call is repeated with its checkpoint
    checkpoint : file that is written every ``checkpoint_every`` epochs and at the end; delete it
        once the results are saved. If it exists and was made by the same code, model, start, data,
        optimiser, ``fingerprint``, device and threads, training resumes from it, also to more
        epochs, and ends with the bits of an uninterrupted run. If not, or if it is damaged or past
        ``epochs``, a warning says why, and training starts over and overwrites it. It does not hold
        the state of a callback, such as a scheduler. Of an activation of your own it knows the
        program, and what that names of constants and functions of its module, but no imports
    fingerprint : JSON-able description of what else determines the result: the data, if ``batches``
        is a function of your own and not one of :mod:`groupsparse.batches`

    Returns
    -------
    history : name -> (epochs + 1, R), or (epochs + 1,) for a dictionary (n, m). Row e holds the
        metrics after e epochs and the mean training ``loss`` during epoch e (NaN in row 0).

    Raises
    ------
    DivergedError with epoch and likely cause, when a loss is not finite or explodes;
    ValueError for batches that do not fit the dictionary, or a ``checkpoint`` that names another
    file than a checkpoint, or one that is damaged where it says what it is.

    Examples
    --------
    >>> from groupsparse import Autoencoder, FixedData
    >>> data = torch.randn(100, 6, generator=torch.Generator().manual_seed(0))
    >>> model = Autoencoder(torch.eye(6), "group_soft", lambda_=0.5, group_size=2)
    >>> history = train(model, FixedData(data, batch_size=20), epochs=3, lr=1e-2)
    >>> bool(history["loss"][3] < history["loss"][1])
    True
    """
    replicates = model.replicates
    if len(replicates) > 1:
        raise ValueError(f"train takes one model or replicates (R,), not {tuple(replicates)}")
    if not model.dictionary.requires_grad:
        raise ValueError("model.dictionary does not require gradients")
    if not callable(batches):
        raise TypeError(
            "batches must be a function of the epoch, such as FixedData(data, batch_size=100), not "
            f"{type(batches).__name__}"
        )
    if normalize == "orthonormal" and not isinstance(getattr(model, "group_size", None), int):
        raise ValueError("normalize 'orthonormal' needs equal groups, by their size")
    epochs = check_count(epochs, "epochs")
    _check_choice(normalize, "normalize", NORMALIZATIONS)
    _check_choice(decay, "decay", DECAYS)
    checkpoint_every = check_count(checkpoint_every, "checkpoint_every", least=1)
    optim = _optimizer(optimizer, model, lr)
    rates.begin(optim)
    start = history.row(model.dictionary, metrics, torch.full(replicates, torch.nan))
    rows, last, identity = [start], epochs, {}
    if checkpoint:
        identity = checkpoints.identity(model, optim, normalize, batches, fingerprint)
        identity |= {"decay": decay, "epochs of decay": decay and epochs}
        checkpoints.refuse_other_files(checkpoint)
        rows, stopped = checkpoints.resume(checkpoint, identity, epochs, model, optim, rows)
        # A training that a callback stopped stays stopped, unless more epochs are requested.
        last = epochs if stopped < epochs else 0
    reported = time.monotonic()
    for epoch in range(len(rows), last + 1):
        if decay:
            rates.decay(optim, (1 + math.cos(math.pi * (epoch - 1) / epochs)) / 2)
        loss, expected, active = _run_epoch(model, optim, batches(epoch), normalize, epoch)
        rows.append(history.row(model.dictionary, metrics, loss))
        if epoch == 1:
            # A loss of 0, of a perfect fit or of zeros, has no gradient either.
            _warn_if_silent(~active & (loss != 0))
        _check(loss, expected if epoch == 1 else rows[1]["loss"], epoch, optim, model.dictionary)
        if epoch == epochs or time.monotonic() - reported > 5:
            reported = time.monotonic()
            log.info("epoch %d/%d: %s", epoch, epochs, history.described(rows[-1]))
        stop = bool(callback and callback(epoch, model))
        if checkpoint and (stop or epoch == epochs or epoch % checkpoint_every == 0):
            checkpoints.save(checkpoint, identity, epochs if stop else 0, model, optim, rows)
        if stop:
            log.info("stopped by the callback after epoch %d", epoch)
            break
    _warn_if_worse(rows)
    return history.stacked(rows)


def _check_choice(value: object, name: str, known: tuple) -> None:
    if value not in known:
        raise ValueError(f"unknown {name} {value!r}; known are {', '.join(map(repr, known))}")


def _optimizer(optimizer: object, model: Trainable, lr: float) -> Optimizer:
    parameters = [p for p in model.parameters() if p.requires_grad]
    if isinstance(optimizer, str):
        if optimizer not in OPTIMIZERS:
            known = ", ".join(OPTIMIZERS)
            raise ValueError(
                f"unknown optimizer {optimizer!r}; known are {known}, or give a torch.optim class"
            )
        optimizer = OPTIMIZERS[optimizer]
    if isinstance(optimizer, type):
        optimizer = optimizer(parameters, lr=lr)
    elif not isinstance(optimizer, Optimizer) and callable(optimizer):
        optimizer = optimizer(parameters)
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer must give a torch.optim.Optimizer, not {type(optimizer)}")
    held = [id(p) for group in optimizer.param_groups for p in group["params"]]
    if id(model.dictionary) not in held:
        raise ValueError("the optimizer does not hold model.dictionary")
    return optimizer


def _run_epoch(
    model: Trainable,
    optim: Optimizer,
    batches: Iterator[Tensor],
    normalize: bool | str,
    epoch: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Train for one epoch: the mean loss (R,) over its batches.

    In the first epoch, also the loss that ||y||^2 and its first batch let expect, and what learns.
    """
    dictionary = model.dictionary
    total, count, inside = dictionary.new_zeros(model.replicates), 0, len(model.replicates)
    energy, share, active = torch.zeros_like(total), None, torch.zeros_like(total).bool()
    for batch in batches:
        batch, size, power = _fitted(batch, model)
        try:
            loss = _step(model, optim, batch, normalize)
        except FloatingPointError as error:
            # An overflow of the squares is one of the Gram matrix.
            bad = ~torch.isfinite(dictionary.detach().square().flatten(inside).sum(-1))
            if not bad.any():
                raise
            raise _diverged(epoch, optim, bad, str(error)) from error
        if normalize:
            with torch.no_grad():
                dictionary.copy_(_normalized(model, normalize))
        total += loss * size
        count += size
        if epoch == 1:
            power = power()
            share = loss * size / power if share is None else share
            energy += power
            active |= dictionary.grad.flatten(inside).any(-1)
    if not count:
        raise ValueError(f"there are no samples in epoch {epoch}")
    expected = energy if share is None else share * energy / count
    return (total / count).cpu(), expected.cpu(), active.cpu()


def _fitted(batch: Tensor | Recording, model: Trainable) -> tuple:
    """A batch as the model takes it, its samples, and a function for their energy (R,)."""
    dictionary = model.dictionary
    if isinstance(batch, Recording):  # a likelihood is not in proportion to an energy
        ones = dictionary.new_full(model.replicates, batch.trials)
        return batch.to(dictionary.detach()), batch.trials, lambda: ones
    batch = fit_batch(batch, dictionary, model.replicates)
    # NaN: an entry of a mixture that is missing.
    return batch, batch.shape[-2], lambda: batch.square().nansum((-2, -1))


def _normalized(model: Trainable, normalize: bool | str) -> Tensor:
    if normalize == "orthonormal":
        return retract_groups(model.dictionary, model.group_size)
    return getattr(model, "project", normalize_columns)(model.dictionary)


def _step(model: Trainable, optim: Optimizer, batch: Tensor, normalize: bool | str) -> Tensor:
    losses, dictionary = [], model.dictionary

    def closure() -> Tensor:  # some optimisers evaluate the loss several times a step
        optim.zero_grad(set_to_none=True)
        loss = model.loss(batch)
        losses.append(loss.detach())
        total = loss.sum()
        total.backward()
        if normalize == "orthonormal":
            dictionary.grad.copy_(tangent(dictionary.detach(), dictionary.grad, model.group_size))
        return total

    optim.step(closure)
    return losses[0]


def _check(loss: Tensor, first: Tensor, epoch: int, optim: Optimizer, dictionary: Tensor) -> None:
    # Nothing can be expected of a first batch of zeros.
    bad = ~torch.isfinite(loss) | ((first != 0) & (loss > DIVERGED * first.abs()))
    # An atom that is not finite may never be active.
    bad |= ~torch.isfinite(dictionary.detach()).flatten(loss.ndim).all(-1).cpu()
    if bad.any():
        raise _diverged(
            epoch, optim, bad, f"loss {loss[bad].tolist()}, at first {first[bad].tolist()}"
        )


def _diverged(epoch: int, optim: Optimizer, bad: Tensor, what: str) -> DivergedError:
    which = f"replicates {bad.nonzero().flatten().tolist()}: " if bad.ndim else ""
    return DivergedError(
        f"training diverged at epoch {epoch} ({which}{what}). Likely cause: a learning rate too "
        f"large for this data (lr = {optim.param_groups[0].get('lr')}), or data that is not finite "
        "or not scaled."
    )


def _warn_if_silent(silent: Tensor) -> None:
    if silent.any():
        which = f" of {int(silent.sum())} of {silent.numel()} replicates" if silent.ndim else ""
        log.warning(
            "all codes%s are zero, so nothing is learned: lambda_ is too large, see lambda_max",
            which,
        )


def _warn_if_worse(rows: list[dict[str, Tensor]]) -> None:
    if len(rows) > 2:
        first, last = rows[1]["loss"], rows[-1]["loss"]
        if (worse := last > first + ROUNDING * first.abs()).any():
            log.warning(
                "the loss rose from %.4g to %.4g: try a smaller learning rate",
                first[worse].mean(),
                last[worse].mean(),
            )
