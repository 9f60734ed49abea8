"""What runs in the recovery, read off its section of the config; imports nothing heavy."""


def trainings(recovery: dict, snr: str | float) -> list[tuple[str, str, str]]:
    """All (init, sampling, method) at one noise level: one training each."""
    return [
        (name, sampling, method)
        for name, init in recovery["inits"].items()
        if float(snr) in init.get("snr_db", recovery["snr_db"])
        for sampling in init.get("sampling", recovery["sampling"])
        if sampling == recovery["sampling"][0] or float(snr) in recovery["other_snr_db"]
        for method in init.get("methods", recovery["methods"])
    ]


def spec_of(recovery: dict, method: str) -> dict:
    """A method's entry; a lambda that is matched to another method gets that method's number."""
    spec = recovery["methods"][method]
    if isinstance(spec.get("lambda"), dict):
        other = recovery["methods"][spec["lambda"]["matched_to"]]
        return {**spec, "lambda": {"matched_to": other["lambda"]}}
    return spec


def training_of(recovery: dict, init: str) -> dict:
    """The training from an init, which may have epochs of its own."""
    training = recovery["training"]
    return {**training, "epochs": recovery["inits"][init].get("epochs", training["epochs"])}
