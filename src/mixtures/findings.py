"""What clustering by mixtures reaches, in a sentence per data set, for the top of the page."""

import pandas as pd

from evidence.paper import paper_table
from evidence.section import percent
from mixtures.conditions import (
    ENERGIES,
    JOINED,
    PRINTED_START,
    SEVERAL,
    SUBSPACES,
    VOTE_OF_STARTS,
    Job,
    without_labels,
)
from mixtures.names import called, start_name
from mixtures.scores import jobs_of, last


def findings(scores: pd.DataFrame, section: dict) -> list[str]:
    """Accuracy on all images of what the config shows, without labels, beside what is printed."""
    printed = paper_table("mixmate").set_index(["dataset", "method"]).acc
    there, shown, sentences = jobs_of(scores), section["shown"], []
    for dataset in section["datasets"]:
        parts = []
        for method, start in _asked(section):
            job = Job(dataset, JOINED, method, start)
            if job not in there:
                continue
            words = f"{called(method)} from {start_name(start)}"
            parts.append(f"{percent(last(scores, job, 'acc').mean())} % by {words}")
            as_printed = (method, start) == (shown["method"], PRINTED_START)
            if as_printed and (dataset, "mixmate") in printed:
                parts[-1] += f" (printed {percent(printed[dataset, 'mixmate'])} %)"
        if parts:
            told = f"{dataset}, no label used but the number of classes"
            sentences.append(f"Images in the right cluster ({told}): {', '.join(parts)}.")
    return sentences


def _asked(section: dict) -> list[tuple[str, str]]:
    """(method, start) chosen beforehand: what is shown, and each other method's first start."""
    shown, methods = section["shown"], section["methods"]
    asked = [(shown["method"], shown["start"]), (shown["method"], PRINTED_START)]
    for role in ("changed", "network", SUBSPACES):
        asked += [(shown[role], start) for start in without_labels(methods[shown[role]])[:1]]
    asked += [(ENERGIES, shown["start"]), (VOTE_OF_STARTS, SEVERAL)]
    return list(dict.fromkeys(asked))
