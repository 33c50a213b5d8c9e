"""About how many operations a run takes, from closed forms alone: at once, and without PyTorch.

`costs.py` counts them exactly on fake tensors, which takes seconds for each model. A test holds the two within 15 % of
each other for every preset.
"""

from __future__ import annotations

from ..config.schema import ModelConfig, RunConfig

BACKWARD = 3
"""Operations of forward and backward passes together, in those of the forward pass."""
PADDED_TO = 8


def run_flops(config: RunConfig) -> float:
    """Operations of the joint phase, and of readouts that take all the text they may; multiply and add are two.

    Scoring is left out, since it depends on the length of the held-out text; so are tagging and statistics.
    """
    model, train, readout = config.model, config.train, config.readout
    vocabulary = -(-config.prepare.vocabulary // PADDED_TO) * PADDED_TO
    predicted = train.masked if model.family == "bert" or model.objective == "masked" else 1.0
    embedding = model.embedding or model.width
    input_map = 2 * embedding * model.width if embedding != model.width else 0
    fusion = 2 * model.towers * model.width * embedding
    trunk = model.towers * (tower_flops(model, train.window) + input_map) + fusion
    joint_head = predicted * (2 * embedding * vocabulary)
    one_readout = predicted * 2 * model.width * vocabulary
    watched = train.readout_share * 2 * model.towers * one_readout
    joint = train.tokens * BACKWARD * (trunk + joint_head + watched)
    # A set has a readout for each tower and one for all; one of the sets also reads each tower given twice.
    heads = readout.replicates * (model.towers + 1) + model.towers if model.towers > 1 else readout.replicates
    return joint + readout.tokens * (trunk + BACKWARD * heads * one_readout)


def tower_flops(model: ModelConfig, window: int) -> float:
    """Of one tower's forward pass, per token: 8 w² for attention, 4 w f for the feed-forward layer, and so on."""
    if model.family == "elmo":
        hidden = model.lstm_hidden or 2 * model.width
        directions = 2 if model.elmo_backward == "on" else 1
        per_layer = 8 * hidden * (model.width + model.width) + 2 * hidden * model.width
        return directions * model.layers * per_layer
    feedforward = model.feedforward or 4 * model.width
    per_layer = 8 * model.width**2 + 4 * model.width * feedforward + 4 * window * model.width
    return model.layers * per_layer
