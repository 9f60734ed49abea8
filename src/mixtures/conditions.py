"""What the study runs, read off the config; imports nothing heavy."""

from typing import NamedTuple

JOINED, HELD_OUT = "joined", "held_out"  # learn from and score all images, or train and test
SUBSPACES = "subspaces"  # the start that is the result of the method of this kind
LABELLED = "class"  # the start that uses labels
PRINTED_START = "ssc"  # that of MixMate as printed
# Methods that combine what others learnt.
VOTE_OF_STARTS, VOTE_OF_SEEDS, ENERGIES = "vote_of_starts", "vote_of_seeds", "energies"
LEAST_RESIDUAL = "least_residual"
SEVERAL = "several"  # where a choice or a vote of starts begins
# Keys of a method that say where it runs, and what it changes of the settings: no part of it.
RESTRICTIONS = ("starts", HELD_OUT, "datasets", "replicates", "settings")
# Settings of a data set on which a training depends, by kind of method.
TRAINED = {
    SUBSPACES: ("clusters", "dimension", "passes"),
    "mixture": ("clusters", "mean_norm", "lambda", "layers", "training"),
    "autoencoder": ("mean_norm", "layers", "training"),
}
FILLINGS = ("masks", "zeros", "means")  # of missing pixels; masks fill nothing in


class Job(NamedTuple):
    """One training: all replicates of a method, on one data set, from one kind of start."""

    dataset: str
    protocol: str
    method: str
    start: str


def methods(section: dict, dataset: str) -> dict[str, dict]:
    """The methods that run on a data set, by name."""
    return {
        name: entry
        for name, entry in section["methods"].items()
        if dataset in entry.get("datasets", section["datasets"])
    }


def networks(section: dict) -> list[str]:
    """The methods that are networks."""
    methods = section["methods"]
    return [name for name, entry in methods.items() if entry["kind"] != SUBSPACES]


def jobs(section: dict) -> list[Job]:
    """All trainings, the subspaces first: some are the start of others."""
    found = [
        Job(dataset, protocol, method, start)
        for dataset in section["datasets"]
        for method, entry in methods(section, dataset).items()
        for protocol, starts in ((JOINED, entry["starts"]), (HELD_OUT, entry.get(HELD_OUT, [])))
        for start in starts
    ]
    return sorted(found, key=lambda job: section["methods"][job.method]["kind"] != SUBSPACES)


def starts(section: dict) -> list[tuple[str, str, str]]:
    """(data set, protocol, start) that some training needs."""
    return list(dict.fromkeys((job.dataset, job.protocol, job.start) for job in jobs(section)))


def without_labels(entry: dict) -> list[str]:
    """The starts of a method that use no labels."""
    return [start for start in entry["starts"] if start != LABELLED]


def settings(section: dict, dataset: str, method: str | None = None) -> dict:
    """Settings of a data set, with what a method changes of them."""
    changes = section["methods"][method].get("settings", {}) if method else {}
    return {**section["settings"][dataset], **changes}


def spec_of(section: dict, method: str) -> dict:
    """What a method is: its entry without where it runs and what it changes of the settings."""
    entry = section["methods"][method]
    return {key: value for key, value in entry.items() if key not in RESTRICTIONS}


def of_training(section: dict, dataset: str, method: str) -> dict:
    """The settings on which the training of a method depends."""
    return _part(settings(section, dataset, method), TRAINED[section["methods"][method]["kind"]])


def of_figure(section: dict, dataset: str) -> dict:
    """The settings on which the figure depends, beside those of the mixture that it shows."""
    return _part(section["settings"][dataset], ("shape", "mean_norm"))


def of_features(section: dict, dataset: str) -> dict:
    """The settings on which features depend."""
    return _part(section["settings"][dataset], ("shape", "scales", "components"))


def of_start(section: dict, dataset: str) -> dict:
    """The settings on which starts depend."""
    return _part(section["settings"][dataset], ("clusters", "atoms", "sample", "mean_norm"))


def of_counts(section: dict, dataset: str) -> dict:
    """The settings on which the study of the number of clusters depends."""
    return _part(section["settings"][dataset], ("sample", "dimension", "passes"))


def before(section: dict, dataset: str, protocol: str) -> Job:
    """The training whose clusters are the start ``subspaces``: the first that uses no labels."""
    for job in jobs(section):
        kind = section["methods"][job.method]["kind"]
        here = (job.dataset, job.protocol, kind) == (dataset, protocol, SUBSPACES)
        if here and job.start != LABELLED:
            return job
    raise ValueError(f"no subspaces are learnt without labels on {dataset}, {protocol}")


def voters(section: dict, dataset: str) -> list[Job]:
    """The subspaces that vote: those that are shown, from every start without labels."""
    shown = section["shown"][SUBSPACES]
    return [
        job
        for job in jobs(section)
        if job[:3] == (dataset, JOINED, shown) and job.start != LABELLED
    ]


def drawn(section: dict) -> dict[str, str]:
    """The method and start that figures show."""
    return {name: section["shown"][name] for name in ("method", "start")}


def replicates(section: dict, dataset: str, method: str) -> int:
    """How many seeds a method has on a data set: at most those of its starts."""
    there = section["settings"][dataset]["replicates"]
    return min(section["methods"][method].get("replicates", there), there)


def datasets(section: dict) -> list[str]:
    """All data sets of the section and of its two studies."""
    parts = section, section["missing"], section["counts"]
    return list(dict.fromkeys(dataset for part in parts for dataset in part["datasets"]))


def settings_of_missing(section: dict, dataset: str) -> dict:
    """The settings on which a mixture that learns from images with missing pixels depends."""
    found = of_training(section, dataset, section["missing"]["method"])
    training = {**found["training"], "epochs": section["missing"]["epochs"]}
    return {**of_start(section, dataset), **found, "training": training}


def of_missing(section: dict) -> list[tuple[str, float]]:
    """(data set, share of missing pixels) of the study of missing pixels."""
    study = section["missing"]
    return [(dataset, share) for dataset in study["datasets"] for share in study["shares"]]


def _part(settings: dict, names: tuple[str, ...]) -> dict:
    return {name: settings[name] for name in names if name in settings}
