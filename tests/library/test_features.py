"""Features of images: principal components, and scattering where kymatio is installed."""

import sys

import pytest
import torch
from sklearn.datasets import load_digits

from groupsparse.features import principal_components, scattering_features


def test_components_are_coordinates_along_singular_vectors():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(40, 6, generator=generator, dtype=torch.float64) + 1
    found = principal_components(features, 3)
    u, s, _ = torch.linalg.svd(features, full_matrices=False)
    assert torch.allclose(found.abs(), (u * s)[:, :3].abs(), rtol=0, atol=1e-12)
    part = principal_components(features, 3, fitted_to=features[:20])
    assert torch.allclose(part[:20].abs(), principal_components(features[:20], 3).abs(), atol=1e-12)
    for count in (0, 7):
        with pytest.raises(ValueError, match=f"6 features have no {count} components"):
            principal_components(features, count)


@pytest.fixture
def digits():
    pytest.importorskip("kymatio")
    return torch.from_numpy(load_digits().images[:50] / 16).float()


def test_every_path_has_its_place_and_a_largest_modulus_of_one(digits):
    found = scattering_features(digits, scales=2, angles=4)
    paths = found.view(50, 1 + 2 * 4 + 4 * 4, 2, 2)
    assert torch.allclose(paths.abs().amax((-2, -1)), torch.ones(()), atol=1e-6)
    assert torch.allclose(found, scattering_features(digits, 2, 4, batch_size=7), atol=1e-5)


def test_a_shift_by_a_pixel_moves_features_less_than_pixels(digits):
    wide = torch.nn.functional.pad(digits, (8, 8, 8, 8))
    shifted = wide.roll(1, -1)

    def moved(values, others):
        return float((values - others).norm() / (values - values.roll(1, 0)).norm())

    features = scattering_features(wide), scattering_features(shifted)
    assert moved(*features) < 0.75 * moved(wide, shifted)


def test_bad_images_are_explained(digits):
    with pytest.raises(ValueError, match=r"images must have shape \(N, h, w\) of at least 16"):
        scattering_features(digits, scales=4)
    with pytest.raises(ValueError, match="images have NaN"):
        scattering_features(digits * torch.nan, scales=2)


def test_without_kymatio_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "kymatio", None)
    monkeypatch.setitem(sys.modules, "kymatio.scattering2d.frontend.torch_frontend", None)
    with pytest.raises(ImportError, match=r"pip install '\.\[features\]'"):
        scattering_features(torch.rand(2, 8, 8), scales=2)
