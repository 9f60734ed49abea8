"""The room of the featurizers: its data, its scores on known cases, verdicts that can fail."""

import copy

import pandas as pd
import pytest
import torch
import yaml
from conftest import ROOT

import groupsparse as gs
from evidence.claims import claims_of, collect
from evidence.verdict import FAILED, HOLDS, PARTLY
from featurizers import claims, conditions, findings, measure, methods, plots, scores, tables
from featurizers.check import inconsistencies
from featurizers.names import described
from featurizers.truth import Truth

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())["featurizers"]
SMALL = CONFIG | {
    "truth": CONFIG["truth"] | {"n": 24, "concepts": 6, "active": 2, "snr_db": 30},
    "atoms": 24, "active_atoms": 8, "samples": 40_000, "epoch": 2000, "test": 2000,
    "training": {"batch_size": 100, "lr": 5e-3}, "replicates": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def truth() -> Truth:
    return Truth(SMALL["truth"], seed=1, replicate=0)


# Data


def test_a_job_depends_on_its_own_method_alone():
    changed = CONFIG | {"shown": {}, "methods": CONFIG["methods"] | {"lasso": {}}}
    for name in ("group_top_k", "chance"):
        told = conditions.told(CONFIG, name)
        assert conditions.told(changed, name) == told
        assert set(told["methods"]) == {name} - {"chance"}


def test_concepts_have_their_sizes_in_turn_and_frequencies_by_rank():
    config = {"concepts": 7, "sizes": [1, 2, 4], "skew": 1.0}
    assert conditions.sizes(config) == [1, 2, 4, 1, 2, 4, 1]
    assert conditions.frequencies(config) == pytest.approx([1, 1, 1, 1 / 2, 1 / 2, 1 / 2, 1 / 3])
    assert set(conditions.frequencies(config | {"skew": 0})) == {1.0}


def test_a_sample_is_a_sum_of_its_concepts_and_noise(truth):
    drawn, bases = truth.draw("a", 500), truth.bases()
    assert [b.shape[1] for b in bases] == [1, 2, 4, 1, 2, 4]
    assert all(torch.allclose(b.T @ b, torch.eye(b.shape[1]), atol=1e-5) for b in bases)
    active = truth.active(drawn)
    assert (active.sum(1) == 2).all()
    for y, on in zip(drawn.data[:20], active, strict=False):
        span = torch.linalg.qr(torch.cat([bases[g] for g in on.nonzero().flatten()], dim=1)).Q
        rest = y - span @ (span.T @ y)
        assert rest.norm() < 2 * truth.noise_std * 24**0.5, "what is left is noise"


def test_frequent_concepts_occur_more_often(truth):
    rates = truth.active(truth.draw("b", 20_000)).double().mean(0)
    assert rates[:3].min() > rates[3:].max()


def test_no_sample_of_the_stream_comes_twice_and_each_seed_has_its_own(truth):
    stream = truth.stream(100, 30)
    first, again, second = (torch.cat(list(stream(epoch))) for epoch in (1, 1, 2))
    assert [len(batch) for batch in stream(1)] == [30, 30, 30, 10]
    assert torch.equal(first, again)
    everything = torch.cat([first, second, truth.draw("test", 100).data])
    assert len(everything.unique(dim=0)) == 300
    other = Truth(SMALL["truth"], seed=1, replicate=1)
    assert not torch.equal(other.dictionary, truth.dictionary)


# Scores


def test_the_share_is_one_for_the_span_and_at_most_one_over_d_for_an_atom():
    eye = torch.eye(6)
    bases = [eye[:, :1], eye[:, 1:3]]
    turned = torch.stack([eye[1] + eye[2], eye[1] - 3 * eye[2]], dim=1)  # the same plane
    found = scores.shares(bases, [turned, eye[:, [0, 5]], eye[:, [1]]])
    assert torch.allclose(found, torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 0.5]]), atol=1e-6)


def test_f1_counts_samples_in_which_both_are_active():
    concepts = torch.tensor([[1, 0], [1, 0], [0, 0], [0, 0]], dtype=torch.bool)
    active = torch.tensor([[1, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]], dtype=torch.bool)
    expected = torch.tensor([[1.0, 0.5, 0.0], [0.0, 0.0, 0.0]])
    assert torch.equal(scores.f1(concepts, active), expected)


