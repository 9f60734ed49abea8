"""What runs in the clustering, read off the config; imports nothing heavy."""

from collections.abc import Iterable

RESTRICTIONS = ("datasets", "inits", "centering")  # where a method runs
OVERRIDES = ("training", "group_size", "replicates")  # what it has in place of the data set's

AUTO = "auto"  # a setting that follows from the size of the data
DEFAULT = "default"  # the settings that a data set has where its entry says nothing else
SUPERVISED = "class"  # the init that needs labels


def unlabelled(config: dict) -> list[str]:
    """Data sets whose entry in the config says that they have no labels."""
    given = config["datasets"]
    named = given.items() if isinstance(given, dict) else ()
    return [name for name, entry in named if entry and entry.get("labels") is False]


def own(config: dict) -> list[str]:
    """Data sets that have an entry in the config: the user's own."""
    given = config["datasets"]
    return [name for name in given if isinstance(given, dict) and given[name]]


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
        and inits_of(config, method, dataset)
    ]


def inits_of(config: dict, method: str, dataset: str) -> list[str]:
    """The inits of a method, the same in all its conditions, except where labels are missing."""
    every = config["clustering"]["inits"]
    own = config["clustering"]["methods"][method].get("inits", every)
    missing = [SUPERVISED] if dataset in unlabelled(config) else []
    return [init for init in every if init in own and init not in missing]


def spec_of(config: dict, method: str) -> dict:
    """The network of a method: its entry without where it runs and what it overrides."""
    spec = config["clustering"]["methods"][method]
    return {key: value for key, value in spec.items() if key not in RESTRICTIONS + OVERRIDES}


def of_data(clustering: dict, dataset: str) -> dict:
    """The settings of a data set: its entry over ``default``, without what is null."""
    default, own = (clustering["settings"].get(name, {}) for name in (DEFAULT, dataset))
    training = default.get("training", {}) | own.get("training", {})
    merged = default | own | ({"training": training} if training else {})
    return {key: value for key, value in merged.items() if value is not None}


def scoring(config: dict, dataset: str) -> dict:
    """What a clustering of codes is told of a data set."""
    settings = of_data(config["clustering"], dataset)
    return {key: settings[key] for key in ("groups", "neighbors")}


def control_settings(config: dict, dataset: str) -> dict:
    """What the controls are told: they see samples scaled as networks do."""
    settings = of_data(config["clustering"], dataset)
    scale = {key: settings[key] for key in ("unit_norm", "mean_norm") if key in settings}
    return scoring(config, dataset) | scale


def settings_of(config: dict, dataset: str, method: str) -> dict:
    """The settings of a data set, after those that a method overrides."""
    settings = of_data(config["clustering"], dataset)
    own = config["clustering"]["methods"][method]
    return {
        **{key: value for key, value in settings.items() if key != "replicates"},
        "group_size": own.get("group_size", settings["group_size"]),
        "training": settings["training"] | own.get("training", {}),
    }


def train_settings(config: dict, dataset: str, method: str) -> dict:
    """What a training is told: settings without what only its scores need."""
    return _without(settings_of(config, dataset, method), "neighbors")


def long_settings(config: dict, dataset: str, method: str) -> dict:
    """What a longer training is told, which has epochs of its own and scores its codes."""
    return _without(settings_of(config, dataset, method), "epochs")


def sweep_settings(config: dict, dataset: str) -> dict:
    """What the sweep is told: settings of the shown method, for its own epochs and atoms."""
    clustering = config["clustering"]
    settings = settings_of(config, dataset, clustering["shown"]["method"])
    settings = _without(settings, "neighbors", "normalize", "checkpoint_every")
    epochs = clustering["sweep"]["epochs"]
    return settings | {"training": settings["training"] | {"epochs": epochs}}


def _without(settings: dict, *keys: str) -> dict:
    """A job is told only what it reads: a change of the rest reruns nothing."""
    rest = {key: value for key, value in settings.items() if key not in keys}
    training = {key: value for key, value in rest["training"].items() if key not in keys}
    return rest | {"training": training}


def replicates_of(config: dict, dataset: str, method: str | None = None) -> int:
    """Seeds of a method on a data set, or of the controls there; never more than the data set's."""
    clustering = config["clustering"]
    most = of_data(clustering, dataset).get("replicates", clustering["replicates"])
    own = clustering["methods"][method].get("replicates", most) if method else most
    return min(own, most)


def scored_epochs(config: dict, dataset: str, method: str) -> list[int]:
    """Epochs over whose dictionaries scores are averaged, the last one at the end."""
    average = config["clustering"]["average"]
    last = settings_of(config, dataset, method)["training"]["epochs"]
    return list(range(last, 0, -average["every"]))[: average["snapshots"]][::-1]


def labelled(config: dict, datasets: Iterable[str]) -> list[str]:
    """Those of some data sets that have labels, with which clusters are scored."""
    return [name for name in datasets if name not in unlabelled(config)]


def long_runs(config: dict) -> list[tuple[str, str]]:
    """All (data set, method) that are trained for longer."""
    convergence = config["clustering"]["convergence"]
    here = labelled(config, convergence.get("datasets", config["datasets"]))
    return [(d, m) for d in config["datasets"] if d in here for m in convergence["methods"]]


def sweeps(config: dict) -> list[str]:
    """Data sets on which lambda is varied."""
    sweep = config["clustering"]["sweep"]
    here = labelled(config, sweep.get("datasets", config["datasets"]))
    return [d for d in config["datasets"] if d in here and sweep["lambda"] and sweep["normalize"]]


def drawn_methods(config: dict, dataset: str) -> list[str]:
    """The methods whose atoms and codes the figures of a data set show, not centred."""
    shown = config["clustering"]["shown"]
    wanted = [shown["baseline"], shown["method"], *shown["silhouettes"]]
    runs = trainings(config)
    return [method for method in dict.fromkeys(wanted) if (dataset, method, False) in runs]
