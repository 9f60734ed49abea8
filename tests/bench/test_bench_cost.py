"""The formula for what an epoch costs counts the operations that the library does."""

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import groupsparse as gs
from bench import cost, formula
from bench.formula import Machine, Run
from groupsparse import screening

B, D = 300, 2
SIZES = [(30, 20), (20, 60)]  # more dimensions than atoms, and fewer


def counted(step) -> int:
    """Operations of the products that a call makes."""
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def problem(n: int, m: int):
    random = torch.Generator().manual_seed(0)
    return torch.randn(B, n, generator=random), torch.randn(n, m, generator=random)


@pytest.mark.parametrize(("n", "m"), [(120, 20), (60, 200)])  # in fewer, dense products are cheaper
def test_the_products_of_a_shallow_step_are_counted(monkeypatch, n, m):
    monkeypatch.setattr(screening, "FAST_INT8", False)  # torch counts no products of int8
    data, atoms = problem(n, m)
    model = gs.Autoencoder(atoms, "group_soft", 100.0, D)  # nothing active: products alone
    work = formula.shallow(Run("shallow", B, n, m, D, 0, B, B))
    assert counted(lambda: model.loss(data).backward()) == work.product + work.screen


@pytest.mark.parametrize(("n", "m"), SIZES)
@pytest.mark.parametrize(
    ("layers", "backprop"),
    [(1, 1), (2, 2), (15, 15), (15, 0), (15, 4), (17, 17), (40, 40), (40, 30)],
)
def test_the_products_of_an_unfolded_step_are_counted(n, m, layers, backprop):
    data, atoms = problem(n, m)
    model = gs.Autoencoder(
        atoms, "group_soft", 0.5, D, encoder="fista", layers=layers, backprop=backprop
    )
    work = formula.unfolded(Run("unfolded", B, n, m, D, 1, B, B, layers, backprop))
    assert counted(lambda: model.loss(data).backward()) == work.product


@pytest.mark.parametrize(("n", "m"), SIZES)
def test_the_products_of_a_pass_of_the_alternation_are_counted(n, m):
    data, atoms = problem(n, m)
    work = formula.alternating(Run("alternating", B, n, m, D, 1, B, B))
    found = counted(lambda: gs.alternate(atoms, data, D, passes=1, active_groups=1))
    # torch counts the sparse sums X^T X and X^T Y as if they were dense.
    found -= 2 * B * m * (m + n)
    # What remains is of groups: turning n and m entries of every atom by d x d matrices.
    assert 0 <= found - work.product <= 10 * m * (n + m) * D


@pytest.mark.parametrize("samples", [60, 900])
def test_the_threshold_of_a_run_has_as_many_active_groups_as_its_model(tmp_path, samples):
    model = {"n": 40, "groups": 12, "group_size": 2, "active_groups": 3, "samples": samples,
             "amplitude": [4.0, 5.0], "snr_db": 10}  # fmt: skip
    threshold = cost.prepare({"model": model}, 0, tmp_path)
    data, start = (torch.from_numpy(np.load(tmp_path / f"{x}.npy")) for x in ("data", "start"))
    norms = gs.group_norms((data @ start)[:500], 2)
    # As many norms as there are active groups exceed it, but for rounding of the product.
    assert float((norms > threshold).double().sum()) == pytest.approx(3 * len(norms), abs=1)


def test_a_hundred_times_the_samples_cost_a_hundred_times_the_seconds_and_no_memory():
    machine = Machine(1e11, 2e11, 1e10, 1e-3)
    run = Run("shallow", 10**5, 512, 16384, 4, 8, 10**4, 10**4)
    more = run._replace(samples=100 * run.samples)
    assert formula.seconds(more, machine) == pytest.approx(100 * formula.seconds(run, machine))
    assert formula.peak_bytes(more) == formula.peak_bytes(run)


@pytest.mark.parametrize("kind", formula.WORK)
@pytest.mark.parametrize("larger", ["samples", "n", "atoms", "active_groups", "layers"])
def test_nothing_larger_costs_less(kind, larger):
    run = Run(kind, 1000, 40, 60, D, 2, 100, 1000, 5, 5)
    more = run._replace(**{larger: 3 * getattr(run, larger)})
    machine = Machine(1e11, 2e11, 1e10, 1e-3)
    assert formula.seconds(more, machine) >= formula.seconds(run, machine)
    assert formula.peak_bytes(more) >= formula.peak_bytes(run)
