"""The readings that run, read off a part of the config; imports nothing heavy."""

from evidence.paper import of_paper_size

AS_READ = "as_read"  # the reading that the evidence supports: nothing is changed

SNR_DB = 1  # the noise level of the paper's curves of Fig. 3c


def comparable(part: dict) -> bool:
    """Whether curves are of the paper's size and noise, so that its own can be held beside them."""
    return of_paper_size(part["model"]) and part["snr_db"] == SNR_DB


def readings(part: dict) -> dict[tuple[str, str], dict]:
    """All (network, reading) of a part, with the settings of each: one job each."""
    return {
        (name, reading): {**network["reading"], **changes}
        for name, network in part["networks"].items()
        for reading, changes in {AS_READ: {}, **network["changes"]}.items()
    }
