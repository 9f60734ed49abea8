"""The clustering experiment on MNIST, downloaded over HTTP from a mirror on this machine."""

import http.server
import os
import threading
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from conftest import ROOT

ORIGINALS = Path(os.environ.get("GROUPSPARSE_TEST_DATA", ROOT / ".." / "shared" / "data"))


@pytest.fixture
def mirror():
    """Address of a loopback server with the original MNIST files."""
    if not (ORIGINALS / "mnist").is_dir():
        pytest.skip("the original MNIST files are not here (GROUPSPARSE_TEST_DATA may name them)")
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(ORIGINALS / "mnist"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def test_mnist_is_downloaded_verified_and_clustered(fresh_workflow, mirror):
    fresh_workflow.edit("config.yaml", "mirrors: {}", f"mirrors: {{mnist: [{mirror}]}}")
    settings = "    mnist: {group_size: 4, neighbors: 20, training: {epochs: 1}}\n"
    preset = "workflow/presets/smoke.yaml"
    digits = "    digits:\n      group_size: 4\n"  # of the clustering, not of the mixtures
    fresh_workflow.edit(preset, digits, settings + digits)
    targets = [
        "results/smoke/clustering/mnist/group_sparse-raw/metrics.csv",
        "reports/smoke/figures/fig4-mnist.png",
    ]
    fresh_workflow.run(*targets, "--config", "datasets=[mnist]")
    table = pd.read_csv(fresh_workflow.folder / targets[0])
    assert set(table.dataset) == {"mnist"}
    assert (fresh_workflow.folder / targets[1]).exists()
    raw = fresh_workflow.folder / "data/raw/MNIST/raw"
    assert len(list(raw.glob("*.gz"))) == 4
    assert len(list(raw.iterdir())) == 4, "nothing unpacked or partial lies there"
    # What was downloaded is what was expected; what has changed since is read again.
    data = "results/smoke/data/mnist.safetensors"
    assert fresh_workflow.planned(*targets, "--config", "datasets=[mnist]") == {}
    with open(raw / "t10k-labels-idx1-ubyte.gz", "ab") as file:
        file.write(b"?")
    assert fresh_workflow.planned(data, "--config", "datasets=[mnist]") == {"data_prepare": 1}
