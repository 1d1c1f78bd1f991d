"""Exercise attack_success: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    "There are four goals for the same numbers. Write each as a comparison of two (N,) tensors.",
    (
        "Confidence is a probability, so apply softmax to the logits first. A targeted attack succeeds only "
        "where the target is not the label already."
    ),
    "If clean_logits are given, all four goals have one more condition: the clean image was classified correctly.",
    "reduction: p'_y < p_y; misclassification: argmax != y; targeted: argmax = t != y; source/target: the same and y = s",
)

MISTAKES = (
    mistake(
        "target in every goal",
        "success = predicted.ne(labels)\n    else",
        "success = predicted.ne(labels) & (predicted == target if target is not None else True)\n    else",
        hint="Your misclassification uses target: only the two goals with a target do.",
    ),
    mistake(
        "largest with a margin",
        "predicted = logits.argmax(dim=1)",
        "predicted = (logits + 1e-6 * F.one_hot(labels, logits.shape[1])).argmax(dim=1)",
        hint="You give the label's logit a bonus of 1e-6: compare the logits as they are.",
    ),
    mistake(
        "class 0 is no target",
        "(predicted == target)",
        "(predicted == (target or -1))",
        hint="Your target 0 counts as no target: 0 is a class, and only None means that there is none.",
    ),
    mistake(
        "logits compared",
        "x.softmax(dim=1).gather",
        "x.gather",
        hint="You compare logits: confidence is the softmax probability.",
    ),
    mistake(
        "equal counts as lower",
        "after < before",
        "after <= before",
        hint="An unchanged probability counts as a success in your version: it must be strictly lower.",
    ),
    mistake(
        "confidence raised",
        "after < before",
        "after > before",
        hint="Your comparison is reversed: the attacked probability must be lower than the clean one.",
    ),
    mistake(
        "largest probability",
        ".gather(1, labels[:, None])[:, 0]",
        ".amax(dim=1)",
        hint="You compare the largest probabilities: compare the label's.",
    ),
    mistake(
        "any change of class",
        "success = predicted.ne(labels)\n",
        "success = predicted != (labels if clean_logits is None else clean_logits.argmax(dim=1))\n",
        "if clean_logits is not None:",
        "if clean_logits is not None and goal != 'misclassification':",
        hint=(
            "Compare the prediction with the label, not with the clean prediction. "
            "Images misclassified when clean are never successes."
        ),
    ),
    mistake(
        "wrong before counts",
        "success = success & (clean_logits.argmax(dim=1) == labels)",
        "pass",
        hint="You count images that were wrong before the attack: exclude them.",
    ),
    mistake(
        "only pictures that were wrong before",
        "clean_logits.argmax(dim=1) == labels",
        "clean_logits.argmax(dim=1) != labels",
        hint="Your condition is reversed: count only images that were classified correctly before.",
    ),
    mistake(
        "target that is the label counts",
        "predicted.ne(labels) & (predicted == target)",
        "predicted == target",
        hint="You count images whose label is the target already: exclude them.",
    ),
    mistake(
        "targeted as any mistake",
        "predicted.ne(labels) & (predicted == target)",
        "predicted.ne(labels) & (labels != target)",
        hint="You count any wrong class as a targeted success: the prediction must be the target.",
    ),
    mistake(
        "source ignored",
        "success = success & (labels == source)",
        "pass",
        hint="You ignore source: source_to_target counts only images whose label is source.",
    ),
    mistake(
        "source and target exchanged",
        "success = success & (labels == source)",
        "success = (predicted == source) & (labels == target)",
        hint="You exchange source and target: the label must be source, the prediction target.",
    ),
    mistake(
        "a rate",
        "return success",
        "return success.double().mean()",
        hint="You return a success rate: return one boolean per image.",
    ),
    mistake("numbers", "return success", "return success.long()", hint="Your result holds integers: return booleans."),
    mistake(
        "any class but the target",
        "(predicted == target)",
        "(predicted != target)",
        hint="Your comparison is reversed: the prediction must equal the target.",
    ),
    mistake(
        "source from the clean prediction",
        "(labels == source)",
        "((labels if clean_logits is None else clean_logits.argmax(dim=1)) == source)",
        "if clean_logits is not None:\n        success",
        'if clean_logits is not None and goal != "source_to_target":\n        success',
        hint="You compare source with the clean prediction: compare it with the label.",
    ),
    mistake(
        "only while it is still right",
        "success = after < before",
        "success = (after < before) & (predicted == labels)",
        hint="You count only images that are still classified correctly: a wrong one has lost confidence too.",
    ),
    mistake(
        "softmax over the images",
        "x.softmax(dim=1)",
        "x.softmax(dim=0)",
        hint="Your softmax runs over the images: it must run over the classes.",
    ),
    mistake(
        "distance from the largest logit",
        "x.softmax(dim=1).gather(1, labels[:, None])[:, 0]",
        "x.gather(1, labels[:, None])[:, 0] - x.amax(dim=1)",
        hint="You compare the label's distance from the largest logit: confidence is the softmax probability.",
    ),
)

VARIANTS = (
    variant(
        "loop",
        body="""
        rows = []
        for i, label in enumerate(labels.tolist()):
            top = int(logits[i].argmax())
            if goal == "confidence_reduction":
                ok = bool(logits[i].softmax(0)[label] < clean_logits[i].softmax(0)[label])
            elif goal == "misclassification":
                ok = top != label
            elif goal == "targeted":
                ok = top == target != label
            else:
                ok = label == source and top == target != label
            if clean_logits is not None and int(clean_logits[i].argmax()) != label:
                ok = False
            rows.append(ok)
        return torch.tensor(rows)
        """,
    ),
    variant(
        "table of goals",
        body="""
        n = torch.arange(len(labels))
        top = logits.max(1).indices
        wrong = top.ne(labels)
        hit = torch.zeros_like(wrong) if target is None else top.eq(target) & wrong
        table = {
            "misclassification": lambda: wrong,
            "targeted": lambda: hit,
            "source_to_target": lambda: hit & labels.eq(source),
            "confidence_reduction": lambda: logits.softmax(1)[n, labels] < clean_logits.softmax(1)[n, labels],
        }
        result = table[goal]()
        return result if clean_logits is None else result.logical_and(clean_logits.max(1).indices.eq(labels))
        """,
    ),
    variant("log-probabilities", "x.softmax(dim=1)", "x.log_softmax(dim=1)"),
)
