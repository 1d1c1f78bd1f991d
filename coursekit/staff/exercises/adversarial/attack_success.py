"""Exercise attack_success: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    "Four questions about the same numbers. Write each as one comparison of two rows.",
    (
        "Confidence is a probability, so the logits have to be turned into one first. A wanted class is only won where "
        "it is not the label already."
    ),
    "If the clean logits are known, one more condition holds for all four: the picture was right before.",
    "reduction: p'_y < p_y; misclassification: argmax != y; targeted: argmax = t != y; source/target: the same and y = s",
)

MISTAKES = (
    mistake(
        "largest with a margin",
        "predicted = logits.argmax(dim=1)",
        "predicted = (logits + 1e-6 * F.one_hot(labels, logits.shape[1])).argmax(dim=1)",
        hint="The largest is the largest, by however little: yours leaves the label a margin.",
    ),
    mistake(
        "logits compared",
        "x.softmax(dim=1).gather",
        "x.gather",
        hint="A score can fall while its class becomes more likely: compare what is asked for.",
    ),
    mistake(
        "equal counts as lower",
        "after < before",
        "after <= before",
        hint="Has an attack that changed nothing reduced anything?",
    ),
    mistake(
        "confidence raised", "after < before", "after > before", hint="Which of the two should be the smaller one?"
    ),
    mistake(
        "largest probability",
        ".gather(1, labels[:, None])[:, 0]",
        ".amax(dim=1)",
        hint="The confidence in which class? A confident mistake has reduced it too.",
    ),
    mistake(
        "any change of class",
        "success = predicted.ne(labels)\n",
        "success = predicted != (labels if clean_logits is None else clean_logits.argmax(dim=1))\n",
        "if clean_logits is not None:",
        "if clean_logits is not None and goal != 'misclassification':",
        hint="What was wrong before and is wrong in another way now is not a success.",
    ),
    mistake(
        "wrong before counts",
        "success = success & (clean_logits.argmax(dim=1) == labels)",
        "pass",
        hint="Some pictures needed no attack: they are no merit of it.",
    ),
    mistake(
        "only pictures that were wrong before",
        "clean_logits.argmax(dim=1) == labels",
        "clean_logits.argmax(dim=1) != labels",
        hint="Exactly those pictures count in your version that needed no attack.",
    ),
    mistake(
        "target that is the label counts",
        "predicted.ne(labels) & (predicted == target)",
        "predicted == target",
        hint="A picture of the wanted class that is recognised has not been attacked with success.",
    ),
    mistake(
        "targeted as any mistake",
        "predicted.ne(labels) & (predicted == target)",
        "predicted.ne(labels) & (labels != target)",
        hint="With a wanted class it is not enough that the network is wrong somehow.",
    ),
    mistake(
        "source ignored",
        "success = success & (labels == source)",
        "pass",
        hint="One of the four goals speaks of pictures of one class alone.",
    ),
    mistake(
        "source and target exchanged",
        "success = success & (labels == source)",
        "success = (predicted == source) & (labels == target)",
        hint="From which class to which? Yours goes the other way.",
    ),
    mistake(
        "a rate", "return success", "return success.double().mean()", hint="One answer a picture is asked for, no rate."
    ),
    mistake("numbers", "return success", "return success.long()", hint="Look at the type of the entries: yes or no."),
    mistake(
        "any class but the target",
        "(predicted == target)",
        "(predicted != target)",
        hint="For targeted goals you count what is not the target.",
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
