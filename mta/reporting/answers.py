"""What a run can say to the items of a checklist; what it cannot is left to the authors."""

from collections.abc import Callable

from data_prep.splits import ROLES
from mta.config import standardizes
from mta.evaluation.style import words
from mta.reporting.elsewhere import told
from mta.reporting.evidence import Evidence
from mta.reporting.flow import leaks_text, size_text, tally
from mta.reporting.folds import external_of
from mta.reporting.headline import worst_of
from mta.reporting.measures import patch_auc, patient_auc, spoken
from mta.reporting.origin import facts_of

OPEN = "to be filled in by the authors"


def _sources(run: Evidence) -> str:
    return f"store {run.config.store}; design and origin: {OPEN}"


def _centres(run: Evidence) -> str:
    used = run.split[run.split["role"] != ""]
    by_role = {
        role: sorted(set(used.loc[used["role"] == role, "centre"])) for role in ROLES if (used["role"] == role).any()
    }
    told = "; ".join(
        f"{words(role)}: {', '.join(name or 'unknown' for name in names)}" for role, names in by_role.items()
    )
    return f"centres in {told}; setting: {OPEN}"


def _preparation(run: Evidence) -> str:
    stain = "none" if run.config.stain == "none" else f"{run.config.stain}, reference {run.config.stain_reference}"
    return f"stain normalization in the run: {stain}; how patches were cut: {OPEN}"


def _resolution(run: Evidence) -> str:
    mpp = run.record.get("mpp")
    return f"{f'{mpp:g} µm a pixel (median of training)' if mpp else 'resolution unknown'}; scanners: {OPEN}"


def _flow(run: Evidence) -> str:
    parts = [f"{words(role) or 'not used'}: {size_text(sizes)}" for role, sizes in tally(run.split).items()]
    crossed = [f"{len(run.folds)} folds, each the internal test of one network and given to the others"]
    return "; ".join([*(crossed if run.folds else []), *parts])


def _sample(run: Evidence) -> str:
    return f"{_flow(run)}; why this suffices: {OPEN}"


def _missing(run: Evidence) -> str:
    unlabelled = int((run.predictions["label"] < 0).sum())
    return f"{unlabelled} tested patches without a label; what is absent is masked in its task; why: {OPEN}"


def _inputs(run: Evidence) -> str:
    units = [f"{name} ({scale.unit})" if scale.unit else name for name, scale in run.coding.scales.items()]
    taken = "embeddings of patches" if run.record.get("encoder") else "RGB patches"
    return f"{taken}; concepts: {', '.join(units) or 'none'}; rationale: {OPEN}"


def _partition(run: Evidence) -> str:
    split = f"{len(run.folds)} folds of whole patients" if run.folds else f"split {run.config.split}"
    return f"{split}; {leaks_text(run)}"


def _scaling(run: Evidence) -> str:
    rows = "all" if run.config.profile == "original" else "training"
    concepts = f"concepts standardized by mean and deviation of the {rows} rows" if run.coding.scales else "no concepts"
    features = "embeddings" if run.record.get("encoder") else "pooled features"
    scaled = features == "embeddings" or standardizes(run.config)
    return f"{concepts}; {features} {'standardized by training rows' if scaled else 'taken as they are'}"


def _model(run: Evidence) -> str:
    config = run.config
    trunk = "embeddings" if run.record.get("encoder") else f"{config.backbone}, trainable: {config.trainable}"
    heads = ["tumor", *run.coding.scales, *(["domain behind gradient reversal"] if run.coding.centres else [])]
    return f"{trunk}; dense layers {', '.join(map(str, config.dense))}; heads: {', '.join(heads)}"


def _weights(run: Evidence) -> str:
    return f"trunk: {run.config.weights}; the rest random, seed {run.config.seed}"


def _training(run: Evidence) -> str:
    config = run.config
    epochs, augment = " + ".join(map(str, config.epochs)), ", ".join(config.augment) or "none"
    return (
        f"{config.optimizer}, learning rate {config.learning_rate:g}, batch {config.batch_size}, dropout "
        f"{config.dropout:g}, L2 {config.l2:g}; schedule {config.schedule}, epochs {epochs}; task losses weighted: "
        f"{config.weighting}; augmentation: {augment}; "
        f"{f'{len(run.folds)} models, one a fold' if run.folds else 'one model'}"
    )


def _selection(run: Evidence) -> str:
    if run.evaluated.get("model", "best") == "last":
        return "the last epoch"
    return f"the epoch with the smallest {run.config.monitor} loss on validation"


