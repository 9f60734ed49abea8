"""How another study differs in size from the paper's."""

from evidence.paper import MODEL, of_paper_size


def other_size(model: dict) -> str | None:
    """Say how a study's model differs in size from the paper's; None if it does not."""
    if of_paper_size(model):
        return None
    return f"the paper has {_size(MODEL)}; this study {_size(model)}"


def _size(model: dict) -> str:
    low, high = model["amplitude"]
    return (
        f"n = {model['n']}, {model['groups']} groups of {model['group_size']}, {model['samples']} "
        f"samples, {model['active_groups']} active groups of norm {low:g} to {high:g}"
    )
