"""Deliver the deconvolution to the report: claims, tables and figures."""

from deconvolution import claims, tables
from deconvolution.conditions import NEAR
from deconvolution.findings import findings
from deconvolution.names import called, data_name
from deconvolution.results import wide
from evidence.claims import collect
from evidence.delivery import deliver, options
from evidence.section import figure, replicates, text

INTRODUCTION = (
    "Counts or traces are kernels convolved with sparse events, under a law (DUNL). The search "
    "learns the kernels and finds the events by turns: events are sampled, kernels take Newton "
    "steps, and no gradient rate is tuned. It knows neither times nor kernels. All methods are "
    "told how many events a trial has, the number and length of the kernels, and the least "
    "distance of two events of a kernel."
)
METHODS = (
    "Kernel error: mean over kernels of sqrt(1 - &lt;h, h'&gt;²), 0 to 1; after shifts: the least "
    "over shifts of a quarter of a kernel. Events in %, found within {near} bin of a true one, "
    "each counted once. Held out: nats per hidden bin above the baseline. "
    "Known times: amplitudes and kernels by Newton steps from the true times. Known kernels: the "
    "search with the true kernels. Unrolled network: FISTA layers that keep twice as many events "
    "as there are, its kernels trained by gradients. Gaussian law: counts taken for traces. "
    "Chance: windows of the data as kernels, events anywhere. A found event is a hit if a true "
    "one of the kernel is within the tolerance, one to one. The kernels of events are those that "
    "learnt ones are matched to, over shifts of a quarter of their length; without true kernels, "
    "by the most events in common. Bins that are hidden are seen by no fit and predicted by all."
)
OWN = "deconvolution-"  # figures of one recording
QUESTION = "Can events and their kernels be found in counts when neither is known?"
CAPTION = (
    "Deconvolution {number} (not in the paper): kernels of all replicates, events found by "
    "tolerance (0 to {most} bins), and one trial. Data: {data}; {method}."
)
SWEEPS = "Deconvolution sweeps (not in the paper): kernel error as one property changes; {draws}."


def main() -> None:
    args = options(__doc__)
    section = args.config
    runs = wide(args.tables["deconvolution"])
    words = {
        name: CAPTION.format(
            number=number, most=max(section["tolerances"]), data=data_name(data),
            method=called(section["shown"][data]),
        )
        for number, name in enumerate(args.figures, 1)
        if (data := name.removeprefix(OWN)) != name
    }  # fmt: skip
    words["deconvolution_sweeps"] = SWEEPS.format(draws=replicates(section["replicates"]))
    deliver(
        args,
        claims=collect(claims, args.tables, section),
        title="Deconvolution",
        question=QUESTION,
        findings=findings(runs, section),
        blocks=[
            text(INTRODUCTION),
            *(figure(name, words[name]) for name in args.figures),
            *tables.recordings(args.tables["deconvolution"], section),
            text(METHODS, near=NEAR),
        ],
    )


if __name__ == "__main__":
    main()
