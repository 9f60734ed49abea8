"""Values reported in the paper, for comparison."""

# Table 1, MNIST, accuracy on the test images: (method, features) -> algorithm -> fraction.
TABLE1 = {
    ("raw", "raw"): {"kmeans": 0.5446, "spectral": 0.6304},
    ("sparse", "codes"): {"kmeans": 0.5414, "spectral": 0.5549},
    ("sparse", "codes+"): {"kmeans": 0.6094, "spectral": 0.5698},
    ("group_sparse", "codes"): {"kmeans": 0.745, "spectral": 0.794},
    ("group_sparse", "codes+"): {"kmeans": 0.8009, "spectral": 0.8027},
}
TABLE1_DATASET = "mnist"

# Fig. 3a, read off the plot: SNR in dB -> squared error after 300 epochs; at the start about 880.
FIG3A = {1.0: 6.5, 5.0: 5.2, 10.0: 4.4}

# Sec. 4.1: the size of the simulation, in the words of config.simulation.model.
MODEL = {
    "n": 950,
    "groups": 500,
    "group_size": 2,
    "active_groups": 3,
    "samples": 10000,
    "amplitude": [4.0, 5.0],
}
