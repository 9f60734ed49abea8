"""What was found about the generative models, for the top of the page."""

import pandas as pd

from models.names import described, model_name
from models.reasons import NEAR_ORACLE, over_oracle, recovers


def findings(scores: pd.DataFrame, section: dict) -> list[str]:
    """In how many models each method is near the oracle, and where discovery is farthest."""
    models, methods = section["run"], section["methods"]
    counts = {
        described(method, entry): sum(recovers(scores, model, method) for model in models)
        for method, entry in methods.items()
    }
    parts = "; ".join(f"{name} {count}" for name, count in counts.items())
    nothing = section["shown"]["from_nothing"]
    means = {model: over_oracle(scores, model, nothing).mean() for model in models}
    farthest = max(means, key=means.get)
    return [
        f"Generative models: of {len(models)}, recovered within {NEAR_ORACLE:g} times the error "
        f"of least squares on the true codes: {parts}.",
        f"From no start, discovery ends at {min(means.values()):.3g} to "
        f"{means[farthest]:.3g} times that error; farthest is {model_name(farthest)}.",
    ]