def _clusters(run: Evidence) -> str:
    adversary = f"adversary on the centres {', '.join(run.coding.centres)}" if run.coding.centres else "no adversary"
    return f"{adversary}; balance: {run.config.balance}"


def _software(run: Evidence) -> str:
    facts = facts_of(run)
    return f"Python, platform: {facts['Python, platform']}; {facts['packages']}; devices: {OPEN}"


def _recalibration(run: Evidence) -> str:
    values = [spoken(one.metrics[one.tests[0]]["calibration"]["temperature"]) for one in run.members]
    return f"none applied; temperature fitted on validation: {', '.join(values)}"


def _prediction(run: Evidence) -> str:
    return "P(tumor) = sigmoid(logit) a patch; by patient the mean logit; python -m mta.export writes the whole network"


def _imbalance(run: Evidence) -> str:
    weights = [one.record["class_weights"] for one in run.members if one.record.get("class_weights")]
    pairs = [f"{normal:.3g}, {tumor:.3g}" for normal, tumor in weights]
    told = f"class weights (normal, tumor) {' / '.join(pairs)}" if pairs else "no class weights recorded"
    return f"{told}; balance: {run.config.balance}; these shift probabilities"


def _threshold(run: Evidence) -> str:
    found = [one.metrics[one.tests[0]]["operating_point"]["threshold"] for one in run.members]
    known = [f"{threshold:.3g}" for threshold in found if threshold is not None]
    told = f"logit above {', '.join(known)}" if known else "none could be chosen"
    return f"logit and probability a patch; threshold at 95 % specificity of validation: {told}"


def _differences(run: Evidence) -> str:
    return f"see What was trained on what; {_centres(run)}"


def _measures(run: Evidence) -> str:
    return "AUC by patch and patient, sensitivity and specificity, ECE, Brier, concept R2, domain accuracy"


def _uncertainty(run: Evidence) -> str:
    return "95 % intervals over patients (Student's t or BCa; DeLong by patient); paired differences between runs"


def _robustness(run: Evidence) -> str:
    return f"centre by centre, see By centre; other seeds and controls (python -m mta.study): {OPEN}"


def _explanation(run: Evidence) -> str:
    made = sorted({path.name for one in run.members for path in one.folder.path.glob("explain/*") if path.is_dir()})
    return f"{', '.join(made)}, see Explanations" if made else "none made yet (python -m mta.explain)"


def _code(run: Evidence) -> str:
    return f"source {facts_of(run)['source']}; where code and model can be had: {OPEN}"


def _measured(run: Evidence, role: str) -> str:
    if role not in run.tests:
        return f"there was no {words(role)}"
    part = run.part(role)
    ece = spoken(run.metrics[role]["calibration"]["ece"])
    return f"AUC by patch {patch_auc(part)}, by patient {patient_auc(part)}; ECE {ece}"


def _external(run: Evidence) -> str:
    own = external_of(run)
    measured = f"by fold, AUC by patch: {own}" if own else _measured(run, "external_test")
    return "; ".join([measured, *(f"other data, {text}" for text in told(run))])


def _heterogeneity(run: Evidence) -> str:
    worst = {role: worst_of(run, role) for role in run.tests}
    told = [
        f"{words(role)}: worst of {found[1]} centres {found[0].name}, AUC {spoken(found[0].auc, found[0].interval)}"
        for role, found in worst.items()
        if found
    ]
    return f"{'; '.join(told) or 'no centre has both classes'}; other subgroups: {OPEN}"


ANSWERS: dict[str, Callable[[Evidence], str]] = {
    "sources": _sources,
    "centres": _centres,
    "preparation": _preparation,
    "resolution": _resolution,
    "sample": _sample,
    "missing": _missing,
    "inputs": _inputs,
    "partition": _partition,
    "scaling": _scaling,
    "model": _model,
    "weights": _weights,
    "training": _training,
    "selection": _selection,
    "clusters": _clusters,
    "software": _software,
    "recalibration": _recalibration,
    "prediction": _prediction,
    "imbalance": _imbalance,
    "threshold": _threshold,
    "differences": _differences,
    "measures": _measures,
    "uncertainty": _uncertainty,
    "robustness": _robustness,
    "explanation": _explanation,
    "code": _code,
    "flow": _flow,
    "internal": lambda run: _measured(run, "internal_test"),
    "external": _external,
    "heterogeneity": _heterogeneity,
    "failures": lambda run: f"see Worst errors; what they have in common: {OPEN}",
}
"""Name of an answer, as in `mta.reporting.items` -> what the run says."""