def test_a_set_that_the_truth_puts_together_helps_single_atoms():
    eye = torch.eye(6)
    concepts = torch.tensor([[True], [True], [False]])
    active = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=torch.bool)
    atoms = [eye[:, [k]] for k in (1, 2, 3)]
    found = scores.by_concept([eye[:, 1:3]], concepts, atoms, active, several=2)
    assert found["captured"].item() == 0.5
    assert found["captured_set"].item() == pytest.approx(1)
    assert found["f1"].item() == pytest.approx(2 / 3)
    assert found["f1_set"].item() == 1.0
    alone = scores.by_concept([eye[:, 1:3]], concepts, atoms, active, several=1)
    assert alone["captured_set"].item() == 0.5, "as many atoms as are allowed"


def test_the_true_dictionary_is_found_whole_and_a_random_one_is_not(truth):
    whole, _ = measure.scores(methods.learn("truth", SMALL, truth), truth, 2000)
    assert whole["captured"] == pytest.approx(1, abs=1e-5)
    assert whole["found"] == 1
    assert whole["f1"] > 0.8
    assert whole["active_groups"] == 2
    random, each = measure.scores(methods.learn("chance", SMALL, truth), truth, 2000)
    assert random["captured"] < 0.5
    assert random["f1"] < whole["f1"] - 0.2
    assert whole["explained_by_truth"] == pytest.approx(0.999, abs=0.001), "30 dB"
    assert {row["metric"] for row in each} == {"captured", "f1", "captured_set", "f1_set"}
    assert len(each) == 4 * 6


# Methods


@pytest.mark.parametrize("name", SMALL["methods"])
def test_every_method_keeps_the_number_of_active_atoms_and_learns(name, truth):
    values, _ = measure.scores(methods.learn(name, SMALL, truth), truth, 2000)
    chance, _ = measure.scores(methods.learn("chance", SMALL, truth), truth, 2000)
    # Lasso and batch rules keep it on samples beside the stream, of which 5,000 tell it to 3 %.
    assert values["active_atoms"] == pytest.approx(8, rel=0.1)
    short = methods.learn(name, SMALL | {"samples": 2000}, truth)
    assert isinstance(short, gs.UntiedAutoencoder) == ("top_k" in name and "tied" not in name)
    if "lasso" not in name:
        assert values["captured_set"] > chance["captured_set"] + 0.2
        assert values["explained"] > 0.8


def test_the_truth_is_not_used_in_training(truth, monkeypatch):
    """Without bases and codes a method learns the same."""
    short = SMALL | {"samples": 4000}
    learnt = methods.learn("group_top_k", short, truth).dictionary
    blind = copy.copy(truth)
    real = truth.draw
    monkeypatch.setattr(
        blind, "draw", lambda *a, **k: real(*a, **k)._replace(codes=None), raising=True
    )
    monkeypatch.setattr(blind, "bases", None)
    monkeypatch.setattr(blind, "active", None)
    assert torch.equal(methods.learn("group_top_k", short, blind).dictionary, learnt)


def test_the_level_keeps_the_number_of_groups_that_is_asked_for():
    data = torch.tensor([[3.0, 0.0, 1.0, 0.0], [0.0, 2.0, 0.0, 0.5]])
    assert methods.level(torch.eye(4), data, 1, 2) == 1.0
    model = gs.Autoencoder(torch.eye(4), "group_soft", 1.0, 2)
    assert gs.active_per_sample(model.encode(data).detach(), 2) == 1


