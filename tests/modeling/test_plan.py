"""What `twotower plan` counts, against closed forms."""

import json
from dataclasses import replace

import pytest

from twotower import cli
from twotower.config.presets import PRESETS
from twotower.modeling.costs import count_costs
from twotower.modeling.plan import Machine, make_plan, show
from twotower.modeling.sizes import towers_config


@pytest.mark.parametrize(
    "name", ["paper-bert-base", "paper-gpt-base", pytest.param("quickstart-elmo", marks=pytest.mark.slow)]
)
def test_operations_are_two_per_weight_and_token_and_what_attention_adds(name):
    config = towers_config(PRESETS[name], vocabulary=30_528)
    costs = count_costs(config)
    towers = sum(count for part, count in costs.parameters.items() if part.startswith("tower"))
    weights = towers + costs.parameters["fusion"]
    attention = 0 if config.family == "elmo" else 4 * config.towers * config.layers * config.window * config.width
    assert costs.forward_flops == pytest.approx(2 * weights + attention, rel=0.03)
    # ELMo's first layers need no gradient of what they read first, and are smaller for it.
    assert costs.training_flops == pytest.approx(3 * costs.forward_flops, rel=0.1)
    assert costs.activation_bytes > 4 * config.towers * config.layers * config.width


def test_a_plan_allocates_nothing_and_adds_up(capsys):
    assert cli.main(["plan", "paper-bert-large", "--devices", "8", "--tflops", "100", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["tokens"] == {"joint": 12_500 * 3840 * 128, "readouts": 3_000 * 3840 * 128}
    assert plan["updates"] == {"joint": 12_500, "readouts": 3_000}
    flops = sum(value for name, value in plan["flops_per_token"].items() if name.startswith("joint"))
    hours = plan["tokens"]["joint"] * flops / (8 * 100e12 * 0.4) / 3600
    assert plan["hours"]["8"]["joint"] == pytest.approx(hours)
    assert plan["hours"]["1"]["joint"] == pytest.approx(8 * hours)
    trained = sum(count for name, count in plan["parameters"].items() if name != "readout")
    assert plan["memory"]["parameters"] == 4 * (trained + 4 * plan["parameters"]["readout"])


def test_sharding_divides_what_is_sharded_and_corpora_give_passes():
    config = PRESETS["paper-gpt-base"]
    whole, sharded = (make_plan(config, Machine(devices=8, sharded=sharded)) for sharded in (False, True))
    for name in ("parameters", "gradients", "optimizer (two moments)"):
        assert whole.memory[name] == pytest.approx(8 * sharded.memory[name])
    corpus = make_plan(config, Machine(corpus_tokens=10**9)).corpus
    assert corpus["passes"] == pytest.approx(config.train.tokens / 9e8) and corpus["bytes"] == 3e9


def test_losses_of_the_towers_own_are_counted():
    natural = PRESETS["quickstart"]

    def joint(**changed):
        flops = make_plan(replace(natural, model=replace(natural.model, **changed)), Machine()).flops_per_token
        return {name: value for name, value in flops.items() if name.startswith("joint")}

    pair, strangers, texts = joint(), joint(cooperation=0.0), joint(planted="texts")
    assert strangers["joint: own heads"] == 2 * pair["joint: vocabulary"]
    assert joint(planted="classes")["joint: own heads"] == pair["joint: vocabulary"], "a target is one tower's"
    assert texts["joint: own texts"] == pair["joint: towers and fusion"] > texts["joint: towers and fusion"]


def test_scoring_and_tagging_are_planned_where_the_corpus_is_known(capsys):
    arguments = ["--devices", "4", "--cores", "8", "--corpus-tokens", "2.5e9", "--json"]
    assert cli.main(["plan", "paper-bert-base", *arguments]) == 0
    plan = json.loads(capsys.readouterr().out)
    config = PRESETS["paper-bert-base"]
    assert plan["tokens"]["scoring"] == 2.5e9 * config.prepare.heldout
    towers = towers_config(config, 30_528)
    # Each set reads each tower and all together; one of them each tower given twice, too.
    readouts = config.readout.replicates * (towers.towers + 1) + towers.towers
    per_token = 2 * 30_528 * (2 * towers.embedding_size + readouts * towers.width)
    assert plan["flops_per_token"]["scoring: vocabulary"] == per_token
    # Seven passes over whole windows, and as many over windows of eight tokens, whose attention is smaller.
    forward = count_costs(towers).forward_flops
    assert 1.8 * 7 * forward < plan["flops_per_token"]["scoring: towers"] < 2 * 7 * forward
    total = plan["tokens"]["scoring"] * (per_token + plan["flops_per_token"]["scoring: towers"])
    assert plan["hours"]["4"]["scoring"] == pytest.approx(total / (4 * 100e12 * 0.4) / 3600)
    assert plan["tagging_hours"] == pytest.approx(plan["tokens"]["scoring"] / (8 * 3_000) / 3600)


def test_without_a_corpus_scoring_and_tagging_are_not_planned():
    plan = make_plan(PRESETS["quickstart"], Machine())
    assert plan.tagging_hours is None and "scoring" not in plan.tokens and "scoring" not in plan.hours[1]
    assert "give --corpus-tokens" in show(plan)
    assert "before that, tagging on 8 cores" in show(replace(plan, tagging_hours=2.0, machine=Machine(cores=8)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "preset: 'nonsense' is unknown; `twotower presets`"),
        (["quickstart", "--devices", "0"], "devices: 0 is not possible"),
        (["quickstart", "--cores", "0"], "cores: 0 is not possible"),
        (["quickstart", "--devices", "3"], "cannot be shared evenly by 3 devices"),
        (["quickstart", "--utilization", "1.5"], "utilization: 1.5 is not possible"),
        (["quickstart", "--protocol", "other"], "known protocols: own, paper"),
    ],
)
def test_an_impossible_plan_is_one_line(arguments, message, capsys):
    assert cli.main(["plan", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


@pytest.mark.parametrize("name", ["quickstart-bert", "single-bert-small", "paper-gpt-base"])
def test_presets_can_be_planned(name, capsys):
    assert cli.main(["plan", name]) == 0
    assert capsys.readouterr().out.startswith(f"{name}\n")


def test_any_field_overrides_a_preset(capsys):
    assert cli.main(["plan", "quickstart", "--family", "hf:llama", "--model.towers", "3", "--tokens", "2048"]) == 0
    output = capsys.readouterr().out
    assert "tower 3, blocks" in output and "2,048 in 2 updates" in output


def test_the_papers_protocol_goes_on_top_of_a_preset_and_flags_on_top_of_it(capsys):
    assert cli.main(["plan", "quickstart-bert", "--protocol", "paper", "--train.batch", "256", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["updates"]["joint"] == 12_500 * 3840 // 256
    assert plan["parameters"]["tower 1, blocks"] < 1e6
