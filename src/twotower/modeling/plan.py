"""What a run would take: parameters, operations, memory and hours, without allocating or reading anything."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..config.schema import RunConfig
from ..system.durations import duration
from ..system.errors import InputError
from ..system.printing import in_percent

if TYPE_CHECKING:
    from .configuration import TowersConfig

BYTES = 4
TAGGED_PER_SECOND = 3_000
"""Words that HanTa tags in a second on one core (measured on an Intel Xeon, with HanTa 1.2.1)."""


@dataclass(frozen=True)
class Machine:
    """The machine that the run would use."""

    devices: int = 1
    """Number of devices (GPUs, or processes)."""
    tflops: float = 100.0
    """Peak throughput of a device at the precision of training, in 10^12 operations per second."""
    utilization: float = 0.4
    """Share of the peak that training reaches; 0.3 to 0.5 is usual."""
    sharded: bool = False
    """Whether parameters, gradients and optimizer are sharded over the devices (FSDP) instead of repeated on each."""
    corpus_tokens: int | None = None
    """Tokens of the corpus, training and held out, for the passes over it, its size on disk, and the hours of scoring
    and tagging (at most, where `prepare.heldout_words` cuts documents)."""
    cores: int = 1
    """Processor cores of the machine that prepares the text; all of them tag words."""


@dataclass(frozen=True)
class Plan:
    """Everything that `twotower plan` prints, as plain numbers; operations count multiplications and additions."""

    name: str
    parameters: dict[str, int]
    flops_per_token: dict[str, float]
    tokens: dict[str, int]
    updates: dict[str, int]
    memory: dict[str, float]
    """Bytes per device in the joint phase, by component."""
    communication: float
    """Bytes that each device sends per update to add up the gradients."""
    hours: dict[int, dict[str, float]]
    """For each number of devices the hours of each phase."""
    tagging_hours: float | None = None
    """Hours in which the cores tag the held-out words, at most: a word has one token or more. None without a corpus."""
    machine: Machine = field(default_factory=Machine)
    corpus: dict[str, float] = field(default_factory=dict)


def make_plan(config: RunConfig, machine: Machine) -> Plan:
    """Count what `config` takes on `machine`. Raises `InputError` for an impossible machine or model.

    The vocabulary is that of `prepare.vocabulary`, padded as `prepare` pads it. Operations are those of the matrix
    products. Scoring is counted per held-out token, its samples of fixed size (context, direction) are not. Statistics
    are left out.
    """
    from ..data.tokenization import padded
    from .configuration import READOUT_SETS, TWICE_SETS
    from .costs import count_costs, head_flops
    from .losses import block_rows
    from .objectives import watched_heads
    from .sizes import towers_config

    _check(machine, config)
    train, readout = config.train, config.readout
    vocabulary = padded(config.prepare.vocabulary)
    towers = towers_config(config, vocabulary)
    costs = count_costs(towers)
    predicted = train.masked if towers.objective == "masked" else 1.0
    joint_head = predicted * head_flops(towers.embedding_size, vocabulary)
    one_readout = predicted * head_flops(towers.width, vocabulary)
    towers.readouts, towers.twice = READOUT_SETS[: readout.replicates], READOUT_SETS[:TWICE_SETS]
    readouts = len(towers.head_names) - 1
    flops = {
        "joint: towers and fusion": costs.training_flops,
        "joint: vocabulary": joint_head,
        **_own_losses(towers, costs.training_flops, costs.forward_flops, joint_head),
        "joint: readouts that watch": train.readout_share * watched_heads(towers) * one_readout,
        "readouts: frozen towers": costs.forward_flops,  # at most: their states are kept for all readouts
        "readouts: vocabulary": readouts * one_readout,
        **_scoring(config, towers, vocabulary, costs.forward_flops),
    }
    tokens = {"joint": train.tokens, "readouts": readout.tokens}  # of readouts at most
    if machine.corpus_tokens is not None:
        tokens["scoring"] = round(machine.corpus_tokens * config.prepare.heldout)
    share = train.batch // machine.devices
    rows = min(train.micro_batch or share, share)
    shards = machine.devices if machine.sharded else 1
    trained = costs.trained + watched_heads(towers) * costs.parameters["readout"]
    activations = rows * train.window * costs.activation_bytes / (1 if train.precision == "no" else 2)
    memory = {
        "parameters": BYTES * trained / shards,
        "gradients": BYTES * trained / shards,
        "optimizer (two moments)": 2 * BYTES * trained / shards,
        f"activations ({rows} windows at a time)": activations,
        "logits (one block)": float(BYTES * vocabulary * block_rows(vocabulary, BYTES)),
    }
    totals = {
        phase: tokens[phase] * sum(value for name, value in flops.items() if name.startswith(phase)) for phase in tokens
    }
    counts = sorted({1, 8, 64, machine.devices})
    return Plan(
        name=config.preset,
        parameters=costs.parameters,
        flops_per_token=flops,
        tokens=tokens,
        updates={
            "joint": train.tokens // (train.batch * train.window),
            "readouts": readout.tokens // (readout.batch * train.window),
        },
        memory=memory,
        communication=2 * (machine.devices - 1) / machine.devices * BYTES * trained,
        hours={
            devices: {
                phase: total / (devices * machine.tflops * 1e12 * machine.utilization) / 3600
                for phase, total in totals.items()
            }
            for devices in counts
        },
        tagging_hours=tokens["scoring"] / (TAGGED_PER_SECOND * machine.cores) / 3600 if "scoring" in tokens else None,
        machine=machine,
        corpus=_corpus(config, machine.corpus_tokens, vocabulary),
    )  # fmt: skip


def _own_losses(towers: TowersConfig, training: float, forward: float, one_head: float) -> dict[str, float]:
    """Operations of the towers' own losses, by a token of the joint phase; none where there are no such losses.

    Where texts are planted each tower reads a text of its own; without a joint loss it only reads the real one.
    """
    if towers.own_weight == 0:
        return {}
    heads = 1 if towers.planted == "classes" else towers.towers  # of a token's classes each is one tower's
    flops = {"joint: own heads": heads * one_head}
    if towers.planted == "texts":
        flops["joint: own texts"] = training
        if towers.joint_weight == 0:
            flops["joint: towers and fusion"] = forward
    return flops


def _scoring(config: RunConfig, towers: TowersConfig, vocabulary: int, forward: float) -> dict[str, float]:
    """Operations of scoring a held-out token: under every head, and under the joint head in windows of `NEAR` tokens.

    A causal tower reads a token twice, as its windows overlap by half; a masked one once in each pass.
    """
    from .costs import forward_flops, head_flops
    from .scoring import NEAR

    reads = {"causal": 2, "masked": config.score.passes or towers.window}.get(towers.objective, 1)
    near = forward_flops(replace(towers, window=min(NEAR, towers.window)))
    one_joint, one_readout = (head_flops(width, vocabulary) / 3 for width in (towers.embedding_size, towers.width))
    return {
        "scoring: towers": reads * (forward + near),
        "scoring: vocabulary": 2 * one_joint + (len(towers.head_names) - 1) * one_readout,
    }


def _check(machine: Machine, config: RunConfig) -> None:
    for name, value, allowed in (
        ("devices", machine.devices, machine.devices >= 1),
        ("tflops", machine.tflops, machine.tflops > 0),
        ("cores", machine.cores, machine.cores >= 1),
        ("utilization", machine.utilization, 0 < machine.utilization <= 1),
        ("corpus-tokens", machine.corpus_tokens, machine.corpus_tokens is None or machine.corpus_tokens > 0),
    ):
        if not allowed:
            raise InputError(f"{name}: {value} is not possible; give a positive number (utilization at most 1)")
    if config.train.batch % machine.devices:
        raise InputError(
            f"train.batch: {config.train.batch} windows cannot be shared evenly by {machine.devices} devices; "
            "give a multiple"
        )


def _corpus(config: RunConfig, tokens: int | None, vocabulary: int) -> dict[str, float]:
    if tokens is None:
        return {}
    training = tokens * (1 - config.prepare.heldout)
    piece = 2.0 if vocabulary <= 1 << 16 else 4.0
    return {"passes": config.train.tokens / training, "bytes": tokens * (piece + 1)}  # 1: whether a word begins there


def show(plan: Plan) -> str:
    """The plan as text for a terminal."""
    machine = plan.machine
    lines = [f"{plan.name}", "", "parameters"]
    lines += [_row(name, f"{count:,}") for name, count in plan.parameters.items() if name != "readout"]
    total = sum(count for name, count in plan.parameters.items() if name != "readout")
    lines += [
        _row("in the joint phase", f"{total:,}"),
        _row("each readout, trained afterwards", f"{plan.parameters['readout']:,}"),
        "",
        "operations per token (matrix products; multiply and add are two)",
    ]
    lines += [_row(name, _scaled(value, "FLOP")) for name, value in plan.flops_per_token.items()]
    lines += ["", "tokens"]
    lines += [
        _row(f"{phase} phase" + ", at most" * (phase == "readouts"), f"{plan.tokens[phase]:,} in {count:,} updates")
        for phase, count in plan.updates.items()
    ]
    if plan.corpus:
        lines += [_row("passes over the corpus", f"{plan.corpus['passes']:.2f}")]
        lines += [_row("tokens on disk", _scaled(plan.corpus["bytes"], "B"))]
        lines += [_row("held out, to tag and to score", f"{plan.tokens['scoring']:,}")]
    sharing = f" ({machine.devices} devices, {'sharded' if machine.sharded else 'repeated on each'})"
    lines += ["", f"memory per device, joint phase{sharing * (machine.devices > 1)}"]
    lines += [_row(name, _scaled(value, "B")) for name, value in plan.memory.items()]
    lines += [_row("together", _scaled(sum(plan.memory.values()), "B"))]
    if machine.devices > 1:
        lines += [_row("sent per update and device", _scaled(plan.communication, "B"))]
    lines += [
        "",
        f"time on devices of {machine.tflops:g} TFLOP/s, of which {in_percent(machine.utilization)} are reached",
    ]
    for devices, phases in plan.hours.items():
        by_phase = ", ".join(f"{phase} {duration(3600 * hours)}" for phase, hours in phases.items())
        name, hours_in_all = f"{devices} device{'s' * (devices > 1)}", duration(3600 * sum(phases.values()))
        lines.append(f"{_row(name, hours_in_all)}  ({by_phase})")
    if plan.tagging_hours is None:
        lines.append("  scoring and tagging take as long as the held-out text is: give --corpus-tokens")
    else:
        cores = f"{machine.cores} core{'s' * (machine.cores > 1)}"
        lines.append(_row(f"before that, tagging on {cores}", f"up to {duration(3600 * plan.tagging_hours)}"))
    return "\n".join(lines)


def _row(name: str, value: str) -> str:
    return f"  {name:<36}{value:>22}"


def _scaled(value: float, unit: str) -> str:
    for prefix, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:,.2f} {prefix}{unit}"
    return f"{value:,.0f} {unit}"
