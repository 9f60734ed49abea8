"""Deliver the phase diagrams to the report: claims, a figure for each plane, a table."""

from string import ascii_uppercase

from evidence.claims import collect
from evidence.delivery import deliver, options
from evidence.section import figure, text
from phases import claims
from phases.findings import base_table, findings
from phases.names import plane_name
from phases.success import half_width, runs

INTRODUCTION = (
    "A small problem is changed in two of its properties at a time, until recovery stops. In every "
    "cell all methods see the same problems. A run finds the groups if the span of every true "
    "group overlaps with a group of its own by more than {overlap} (1: the same span; a random one "
    "has about d / n). It is as good as the oracle if, moreover, its subspace error is at most "
    "{factor} times that of least squares on the true codes."
)
METHODS = (
    "Starts: near has atoms of expected cosine {correlation} with the true ones; random atoms know "
    "nothing; no start is discovery from the data; the truth is a control, which shows where the "
    "truth is no fixed point. λ of a network is computed from the data, by one rate of false "
    "activations in all cells. The rate of the config, 0.001, was the best of 0.05, 0.01 and 0.001 "
    "for the networks in a trial with other seeds, which A* judged. Alternating least squares has "
    "the library's defaults. Lines: with N n ≥ N k d + Γ d (n − d) there are as many equations as "
    "unknowns (necessary for recovery from data alone without noise; the basis of a span is not "
    "counted); every group is active d times, which spans it, with probability 1/2; the oracle "
    "overlaps by half with N = m + 1 + m (n − d) / (n 10^(SNR/10)). A limit that is not drawn does "
    "not cross the plane. A one-sided code (ReLU) needs two atoms for a direction of both signs "
    "and has one, so atoms leave their groups."
)
CAPTION = (
    "Phases {letter} (not in the paper): {place}; the number is that of successes of {replicates}, "
    "colour their share. Wilson's 95 % interval has half-width {none:.2f} at none or all and "
    "{half:.2f} at half. {rest}"
)
QUESTION = "Where does recovery stop?"


def main() -> None:
    args = options(__doc__)
    section = args.config
    run = runs(args.tables["phases"], section["success"])
    deliver(
        args,
        claims=collect(claims, args.tables, choices=section),
        title="Where recovery stops",
        question=QUESTION,
        findings=findings(run, section),
        blocks=[
            text(INTRODUCTION, overlap=section["success"]["overlap"],
                 factor=section["success"]["oracle_factor"]),
            *(
                figure(name, caption(name, number, section), key=not number)
                for number, name in enumerate(args.figures)
            ),
            base_table(run, section),
            text(METHODS, correlation=section["correlation"]),
        ],
    )  # fmt: skip


def caption(name: str, number: int, section: dict) -> str:
    """Caption of the diagram of a plane."""
    count, model = section["replicates"], section["model"]
    plane = section["planes"][name.removeprefix("phases_")]
    varied = {*plane["across"], *plane["up"]}
    fixed = {
        "n": f"n = {model['n']}", "groups": f"Γ = {model['groups']}",
        "group_size": f"d = {model['group_size']}",
        "active_groups": f"{model['active_groups']} active",
        "samples": f"N = {model['samples']}", "snr_db": f"SNR {model['snr_db']} dB",
    }  # fmt: skip
    rest = ", ".join(words for key, words in fixed.items() if key not in varied)
    return CAPTION.format(
        letter=ascii_uppercase[number], place=plane_name(plane), replicates=count,
        none=half_width(0, count), half=half_width(count // 2, count), rest=f"Fixed: {rest}.",
    )  # fmt: skip


if __name__ == "__main__":
    main()
