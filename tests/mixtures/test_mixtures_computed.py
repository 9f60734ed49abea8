"""What the studies compute: holes and fillings, free energies of held-out samples, and a run."""

import json
import math
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from made_up import DIGITS
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.metrics import adjusted_rand_score

from groupsparse.artifacts import save_tensors
from groupsparse.clustering import accuracy
from groupsparse.dictionary import from_blocks
from mixtures import counts, missing
from mixtures.counts import fit, free_energy
from mixtures.missing import filled, hit_images, inpainting, with_holes

COUNT, PIXELS, HIT = 2000, 64, 0.9


def images():
    return torch.rand(COUNT, PIXELS, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("share", [0.25, 0.75])
def test_the_share_of_images_that_are_hit_and_of_their_pixels_is_as_asked(share):
    holes, hit = with_holes(images(), share, HIT, 1).isnan(), hit_images(COUNT, HIT, 1)
    # Five standard deviations of a count.
    assert float(hit.float().mean()) == pytest.approx(
        HIT, abs=5 * math.sqrt(HIT * (1 - HIT) / COUNT)
    )
    spread = math.sqrt(share * (1 - share) / (PIXELS * int(hit.sum())))
    assert float(holes[hit].float().mean()) == pytest.approx(share, abs=5 * spread)
    assert not holes[~hit].any()


def test_holes_depend_on_the_seed_alone_and_grow_with_the_share():
    few, many = (with_holes(images(), share, HIT, 1) for share in (0.25, 0.5))
    again = with_holes(images(), 0.25, HIT, 1)
    assert torch.equal(few.isnan(), again.isnan())
    assert not torch.equal(few.isnan(), with_holes(images(), 0.25, HIT, 2).isnan())
    assert (few.isnan() <= many.isnan()).all()
    assert torch.equal(with_holes(images(), 0.0, HIT, 1), images())
    seen = ~few.isnan()
    assert torch.equal(few[seen], images()[seen])


def test_holes_are_left_or_filled_and_what_was_seen_stays():
    nan = torch.nan
    seen = torch.tensor([[1.0, nan, nan], [3.0, 4.0, nan], [nan, 2.0, nan]])
    assert filled(seen, "masks") is seen
    assert filled(seen, "zeros").tolist() == [[1, 0, 0], [3, 4, 0], [0, 2, 0]]
    # Nobody has seen the last pixel.
    assert filled(seen, "means").tolist() == [[1, 3, 0], [3, 4, 0], [2, 2, 0]]


def test_the_in_painting_error_is_that_of_missing_pixels_over_their_size():
    truth = torch.tensor([[2.0, 100.0], [-2.0, 2.0]])
    holes = torch.tensor([[True, False], [False, True]])
    for value, error in ((2.0, 0.0), (0.0, 1.0), (1.0, 0.5)):
        found = inpainting(torch.full_like(truth, value), truth, holes)
        assert found == pytest.approx(error), value
    assert math.isnan(inpainting(truth, truth, torch.zeros_like(holes)))


# Held-out free energy

N, D = 5, 2


def reference(learnt, groups, others, bases):
    """-log of the mixture's density, each component with its whole covariance matrix."""
    logs = []
    for k, basis in enumerate(bases):
        members = learnt[groups == k]
        if not len(members):
            continue
        prior = np.log(len(members) / len(learnt))
        members = members if len(members) > D else learnt
        moments = members.T @ members / len(members)
        inside = basis @ basis.T
        noise = np.trace(moments - inside @ moments) / (N - D)
        covariance = inside @ moments @ inside + noise * (np.eye(N) - inside)
        logs.append(prior + multivariate_normal.logpdf(others, np.zeros(N), covariance))
    return -logsumexp(logs, axis=0)


@pytest.mark.parametrize("groups", [[0, 1], [0, 1, 1, 1], [0, 2]], ids=["even", "uneven", "empty"])
def test_free_energies_are_those_of_normal_densities(groups):
    draw = torch.Generator().manual_seed(0)
    bases = torch.linalg.qr(torch.randn(3, N, D, generator=draw, dtype=torch.float64)).Q
    learnt, others = torch.randn(2, 40, N, generator=draw, dtype=torch.float64).unbind()
    learnt = learnt * torch.tensor([1.0, 2.0, 0.5, 1.0, 3.0])
    of = torch.tensor(groups).repeat(40 // len(groups))
    found = free_energy(learnt, of, others, from_blocks(bases), D)
    expected = reference(learnt.numpy(), of.numpy(), others.numpy(), bases.numpy())
    # Rounding of float64.
    assert np.allclose(found, expected, rtol=1e-10)


def test_a_group_with_no_more_samples_than_dimensions_has_the_moments_of_all():
    draw = torch.Generator().manual_seed(0)
    bases = torch.linalg.qr(torch.randn(2, N, D, generator=draw, dtype=torch.float64)).Q
    learnt, others = torch.randn(2, 40, N, generator=draw, dtype=torch.float64).unbind()
    of = torch.zeros(40, dtype=torch.int64)
    of[:D] = 1
    found = free_energy(learnt, of, others, from_blocks(bases), D)
    expected = reference(learnt.numpy(), of.numpy(), others.numpy(), bases.numpy())
    assert np.allclose(found, expected, rtol=1e-10)


def test_equal_samples_have_a_density_too():
    same = torch.ones(40, N)
    basis = torch.linalg.qr(torch.randn(N, D, generator=torch.Generator().manual_seed(0))).Q
    found = free_energy(same, torch.zeros(40, dtype=torch.int64), same, basis, D)
    assert torch.isfinite(found).all()


def on_planes(count=600, n=20, noise=0.05):
    """Samples of three random planes, and the plane of each."""
    draw = torch.Generator().manual_seed(3)
    planes = torch.linalg.qr(torch.randn(3, n, D, generator=draw)).Q
    labels = torch.arange(count) % 3
    codes = torch.randn(count, D, generator=draw)
    data = torch.einsum("ind,id->in", planes[labels], codes)
    return data + noise * torch.randn(count, n, generator=draw), labels


def test_three_planes_are_found_by_agreement_and_by_free_energy():
    data, labels = on_planes()
    halves, held_out = (data[:200], data[200:400]), data[400:]
    settings = {"sample": 200, "dimension": D, "passes": 20}
    energies, agreements = {}, {}
    for count in (2, 3, 5):
        first, second = (fit(half, held_out, count, settings, 0) for half in halves)
        energies[count] = first.free_energy + second.free_energy
        agreements[count] = adjusted_rand_score(first.groups, second.groups)
        if count == 3:
            # Samples near 0 may be in any plane.
            assert accuracy(labels[400:].numpy(), first.groups.numpy()) > 0.95
    assert min(energies, key=energies.get) == 3
    assert max(agreements, key=agreements.get) == 3
    assert agreements[3] > 0.85


# The scripts

K = 3
SETTINGS = DIGITS | {
    "clusters": K, "atoms": 4, "layers": 3, "sample": 60, "dimension": 2, "passes": 3,
    "training": {"epochs": 1, "lr": 1.0e-3, "batch_size": 32},
}  # fmt: skip
LABELS = torch.arange(120) % K


@pytest.fixture
def files(tmp_path):
    """Arguments of a script that names data and features of 120 small images."""
    draw = torch.Generator().manual_seed(0)
    pixels = torch.rand(K, PIXELS, generator=draw)[LABELS]
    pixels = pixels + 0.1 * torch.rand(120, PIXELS, generator=draw)
    for name, values in (("data", pixels), ("features", pixels[:, :10].contiguous())):
        parts = {
            "train_data": values[:80].clone(), "test_data": values[80:].clone(),
            "train_labels": LABELS[:80].clone(), "test_labels": LABELS[80:].clone(),
        }  # fmt: skip
        save_tensors(tmp_path / name, parts, dataset="digits")
    return [
        "--data", str(tmp_path / "data"), "--features", str(tmp_path / "features"), "--settings",
        json.dumps(SETTINGS), "--replicates", "2", "--seed", "0", "--output",
        str(tmp_path / "table.csv"),
    ]  # fmt: skip


def missing_run(files, share, tmp_path, monkeypatch) -> pd.DataFrame:
    spec = json.dumps({"kind": "mixture", "prox": "soft"})
    (tmp_path / "checkpoints").mkdir(exist_ok=True)
    monkeypatch.setattr(sys, "argv", [
        "missing", *files, "--share", str(share), "--hit", "0.5", "--spec", spec, "--start",
        "ssc", "--checkpoint", str(tmp_path / "checkpoints" / f"missing-{share}"),
    ])  # fmt: skip
    missing.main()
    return pd.read_csv(tmp_path / "table.csv")


def test_missing_pixels_are_measured_for_each_filling_and_seed(files, tmp_path, monkeypatch):
    table = missing_run(files, 0.5, tmp_path, monkeypatch)
    assert set(table.filling) == set(missing.FILLINGS)
    assert set(table.metric) == {"acc", "nmi", "ari", "inpainting", "seconds"}
    assert len(table) == 3 * 2 * 5
    assert table.value.notna().all()
    assert not list((tmp_path / "checkpoints").iterdir())
    again = missing_run(files, 0.5, tmp_path, monkeypatch)
    same = table.metric != "seconds"
    assert table[same].equals(again[same])


def test_complete_images_need_no_filling_and_have_no_in_painting_error(
    files, tmp_path, monkeypatch
):
    table = missing_run(files, 0.0, tmp_path, monkeypatch)
    assert set(table.filling) == {"masks"}
    assert table[table.metric == "inpainting"].value.isna().all()


def test_checkpoints_of_two_shares_are_two_files(files, tmp_path, monkeypatch):
    names = []
    monkeypatch.setattr(missing, "remove", lambda path: names.append(path.name))
    for share in (0.25, 0.5):
        missing_run(files, share, tmp_path, monkeypatch)
    assert len(set(names)) == len(names) == 2 * 3 * 2
    assert {path.name for path in (tmp_path / "checkpoints").iterdir()} == set(names)


def test_numbers_of_clusters_are_measured_for_each_seed(files, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["counts", *files, "--clusters", "2", "3"])
    counts.main()
    table = pd.read_csv(tmp_path / "table.csv")
    assert set(table.clusters) == {2, 3}
    assert set(table.metric) == {"free_energy", "agreement", "acc", "nmi", "ari", "classes"}
    assert len(table) == 2 * 2 * 6
    assert set(table[table.metric == "classes"].value) == {K}
    wide = table.pivot_table(index="clusters", columns="metric", values="value")
    assert wide.acc[3] > wide.acc[2]
