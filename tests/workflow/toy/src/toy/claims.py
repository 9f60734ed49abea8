"""The claim about the coin."""

from evidence.claims import claim
from evidence.verdict import between


@claim(
    "The coin is fair",
    source="a story",
    statistic="share of heads",
    reference="one half",
    rule=between(0.4, 0.6),
    needs=("toy",),
)
def fair(tables, case):
    return tables["toy"].set_index("replicate").value
