"""Exercise corruption_errors: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    "Loop over the corruptions and over the five severities. Start each one from the clean images.",
    "The prediction is the class of the largest logit. Which share of the predictions differs from the labels?",
    "You need no gradients here. A large batch may go through the network in parts.",
    "E[c, s] = 1/N * sum_i [argmax f(corrupt_c(x_i, s)) != y_i], s = 1 .. 5",
)

MISTAKES = (
    mistake(
        "five corruptions and no more",
        "enumerate(corruptions)",
        "enumerate(corruptions[:5])",
        hint="You use at most five corruptions: loop over all that you were given.",
    ),
    mistake(
        "against the clean answer",
        "(predicted != labels)",
        "(predicted != model(images.detach()).argmax(dim=1))",
        hint="You compare with the predictions on clean images: compare with the true labels.",
    ),
    mistake(
        "clean error subtracted",
        "(predicted != labels).to(rates).mean()",
        "(predicted != labels).to(rates).mean() - (model(images.detach()).argmax(dim=1) != labels).to(rates).mean()",
        hint="You subtract the error on clean images: return the error on corrupted images as it is.",
    ),
    mistake(
        "generator set back",
        "corrupted = corruption(",
        "generator.manual_seed(severity)\n            corrupted = corruption(",
        hint="You seed the generator before each corruption: leave it alone, so that each call draws new numbers.",
    ),
    mistake(
        "accuracy",
        "(predicted != labels)",
        "(predicted == labels)",
        hint="You count right predictions: count wrong ones.",
    ),
    mistake(
        "severities from 0",
        "corruption(images.detach(), severity,",
        "corruption(images.detach(), severity - 1,",
        hint="You pass severities 0 to 4: pass 1 to 5.",
    ),
    mistake(
        "one severity short",
        "(1, 2, 3, 4, 5)",
        "(1, 2, 3, 4)",
        hint="The last column is never filled: severity 5 is missing.",
    ),
    mistake(
        "always the same severity",
        "corruption(images.detach(), severity,",
        "corruption(images.detach(), 3,",
        hint="You pass severity 3 for every column: pass the severity of the column.",
    ),
    mistake(
        "corruptions pile up",
        "corrupted = corruption(images.detach(), severity, generator=generator)",
        "images = corrupted = corruption(images.detach(), severity, generator=generator)",
        hint="You corrupt images that are already corrupted: start each time from the clean images.",
    ),
    mistake(
        "transposed",
        "return rates",
        "return rates.T.contiguous()",
        hint="Your axes are swapped: rows are corruptions, columns are severities.",
    ),
    mistake(
        "counts",
        "(predicted != labels).to(rates).mean()",
        "(predicted != labels).to(rates).sum()",
        hint="You return numbers of errors: divide by the number of images.",
    ),
    mistake(
        "percent", "return rates", "return 100 * rates", hint="Your rates are in percent: return shares from 0 to 1."
    ),
    mistake(
        "one minus probability",
        "predicted = torch.cat([model(part).argmax(dim=1) for part in corrupted.split(25)])",
        "probability = model(corrupted).softmax(dim=1).gather(1, labels[:, None])[:, 0]",
        "(predicted != labels)",
        "(1 - probability)",
        hint="You use 1 minus the label's probability: an image counts as 1 if its prediction is wrong, else 0.",
    ),
    mistake(
        "last part alone",
        "predicted = torch.cat([model(part).argmax(dim=1) for part in corrupted.split(25)])",
        "*_, (predicted, truth) = [(model(x).argmax(1), y) for x, y in zip(corrupted.split(25), labels.split(25))]",
        "(predicted != labels)",
        "(predicted != truth)",
        hint="You count only the last chunk of the batch: use the predictions of all chunks.",
    ),
    mistake(
        "a generator of its own",
        "corruption(images.detach(), severity, generator=generator)",
        "corruption(images.detach(), severity, generator=torch.Generator().manual_seed(0))",
        hint="You make a generator of your own: pass on the one you were given.",
    ),
    mistake(
        "clean images",
        "corrupted.split(25)",
        "images.split(25)",
        hint="You give the network the clean images: give it the corrupted ones.",
    ),
    mistake(
        "mean over corruptions",
        "return rates",
        "return rates.mean(dim=0)",
        hint="You average over the corruptions: keep one row per corruption, (C, 5).",
    ),
    mistake(
        "double precision always",
        "dtype=images.dtype",
        "dtype=torch.float64",
        hint="Your result is float64: use the dtype of the images.",
    ),
    mistake(
        "mean of the parts' rates",
        "predicted = torch.cat([model(part).argmax(dim=1) for part in corrupted.split(25)])",
        "parts = zip(corrupted.split(25), labels.split(25))\n"
        "                shares = [(model(part).argmax(dim=1) != truth).to(rates).mean() for part, truth in parts]",
        "(predicted != labels).to(rates).mean()",
        "torch.stack(shares).mean()",
        hint="You average the error rates of parts of different sizes: count over all images, then divide.",
    ),
    mistake(
        "float32 always",
        "dtype=images.dtype, ",
        "",
        hint="Your result is always float32: use the dtype of the images.",
    ),
    mistake(
        "each image alone",
        "corruption(images.detach(), severity, generator=generator)",
        "torch.cat([corruption(x, severity, generator=generator) for x in images.detach().split(1)])",
        hint="You call a corruption once for each image: call it once with all images.",
    ),
    mistake(
        "first part alone",
        "for part in corrupted.split(25)])",
        "for part in corrupted.split(25)[:1]])",
        "(predicted != labels)",
        "(predicted != labels[: len(predicted)])",
        hint="You count only the first part of the batch: use the predictions of all images.",
    ),
    mistake(
        "mean over batches",
        "predicted = torch.cat([model(part).argmax(dim=1) for part in corrupted.split(25)])",
        "parts = zip(corrupted.split(4), labels.split(4), strict=True)\n                wrong = [(model(part).argmax(dim=1) != own).to(rates).mean() for part, own in parts]",
        "(predicted != labels).to(rates).mean()",
        "torch.stack(wrong).mean()",
        hint="You average per batch, but the last batch is smaller: average over all images.",
    ),
    mistake(
        "incomplete batch left out",
        body="""
        rates = torch.zeros(len(corruptions), 5, dtype=images.dtype, device=images.device)
        for i, corruption in enumerate(corruptions):
            for severity in range(1, 6):
                corrupted = corruption(images.detach(), severity, generator=generator)
                wrong = 0
                for start in range(0, max(len(images) // 16, 1) * 16, 16):
                    with torch.no_grad():
                        predicted = model(corrupted[start : start + 16]).argmax(dim=1)
                    wrong += (predicted != labels[start : start + 16]).sum()
                rates[i, severity - 1] = wrong / len(images)
        return rates
        """,
        hint="You leave out the last, incomplete batch: count the wrong answers of all images.",
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
