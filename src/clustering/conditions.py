"""What runs in the clustering, read off the config; imports nothing heavy."""

RESTRICTIONS = ("datasets", "inits", "centering")  # where a method runs


def trainings(config: dict) -> list[tuple[str, str, bool]]:
    """All (data set, method, centred) that the config asks for: one job each."""
    if "clustering" not in config:
        return []
    clustering = config["clustering"]
    return [
        (dataset, method, centered)
        for dataset in config["datasets"]
        for method, spec in clustering["methods"].items()
        for centered in clustering["centering"]
        if dataset in spec.get("datasets", config["datasets"])
        and centered in spec.get("centering", clustering["centering"])
        and inits_of(config, method)
    ]


def inits_of(config: dict, method: str) -> list[str]:
    """The inits of a method, the same in all its conditions."""
    every = config["clustering"]["inits"]
    own = config["clustering"]["methods"][method].get("inits", every)
    return [init for init in every if init in own]


def spec_of(config: dict, method: str) -> dict:
    """A method's parameters without where it runs, which changes no result."""
    spec = config["clustering"]["methods"][method]
    return {key: value for key, value in spec.items() if key not in RESTRICTIONS}


def drawn_methods(config: dict, dataset: str) -> list[str]:
    """The methods whose atoms and codes the figures of a data set show, not centred."""
    shown = config["clustering"]["shown"]
    wanted = [shown["baseline"], shown["method"], *shown["silhouettes"]]
    return [
        method
        for method in dict.fromkeys(wanted)
        if (dataset, method, False) in trainings(config)
        and shown["init"] in inits_of(config, method)
    ]
