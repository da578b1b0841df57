"""What reporting guidelines ask for, in our own words, with the numbers that the items have there.

TRIPOD+AI: Collins et al., BMJ 2024, doi:10.1136/bmj-2023-078378. CLAIM: Tejani et al., Radiology: Artificial
Intelligence 2024, doi:10.1148/ryai.240300. The guidelines themselves say more; authors check against them.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """`topic` under items `tripod` and `claim` ("" where it has none); `answer` names what a run can say, or ""."""

    topic: str
    tripod: str
    claim: str
    answer: str = ""


ITEMS: dict[str, tuple[Item, ...]] = {
    "Title, abstract, introduction": (
        Item("Title that names the study as one of a prediction model and of AI", "1", "1"),
        Item("Structured summary of design, data, methods, results", "2", "2"),
        Item("Clinical background, intended use and users, place in the care pathway", "3a, 3b", "3"),
        Item("Known inequalities in health between groups", "3c", ""),
        Item("Objectives: development, evaluation, or both; hypotheses", "4", "4, 6"),
    ),
    "Data": (
        Item("Where the data come from, prospective or retrospective", "5a", "5, 7", "sources"),
        Item("Dates of the data", "5b", "7"),
        Item("Setting, number and place of centres", "6a", "7", "centres"),
        Item("Who is in and who is not; treatments received", "6b, 6c", "8"),
        Item("Preparation of the data: tissue, stain, patches, resolution", "7", "9, 10", "preparation"),
        Item("De-identification", "", "11"),
        Item("How the slides were made and scanned", "", "13", "resolution"),
        Item("Size of the sample and why it suffices", "10", "21", "sample"),
        Item("Missing labels, centres and concepts, and what was done about them", "11", "12", "missing"),
    ),
    "Reference standard and predictors": (
        Item("The outcome: what counts as tumor, and why", "8a", "14, 15"),
        Item("Who annotated, with what training, blinded to what; variability between readers", "8b, 8c", "16, 17, 18"),
        Item("What the model takes and which concepts it is taught, with units", "9a, 9b", "22", "inputs"),
        Item("How subjective predictors were assessed", "9c", ""),
    ),
    "Model": (
        Item("Partition of the data, disjoint by patient", "12a", "19, 20", "partition"),
        Item("Handling of predictors: scaling, standardization", "12b", "9", "scaling"),
        Item("The model: structure, inputs, outputs", "12c, 22", "22", "model"),
        Item("Initial weights", "12c", "24", "weights"),
        Item("Training: loss, optimizer, settings, augmentation, number of models", "12c", "25, 27", "training"),
        Item("How the final model was chosen", "12c", "26", "selection"),
        Item("Differences between clusters (centres) taken into account", "12d", "30", "clusters"),
        Item("Software and hardware, with versions", "12c, 18f", "23", "software"),
        Item("Updating or recalibration of the model", "12f, 24", "", "recalibration"),
        Item("How predictions are computed", "12g", "22", "prediction"),
        Item("Class imbalance", "13", "25", "imbalance"),
        Item("Fairness: how it was pursued", "14", ""),
        Item("Output of the model and thresholds", "15", "22, 28", "threshold"),
        Item("Differences between training and test data", "16", "32, 33", "differences"),
    ),
    "Measures": (
        Item("Measures of performance and why these", "12e", "28", "measures"),
        Item("Statistical uncertainty and significance", "12e", "29", "uncertainty"),
        Item("Robustness and sensitivity analyses", "12e", "30", "robustness"),
        Item("Methods of explanation and how they were checked", "12e", "31", "explanation"),
    ),
    "Open science": (
        Item("Ethics approval and consent", "17", ""),
        Item("Funding, conflicts of interest", "18a, 18b", "44"),
        Item("Protocol and registration", "18c, 18d", "34, 42"),
        Item("Availability of data", "18e", "43"),
        Item("Availability of code and model", "18f", "43", "code"),
        Item("Involvement of patients and the public", "19", ""),
    ),
    "Results": (
        Item("Flow of patients and slides; numbers in each partition", "20a, 21", "35", "flow"),
        Item("Characteristics and demographics in each partition", "20b, 20c", "36"),
        Item("Performance with intervals, internal test", "23a", "32, 37, 38", "internal"),
        Item("Performance with intervals, external test", "23a", "33, 37, 38", "external"),
        Item("Performance by subgroup and centre", "23a, 23b", "37", "heterogeneity"),
        Item("Failure analysis: which cases are wrong", "23a", "39", "failures"),
    ),
    "Discussion": (
        Item("Interpretation, in the light of other studies", "25", "41"),
        Item("Limitations: sample, representativeness, bias", "26", "40"),
        Item("Use: poor input, who works with it, skills needed", "27a, 27b", "41"),
        Item("Next steps, generalizability", "27c", "41"),
    ),
}