# The config


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"truth": {"active": 200}}, "featurizers.truth.active: more than the 192 concepts"),
        ({"truth": {"sizes": [1, 200]}}, "featurizers.truth.sizes: 200 dimensions do not fit"),
        ({"truth": {"amplitude": [2, 1]}}, "featurizers.truth.amplitude: it must not fall"),
        ({"atoms": 766}, "featurizers.atoms: no multiple of the group size 4"),
        ({"active_atoms": 22}, "featurizers.active_atoms: no multiple of the group size 4"),
        ({"active_atoms": 800}, "featurizers.active_atoms: more than there are atoms"),
        ({"epoch": 2_000_000}, "featurizers.epoch: more samples than there are in all"),
        ({"shown": {"plain": "none"}}, "featurizers.shown.plain: no method 'none'"),
        ({"shown": {"tied": "none"}}, "featurizers.shown.tied: no method 'none'"),
        ({"shown": {"tied": "group_top_k"}}, "featurizers.shown.tied: this method is not top-k"),
        ({"shown": {"tied": "lasso"}}, "featurizers.shown.tied: this method is not top-k"),
        (
            {"methods": {"truth": {"rule": "lasso", "group_size": 1}}},
            "featurizers.methods.truth: this name belongs to a control",
        ),
        (
            {"methods": {"mine": {"rule": "lasso", "group_size": 1, "tied": False}}},
            "featurizers.methods.mine.tied: lasso always is",
        ),
    ],
)
def test_a_contradiction_is_refused_with_its_key_and_reason(change, error):
    section = copy.deepcopy(CONFIG)
    for key, value in change.items():
        section[key] = section[key] | value if isinstance(value, dict) else value
    assert error in "\n".join(inconsistencies({"featurizers": section}))


def test_the_config_contradicts_itself_nowhere():
    assert inconsistencies({"featurizers": CONFIG}) == []
    assert inconsistencies({"featurizers": SMALL}) == []


# Claims, tables, figure

ROW = {
    "captured": 0.9, "f1": 0.8, "captured_set": 0.9, "f1_set": 0.8, "explained": 0.9, "found": 0.7,
    "active_atoms": 24.0, "active_groups": 6.0, "dead": 0.0, "explained_by_truth": 0.97,
    "seconds": 60.0,
}  # fmt: skip
RUNS = {
    "group_top_k": {}, "group_top_k_tied": {}, "group_lasso": {"explained": 0.7},
    "truth": {"f1": 0.85, "active_atoms": 15.5},
    "top_k": {"captured": 0.4, "captured_set": 0.8, "f1": 0.5, "f1_set": 0.6},
}  # fmt: skip


def study(changes=(), seeds: int = 3) -> dict[str, pd.DataFrame]:
    """Tables of made-up runs, all seeds alike; ``changes`` maps (method, metric) to a value."""
    values = {name: ROW | own for name, own in RUNS.items()}
    for (method, metric), value in dict(changes).items():
        values[method][metric] = value
    rows, each = [], []
    for method, metrics in values.items():
        for seed in range(seeds):
            head = {"experiment": "featurizers", "method": method, "replicate": seed}
            rows += [head | {"metric": m, "value": v} for m, v in metrics.items()]
            each += [
                head | {"size": size, "rate": rate, "metric": m, "value": 1.0 if size == 1 else v}
                for size in (1, 2, 4)
                for rate in (0.01, 0.02, 0.05)
                for m, v in metrics.items()
                if m in plots.METRICS or m in ("captured", "f1")
            ]
    return {"featurizers": pd.DataFrame(rows), "featurizers_concepts": pd.DataFrame(each)}


def verdict(changes, title: str) -> str:
    found = collect(claims, study(changes), CONFIG["shown"])
    return found[found.claim.str.startswith(title)].verdict.item()


SPAN, TELLS = "Groups span features", "A group tells"
SHRUNK, LIMIT = "Group lasso reconstructs", "Learnt groups detect"
CASES = [
    (SPAN, {}, HOLDS),
    (SPAN, {("top_k", "captured_set"): 0.88}, PARTLY),
    (SPAN, {("top_k", "captured_set"): 0.95}, FAILED),
    (TELLS, {}, HOLDS),
    (TELLS, {("top_k", "f1_set"): 0.78}, PARTLY),
    (TELLS, {("top_k", "f1_set"): 0.9}, FAILED),
    (SHRUNK, {}, HOLDS),
    (SHRUNK, {("group_lasso", "explained"): 0.88}, PARTLY),
    (SHRUNK, {("group_lasso", "explained"): 0.95}, FAILED),
    (LIMIT, {}, HOLDS),
    (LIMIT, {("group_top_k_tied", "f1"): 0.7}, PARTLY),
    (LIMIT, {("group_top_k_tied", "f1"): 0.5}, FAILED),
]


