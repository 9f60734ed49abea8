"""Rules on the config of the benchmarks that cross its keys; workflow/validate.py calls them."""

from evidence.checks import model_inconsistencies


def inconsistencies(config: dict) -> list[str]:
    """What contradicts itself in a config that fits the schema, as ``key: reason``."""
    errors = []
    for name, spec in config["bench"]["settings"].items():
        models = {key: spec[key] for key in ("model", "cuda_model") if key in spec}
        models |= {f"models.{axis}": model for axis, model in spec.get("models", {}).items()}
        for key, model in models.items():
            fewest = min([model["groups"], *spec.get("axes", {}).get("groups", [])])
            place = f"bench.settings.{name}.{key}"
            errors += model_inconsistencies(place, model | {"groups": fewest})
    spec = config["bench"]["settings"]["convolutional"]
    cases = {f"cases.{name}": case for name, case in spec["cases"].items()}
    base, place = spec["base"], "bench.settings.convolutional"
    times, length = (spec["axes"].get(axis, []) for axis in ("times", "length"))
    cases["axes.times"] = base | {"times": min([base["times"], *times])}
    cases["axes.length"] = base | {"length": max([base["length"], *length])}
    for name, case in cases.items():
        if case["length"] > case["times"]:
            kernel = f"a kernel of {case['length']} bins, trials of {case['times']}"
            errors.append(f"{place}.{name}: {kernel}")
    cost = config["bench"]["settings"]["cost"]
    for name, run in cost["runs"].items():
        model = cost["base"]["model"] | run.get("model", {})
        errors += model_inconsistencies(f"bench.settings.cost.runs.{name}.model", model)
    peers = config["bench"]["settings"]["peers"]
    for name, spec in peers["packages"].items():
        if spec["learner"] != "ksvd" and not {"lambda", "batch_size"} <= spec.keys():
            errors.append(f"bench.settings.peers.packages.{name}: no lambda or no batch_size")
    plain = peers["methods"].get(peers["plain"], {})
    if plain.get("encoder") != "shallow" or plain["prox"] not in ("group_soft", "soft", "relu"):
        errors.append("bench.settings.peers.plain: not a shallow method of the paper")
    return errors
