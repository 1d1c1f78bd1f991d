"""Exercise corruption_errors: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    "Two loops: over the corruptions, and over the five severities. Every one starts from the clean pictures.",
    "The network's answer is the class of the largest logit. What share of the answers differs from the labels?",
    "No gradient is wanted. Large batches may be shown to the network in parts.",
    "E[c, s] = 1/N * sum_i [argmax f(corrupt_c(x_i, s)) != y_i], s = 1 .. 5",
)

MISTAKES = (
    mistake(
        "five corruptions and no more",
        "enumerate(corruptions)",
        "enumerate(corruptions[:5])",
        hint="Your table has places for more corruptions than you try.",
    ),
    mistake(
        "against the clean answer",
        "(predicted != labels)",
        "(predicted != model(images.detach()).argmax(dim=1))",
        hint="An answer can stay what it was and be wrong: with what do you compare?",
    ),
    mistake(
        "clean error subtracted",
        "(predicted != labels).to(rates).mean()",
        "(predicted != labels).to(rates).mean() - (model(images.detach()).argmax(dim=1) != labels).to(rates).mean()",
        hint="How much worse it became is another question: how often is the network wrong?",
    ),
    mistake(
        "generator set back",
        "corrupted = corruption(",
        "generator.manual_seed(severity)\n            corrupted = corruption(",
        hint="Each call should meet fresh random numbers: what did you do to the generator in between?",
    ),
    mistake(
        "accuracy",
        "(predicted != labels)",
        "(predicted == labels)",
        hint="What do you count: right answers or wrong ones?",
    ),
    mistake(
        "severities from 0",
        "corruption(images.detach(), severity,",
        "corruption(images.detach(), severity - 1,",
        hint="The weakest severity has the number 1.",
    ),
    mistake(
        "one severity short",
        "(1, 2, 3, 4, 5)",
        "(1, 2, 3, 4)",
        hint="The last column of your table was never measured.",
    ),
    mistake(
        "always the same severity",
        "corruption(images.detach(), severity,",
        "corruption(images.detach(), 3,",
        hint="Your five columns are alike.",
    ),
    mistake(
        "corruptions pile up",
        "corrupted = corruption(images.detach(), severity, generator=generator)",
        "images = corrupted = corruption(images.detach(), severity, generator=generator)",
        hint="From which pictures does each corruption start?",
    ),
    mistake(
        "transposed", "return rates", "return rates.T.contiguous()", hint="Which of the two axes is the corruption?"
    ),
    mistake(
        "counts",
        "(predicted != labels).to(rates).mean()",
        "(predicted != labels).to(rates).sum()",
        hint="A number of images is no rate.",
    ),
    mistake("percent", "return rates", "return 100 * rates", hint="A rate lies between 0 and 1."),
    mistake(
        "one minus probability",
        "predicted = torch.cat([model(part).argmax(dim=1) for part in corrupted.split(25)])",
        "probability = model(corrupted).softmax(dim=1).gather(1, labels[:, None])[:, 0]",
        "(predicted != labels)",
        "(1 - probability)",
        hint="An answer is right or wrong; how sure the network was does not count.",
    ),
    mistake(
        "last part alone",
        "predicted = torch.cat([model(part).argmax(dim=1) for part in corrupted.split(25)])",
        "*_, (predicted, truth) = [(model(x).argmax(1), y) for x, y in zip(corrupted.split(25), labels.split(25))]",
        "(predicted != labels)",
        "(predicted != truth)",
        hint="You have shown the network all pictures, but you counted only some of them.",
    ),
    mistake(
        "a generator of its own",
        "corruption(images.detach(), severity, generator=generator)",
        "corruption(images.detach(), severity, generator=torch.Generator().manual_seed(0))",
        hint="Hand on the source of random numbers that you were given.",
    ),
    mistake("clean images", "corrupted.split(25)", "images.split(25)", hint="Which pictures did the network see?"),
    mistake(
        "mean over corruptions",
        "return rates",
        "return rates.mean(dim=0)",
        hint="One number for each corruption at each severity is asked for.",
    ),
    mistake(
        "double precision always",
        "dtype=images.dtype",
        "dtype=torch.float64",
        hint="Look at the number format of the result: it is that of the images.",
    ),
)

VARIANTS = (
    variant(
        "all images at once",
        body="""
        rows = []
        with torch.no_grad():
            for corruption in corruptions:
                row = []
                for severity in (1, 2, 3, 4, 5):
                    logits = model(corruption(images, severity, generator=generator))
                    row.append(1 - (logits.max(dim=1).indices == labels).to(images.dtype).mean())
                rows.append(torch.stack(row))
        return torch.stack(rows).detach()
        """,
    ),
    variant(
        "image by image",
        body="""
        table = []
        for corruption in corruptions:
            for severity in range(1, 6):
                corrupted = corruption(images.clone().detach(), severity, generator=generator).detach()
                wrong = [int(model(x[None]).detach().argmax()) != int(y) for x, y in zip(corrupted, labels)]
                table.append(sum(wrong) / len(wrong))
        return torch.tensor(table, dtype=images.dtype).view(-1, 5)
        """,
    ),
    variant(
        "severity outside",
        body="""
        columns = []
        for severity in range(1, 6):
            hits = [
                (model(c(images.detach(), severity, generator=generator)).detach().topk(1).indices[:, 0] == labels).sum()
                for c in corruptions
            ]
            columns.append(1 - torch.stack(hits).to(images.dtype) / len(images))
        return torch.stack(columns, dim=1)
        """,
    ),
)