@pytest.mark.parametrize(("title", "changes", "wanted"), CASES)
def test_each_verdict_of_a_claim_can_come_out(title, changes, wanted):
    assert verdict(changes, title) == wanted


def test_no_claim_is_left_without_a_test():
    assert len({title for title, _, _ in CASES}) == len(claims_of(claims))


def test_concepts_of_one_dimension_decide_nothing_between_groups_and_atoms():
    found = claims.several(study()["featurizers_concepts"], "top_k", "captured_set")
    assert found.tolist() == pytest.approx([0.8] * 3)


@pytest.mark.parametrize(
    ("missing", "left"),
    [
        ("group_lasso", [SPAN, TELLS, LIMIT]), ("top_k", [SHRUNK, LIMIT]),
        ("group_top_k_tied", [SPAN, TELLS]), ("truth", [SPAN, TELLS, SHRUNK]),
    ],
)  # fmt: skip
def test_a_method_that_did_not_run_gives_no_claim(missing, left):
    few = {name: t[t.method != missing] for name, t in study().items()}
    found = collect(claims, few, CONFIG["shown"]).claim
    assert [
        title for title in (SPAN, TELLS, SHRUNK, LIMIT) if found.str.contains(title).any()
    ] == left


def test_a_rule_and_a_dictionary_are_compared_in_one_encoder():
    """The encoder of group top-k is free: what it gains must not count."""
    free = {("group_top_k", metric): 0.99 for metric in ("explained", "f1")}
    assert verdict(free | {("group_top_k_tied", "explained"): 0.6}, SHRUNK) == FAILED
    assert verdict(free | {("group_top_k_tied", "f1"): 0.5}, LIMIT) == FAILED


def test_a_config_that_names_no_tied_method_has_the_usual_one():
    before = {key: name for key, name in CONFIG["shown"].items() if key != "tied"}
    assert conditions.compared(before) == CONFIG["shown"]
    other = before | {"tied": "other"}
    assert conditions.compared(other) == other


def test_tables_and_findings_say_the_numbers():
    made = study()
    table = tables.comparison(made["featurizers"], CONFIG)
    assert [row[0] for row in table["rows"]] == [
        "group lasso, groups of 4", "group top-k, groups of 4",
        "group top-k, groups of 4, tied", "top-k", "the true dictionary, tied top-k",
    ]  # fmt: skip
    assert table["rows"][3][1:5] == [f"{x} ± 0.000" for x in ("0.400", "0.800", "0.500", "0.600")]
    assert "1,000,000 samples" in table["caption"]
    by_size = tables.sizes(made["featurizers_concepts"], CONFIG)
    assert by_size["head"][1] == ["", *["d = 1", "d = 2", "d = 4"] * 2]
    assert by_size["rows"][3][1:4] == [f"{x} ± 0.000" for x in ("1.000", "0.800", "0.800")]
    (line,) = findings.findings(made["featurizers"], CONFIG)
    assert "group top-k, groups of 4 70% found, F1 0.80, explained variance 0.90" in line
    alike, truth = line.split(" With 15.5 active atoms: ")
    assert "with 24 active atoms" in alike
    assert "true dictionary" not in alike
    assert truth.startswith("the true dictionary, tied top-k 70% found")
    assert findings.findings(made["featurizers"].query("method != 'truth'"), CONFIG) == []


def test_methods_have_names_in_words():
    assert described("chance", CONFIG) == "a random dictionary"
    assert described("batch_top_k", CONFIG) == "batch top-k"
    assert described("group_top_k_tied", CONFIG) == "group top-k, groups of 4, tied"


def test_the_figure_has_a_line_for_each_method():
    figure = plots.by_rate(study()["featurizers_concepts"], CONFIG)
    assert len(figure.axes) == 6
    assert [len(ax.lines) for ax in figure.axes] == [5] * 6
    figure.canvas.draw()
