"""The readings that run, read off a part of the config; imports nothing heavy."""

AS_READ = "as_read"  # the reading that the evidence supports: nothing is changed


def readings(part: dict) -> dict[tuple[str, str], dict]:
    """All (network, reading) of a part, with the settings of each: one job each."""
    return {
        (name, reading): {**network["reading"], **changes}
        for name, network in part["networks"].items()
        for reading, changes in {AS_READ: {}, **network["changes"]}.items()
    }
