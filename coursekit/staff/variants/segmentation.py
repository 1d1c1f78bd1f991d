"""Right solutions of segmentation that are written in other ways."""

from coursekit.staff.edits import variant

VARIANTS = (
    variant(
        "linear_to_conv",
        "view and Parameter",
        body="""
        if isinstance(size, int):
            size = (size, size)
        conv = nn.Conv2d(in_channels, linear.out_features, tuple(size), bias=linear.bias is not None)
        conv.weight = nn.Parameter(linear.weight.detach().clone().view(linear.out_features, in_channels, *size))
        if linear.bias is not None:
            conv.bias = nn.Parameter(linear.bias.detach().clone())
        return conv
        """,
    ),
    variant(
        "linear_to_conv",
        "load_state_dict",
        body="""
        h, w = (size, size) if isinstance(size, int) else size
        conv = nn.Conv2d(in_channels, linear.out_features, (h, w), bias=linear.bias is not None).to(linear.weight.dtype)
        state = dict(linear.state_dict())
        state["weight"] = state["weight"].reshape(-1, in_channels, h, w)
        conv.load_state_dict(state)
        return conv
        """,
    ),
    variant(
        "linear_to_conv",
        "a loop over output units",
        body="""
        h, w = (size, size) if isinstance(size, int) else size
        conv = nn.Conv2d(in_channels, linear.out_features, (h, w), bias=linear.bias is not None)
        conv = conv.to(linear.weight.device, linear.weight.dtype)
        with torch.no_grad():
            for k in range(linear.out_features):
                conv.weight[k] = linear.weight[k].reshape(in_channels, h, w)
                if linear.bias is not None:
                    conv.bias[k] = linear.bias[k]
        return conv
        """,
    ),
    variant(
        "convolutionalize",
        "a copy whose classifier is replaced",
        body="""
        network = copy.deepcopy(model)
        channels = None
        for layer in network.features.modules():
            if isinstance(layer, nn.Conv2d):
                channels = layer.out_channels
        head = []
        for layer in network.classifier:
            if isinstance(layer, nn.Linear):
                side = int((layer.in_features // channels) ** 0.5 + 0.5)
                head.append(linear_to_conv(layer, channels, (side, side)))
                channels = layer.out_features
            elif not isinstance(layer, nn.Flatten):
                head.append(layer)
        result = nn.Sequential(network.normalize, network.features, nn.Sequential(*head))
        return result.train(model.training)
        """,
    ),
    variant(
        "convolutionalize",
        "a class of its own",
        body="""
        class Slides(nn.Module):
            def __init__(self, source):
                super().__init__()
                self.normalize = source.normalize
                self.features = source.features
                self.classifier = nn.ModuleList()
                c = next(m.out_channels for m in reversed(list(source.features.modules())) if isinstance(m, nn.Conv2d))
                for layer in source.classifier:
                    if isinstance(layer, nn.Linear):
                        layer, c = linear_to_conv(layer, c, round((layer.in_features / c) ** 0.5)), layer.out_features
                    if not isinstance(layer, nn.Flatten):
                        self.classifier.append(layer)

            def forward(self, images):
                x = self.features(self.normalize(images))
                for layer in self.classifier:
                    x = layer(x)
                return x

        return Slides(copy.deepcopy(model)).train(model.training)
        """,
    ),
    variant(
        "convolutionalize",
        "the map's side from the first linear layer, then 1",
        body="""
        copied = copy.deepcopy(model)
        linears = [layer for layer in copied.classifier if isinstance(layer, nn.Linear)]
        channels = [m for m in copied.features.modules() if isinstance(m, nn.Conv2d)][-1].out_channels
        side = round((linears[0].in_features / channels) ** 0.5)
        convs = {id(linears[0]): linear_to_conv(linears[0], channels, side)}
        convs |= {id(linear): linear_to_conv(linear, linear.in_features, 1) for linear in linears[1:]}
        rest = [convs.get(id(layer), layer) for layer in copied.classifier if not isinstance(layer, nn.Flatten)]
        return nn.Sequential(copied.normalize, copied.features, *rest).train(model.training)
        """,
    ),
    variant(
        "FCN",
        "indices instead of reversed lists",
        body="""
        def __init__(self, stages: Stages, channels: StageChannels, num_classes: NumClasses, *, num_skips: NumSkips = 2):
            super().__init__()
            self.stages = nn.ModuleList(stages)
            first = len(channels) - num_skips - 1
            self.scores = nn.ModuleList([nn.Conv2d(channels[i], num_classes, kernel_size=1) for i in range(first, len(channels))])

        def forward(self, images):
            found, x = [], images
            for i, stage in enumerate(self.stages):
                x = stage(x)
                if i >= len(self.stages) - len(self.scores):
                    found.append(x)
            scores = [head(m) for head, m in zip(self.scores, found)]
            total = scores[-1]
            for i in range(len(scores) - 2, -1, -1):
                total = F.interpolate(total, size=scores[i].shape[2:], mode="bilinear") + scores[i]
            return F.interpolate(total, size=images.shape[2:], mode="bilinear")
        """,
    ),
    variant(
        "FCN",
        "recursion",
        body="""
        def __init__(self, stages: Stages, channels: StageChannels, num_classes: NumClasses, *, num_skips: NumSkips = 2):
            super().__init__()
            self.stages = nn.ModuleList(stages)
            self.scores = nn.ModuleList()
            for c in list(channels)[len(channels) - 1 - num_skips :]:
                self.scores.append(nn.Conv2d(c, num_classes, 1))

        def forward(self, images):
            score = self._score(images, 0)
            return nn.Upsample(images.shape[-2:], mode="bilinear", align_corners=False)(score)

        def _score(self, x, i):
            x = self.stages[i](x)
            own = i - (len(self.stages) - len(self.scores))
            if i == len(self.stages) - 1:
                return self.scores[own](x)
            coarse = self._score(x, i + 1)
            if own < 0:
                return coarse
            return self.scores[own](x) + nn.Upsample(x.shape[-2:], mode="bilinear", align_corners=False)(coarse)
        """,
    ),
    variant(
        "FCN",
        "score as an einsum of the 1 x 1 kernel",
        "score = self.scores[-1](maps.pop())",
        "last = self.scores[-1]\n"
        "        score = torch.einsum('nchw,kc->nkhw', maps.pop(), last.weight[:, :, 0, 0]) + last.bias[:, None, None]",
    ),
    variant(
        "DeconvNet",
        "levels by index, torch's pool modules",
        body="""
        def __init__(self, in_channels: InChannels, widths: Widths, num_classes: NumClasses, *, tied: Flag = False):
            super().__init__()
            self.stem = nn.Conv2d(in_channels, widths[0], 3, padding=1)
            self.encoder, self.decoder = nn.ModuleList(), None
            for i in range(len(widths) - 1):
                self.encoder.append(nn.Conv2d(widths[i], widths[i + 1], 3, padding=1))
            if not tied:
                self.decoder = nn.ModuleList()
                for i in range(len(widths) - 2, -1, -1):
                    self.decoder.append(nn.ConvTranspose2d(widths[i + 1], widths[i], 3, padding=1))
            self.head = nn.Conv2d(widths[0], num_classes, 1)
            self.pool = nn.MaxPool2d(2, return_indices=True)
            self.unpool = nn.MaxUnpool2d(2)

        def forward(self, images):
            x = F.relu(self.stem(images))
            sizes, places = [], []
            for conv in self.encoder:
                x = F.relu(conv(x))
                sizes.append(x.size()[2:])
                x, where = self.pool(x)
                places.append(where)
            n = len(self.encoder)
            for i in range(n - 1, -1, -1):
                x = self.unpool(x, places[i], output_size=sizes[i])
                if self.decoder is None:
                    x = F.conv_transpose2d(x, self.encoder[i].weight, padding=1)
                else:
                    x = self.decoder[n - 1 - i](x)
                x = F.relu(x)
            return self.head(x)
        """,
    ),
    variant(
        "DeconvNet",
        "tied by the rotated convolution",
        "F.conv_transpose2d(x, conv.weight, padding=1)",
        "F.conv2d(x, conv.weight.flip(2, 3).transpose(0, 1), padding=1)",
    ),
    variant(
        "DeconvNet",
        "unpooling by scatter",
        "x = F.max_unpool2d(x, indices, 2, output_size=size)",
        "plane = x.new_zeros(*x.shape[:2], size[0] * size[1])\n"
        "            x = plane.scatter_add(2, indices.flatten(2), x.flatten(2)).unflatten(2, tuple(size))",
    ),
    variant(
        "UNet",
        "levels by index",
        body="""
        def __init__(self, in_channels: InChannels, num_classes: NumClasses, widths: Widths, *, padding: BlockPadding = 1):
            super().__init__()
            self.p = padding
            depth = len(widths) - 1
            self.down, self.up, self.merge = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
            for i in range(depth):
                self.down.append(self._block(in_channels if i == 0 else widths[i - 1], widths[i]))
            self.bottom = self._block(widths[depth - 1], widths[depth])
            for i in range(depth - 1, -1, -1):
                self.up.append(nn.ConvTranspose2d(widths[i + 1], widths[i], kernel_size=2, stride=2))
                self.merge.append(self._block(widths[i] * 2, widths[i]))
            self.head = nn.Conv2d(widths[0], num_classes, kernel_size=1)

        def _block(self, a, b):
            p = self.p
            return nn.Sequential(
                nn.Conv2d(a, b, 3, padding=p), nn.ReLU(inplace=True), nn.Conv2d(b, b, 3, padding=p), nn.ReLU(inplace=True)
            )

        def forward(self, images):
            kept, x = [], images
            for i in range(len(self.down)):
                x = self.down[i](x)
                kept.append(x)
                x = nn.functional.max_pool2d(x, kernel_size=2, stride=2)
            x = self.bottom(x)
            for j in range(len(self.up)):
                skip = kept[len(kept) - 1 - j]
                x = self.up[j](x)
                if self.p == 0:
                    y0 = (skip.size(2) - x.size(2)) // 2
                    x0 = (skip.size(3) - x.size(3)) // 2
                    skip = skip.narrow(2, y0, x.size(2)).narrow(3, x0, x.size(3))
                elif x.shape[2:] != skip.shape[2:]:
                    grown = skip.new_zeros(x.shape[0], x.shape[1], skip.shape[2], skip.shape[3])
                    grown[:, :, : x.shape[2], : x.shape[3]] = x
                    x = grown
                x = self.merge[j](torch.cat((skip, x), 1))
            return self.head(x)
        """,
    ),
    variant(
        "UNet",
        "crop by negative padding",
        "            if self.padding:\n                x = F.pad(x, (0, columns, 0, rows))\n            else:\n"
        "                top, left = rows // 2, columns // 2\n"
        "                skip = skip[:, :, top : top + x.shape[-2], left : left + x.shape[-1]]\n",
        "            if self.padding == 1:\n                x = F.pad(x, (0, columns, 0, rows))\n            else:\n"
        "                left, top = columns // 2, rows // 2\n"
        "                skip = F.pad(skip, (-left, left - columns, -top, top - rows))\n",
    ),
    variant(
        "UNet",
        "recursion",
        "        x, skips = images, []\n"
        "        for block in self.down:\n"
        "            skips.append(block(x))\n"
        "            x = F.max_pool2d(skips[-1], 2)\n"
        "        x = self.bottom(x)\n"
        "        for up, merge in zip(self.up, self.merge, strict=True):\n"
        "            skip, x = skips.pop(), up(x)\n",
        "        return self.head(self._level(images, 0))\n\n"
        "    def _level(self, x, i):\n"
        "        if i == len(self.down):\n"
        "            return self.bottom(x)\n"
        "        skip = self.down[i](x)\n"
        "        for up, merge in [(self.up[-1 - i], self.merge[-1 - i])]:\n"
        "            x = up(self._level(F.max_pool2d(skip, 2), i + 1))\n",
        "            x = merge(torch.cat([skip, x], dim=1))\n        return self.head(x)",
        "            return merge(torch.cat([skip, x], dim=1))",
    ),
    variant(
        "trained_unet",
        "safe_open",
        body="""
        from safetensors import safe_open

        network = UNet(in_channels=3, num_classes=UNET_CLASSES, widths=UNET_WIDTHS)
        with safe_open(str(path), framework="pt") as file:
            state = {name: file.get_tensor(name).float() for name in file.keys()}
        network.load_state_dict(state)
        network.eval()
        return network
        """,
    ),
    variant(
        "trained_unet",
        "load_model",
        body="""
        from safetensors.torch import load_model

        network = UNet(3, UNET_CLASSES, UNET_WIDTHS, padding=1)
        load_model(network, path)
        return network.train(False)
        """,
    ),
    variant(
        "trained_unet",
        "bytes",
        body="""
        from safetensors.torch import load

        state = load(Path(path).read_bytes())
        network = UNet(3, UNET_CLASSES, list(UNET_WIDTHS)).float()
        network.load_state_dict({k: v.to(torch.float32) for k, v in state.items()}, strict=True)
        return network.eval()
        """,
    ),
    variant(
        "pixel_cross_entropy",
        "torch's own, summed",
        body="""
        total = F.cross_entropy(logits, labels, ignore_index=ignore_index, reduction="sum")
        return total / max(1, int((labels != ignore_index).sum()))
        """,
    ),
    variant(
        "pixel_cross_entropy",
        "only the counted pixels",
        body="""
        rows = logits.movedim(1, -1)[labels != ignore_index]
        targets = labels[labels != ignore_index]
        if len(targets) == 0:
            return (logits * 0).sum()
        return (rows.logsumexp(dim=1) - rows[torch.arange(len(rows)), targets]).mean()
        """,
    ),
    variant(
        "pixel_cross_entropy",
        "one-hot, the maximum taken off",
        body="""
        keep = labels != ignore_index
        shifted = logits - logits.detach().amax(1, keepdim=True)
        log_p = shifted - shifted.exp().sum(1, keepdim=True).log()
        hot = F.one_hot(torch.where(keep, labels, 0), logits.shape[1]).movedim(-1, 1) * keep[:, None]
        return -(log_p * hot).sum() / torch.clamp(keep.sum(), min=1)
        """,
    ),
    variant(
        "confusion_matrix",
        "loop over classes",
        body="""
        matrix = torch.zeros(num_classes, num_classes, dtype=torch.int64)
        keep = labels != ignore_index
        for t in range(num_classes):
            for p in range(num_classes):
                matrix[t, p] = ((labels == t) & (predictions == p) & keep).sum()
        return matrix
        """,
    ),
    variant(
        "confusion_matrix",
        "index_put with accumulate",
        body="""
        matrix = torch.zeros((num_classes, num_classes), dtype=torch.int64, device=labels.device)
        keep = labels.ne(ignore_index)
        ones = torch.ones(int(keep.sum()), dtype=torch.int64, device=labels.device)
        return matrix.index_put((labels[keep], predictions[keep]), ones, accumulate=True)
        """,
    ),
    variant(
        "confusion_matrix",
        "numpy's two-dimensional histogram",
        body="""
        import numpy as np

        keep = (labels != ignore_index).numpy()
        edges = np.arange(num_classes + 1) - 0.5
        counts, _, _ = np.histogram2d(labels.numpy()[keep], predictions.numpy()[keep], bins=(edges, edges))
        return torch.from_numpy(counts).long()
        """,
    ),
    variant(
        "pixel_accuracy",
        "two sums, float32",
        body="""
        keep = labels != ignore_index
        return ((predictions == labels) & keep).sum() / keep.sum()
        """,
    ),
    variant(
        "pixel_accuracy",
        "flat with masked_select",
        body="""
        keep = labels.ne(ignore_index)
        hits = predictions.masked_select(keep) == labels.masked_select(keep)
        return hits.float().mean()
        """,
    ),
    variant(
        "pixel_accuracy",
        "from the confusion matrix",
        body="""
        keep = labels != ignore_index
        if not keep.any():
            return torch.tensor(float("nan"))
        k = int(max(labels[keep].max(), predictions[keep].max())) + 1
        matrix = confusion_matrix(predictions.where(keep, 0), labels, max(k, 2), ignore_index=ignore_index)
        return matrix.trace() / matrix.sum()
        """,
    ),
    variant(
        "mean_iou",
        "loop over classes",
        body="""
        keep = labels != ignore_index
        ious = []
        for k in range(num_classes):
            a, b = (predictions == k) & keep, (labels == k) & keep
            if (a | b).any():
                ious.append((a & b).sum().double() / (a | b).sum())
        return torch.stack(ious).mean() if ious else torch.tensor(float("nan"), dtype=torch.float64)
        """,
    ),
    variant(
        "mean_iou",
        "nanmean",
        body="""
        m = confusion_matrix(predictions, labels, num_classes, ignore_index=ignore_index)
        return (m.diag() / (m.sum(0) + m.sum(1) - m.diag())).nanmean()
        """,
    ),
    variant(
        "mean_iou",
        "one-hot masks",
        body="""
        keep = (labels != ignore_index).flatten()
        p = F.one_hot(predictions.flatten()[keep], num_classes).bool()
        t = F.one_hot(labels.flatten()[keep], num_classes).bool()
        inter, union = (p & t).sum(0).double(), (p | t).sum(0).double()
        return (inter[union > 0] / union[union > 0]).mean()
        """,
    ),
    variant(
        "dice",
        "loop over classes",
        body="""
        keep = labels != ignore_index
        found = []
        for k in range(num_classes):
            a, b = (predictions == k) & keep, (labels == k) & keep
            size = a.sum() + b.sum()
            if size > 0:
                found.append(2 * (a & b).sum() / size)
        return torch.stack(found).mean() if found else torch.tensor(torch.nan)
        """,
    ),
    variant(
        "dice",
        "from intersection over union",
        body="""
        m = confusion_matrix(predictions, labels, num_classes, ignore_index=ignore_index).double()
        iou = m.diag() / (m.sum(0) + m.sum(1) - m.diag())
        return (2 * iou / (1 + iou)).nanmean()
        """,
    ),
    variant(
        "dice",
        "true and false positives",
        body="""
        m = confusion_matrix(predictions, labels, num_classes, ignore_index=ignore_index).float()
        tp = m.diagonal()
        fp, fn = m.sum(dim=0) - tp, m.sum(dim=1) - tp
        score = 2 * tp / (2 * tp + fp + fn)
        return score[~score.isnan()].mean()
        """,
    ),
    variant(
        "frequency_weighted_iou",
        "loop over classes",
        body="""
        keep = labels != ignore_index
        total = torch.zeros((), dtype=torch.float64)
        for k in range(num_classes):
            a, b = (predictions == k) & keep, (labels == k) & keep
            if b.any():
                total = total + b.sum() * (a & b).sum() / (a | b).sum()
        return total / keep.sum()
        """,
    ),
    variant(
        "frequency_weighted_iou",
        "nansum of weight times ratio",
        body="""
        m = confusion_matrix(predictions, labels, num_classes, ignore_index=ignore_index).double()
        weight = m.sum(1) / m.sum()
        iou = m.diag() / (m.sum(0) + m.sum(1) - m.diag())
        return (weight * iou.nan_to_num(0)).sum()
        """,
    ),
    variant(
        "frequency_weighted_iou",
        "only classes that are there",
        body="""
        m = confusion_matrix(predictions, labels, num_classes, ignore_index=ignore_index).float()
        there = m.sum(1) > 0
        union = m.sum(0) + m.sum(1) - m.diag()
        parts = m.sum(1)[there] * m.diag()[there] / union[there]
        return parts.sum() / m.sum()
        """,
    ),
    variant(
        "instance_labels",
        "scikit-image",
        body="""
        from skimage.measure import label as regions

        out = []
        for picture in labels:
            shifted = picture - picture.min() + 1
            shifted = shifted.masked_fill((picture == background) | (picture == ignore_index), 0)
            out.append(torch.from_numpy(regions(shifted.numpy(), background=0, connectivity=1)).long())
        return torch.stack(out)
        """,
    ),
    variant(
        "instance_labels",
        "scipy, class by class, numbered again",
        body="""
        from scipy import ndimage

        out = torch.zeros_like(labels)
        for n, picture in enumerate(labels):
            found = torch.zeros_like(picture)
            for k in picture.unique().tolist():
                if k in (background, ignore_index):
                    continue
                marked, _ = ndimage.label((picture == k).numpy())
                marked = torch.from_numpy(marked).long()
                found = torch.where(marked > 0, marked + found.max(), found)
            flat, seen = found.flatten().tolist(), {0: 0}
            out[n] = torch.tensor([seen.setdefault(i, len(seen)) for i in flat]).view_as(picture)
        return out
        """,
    ),
    variant(
        "instance_labels",
        "flood fill with a stack",
        body="""
        out = torch.zeros_like(labels)
        for n, picture in enumerate(labels.tolist()):
            number = 0
            for y in range(len(picture)):
                for x in range(len(picture[0])):
                    if picture[y][x] in (background, ignore_index) or out[n, y, x]:
                        continue
                    number += 1
                    out[n, y, x] = number
                    stack = [(y, x)]
                    while stack:
                        a, b = stack.pop()
                        for c, d in ((a - 1, b), (a + 1, b), (a, b - 1), (a, b + 1)):
                            inside = 0 <= c < len(picture) and 0 <= d < len(picture[0])
                            if inside and picture[c][d] == picture[y][x] and not out[n, c, d]:
                                out[n, c, d] = number
                                stack.append((c, d))
        return out
        """,
    ),
    variant(
        "instance_labels",
        "spreading the smallest number until nothing changes",
        body="""
        inside = (labels != background) & (labels != ignore_index)
        n, h, w = labels.shape
        number = torch.arange(1, h * w + 1).view(1, h, w).repeat(n, 1, 1) * inside
        while True:
            before = number
            for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                moved = number.roll((dy, dx), (1, 2))
                same = inside & inside.roll((dy, dx), (1, 2)) & (labels == labels.roll((dy, dx), (1, 2)))
                edge = torch.ones(h, w, dtype=torch.bool)
                edge[0 if dy == 1 else -1 if dy == -1 else slice(0, 0)] = False
                edge[:, 0 if dx == 1 else -1 if dx == -1 else slice(0, 0)] = False
                number = torch.where(same & edge, torch.minimum(number, moved), number)
            if torch.equal(number, before):
                break
        out = torch.zeros_like(labels)
        for i in range(n):
            names = number[i].unique()
            names = names[names > 0]
            for k, name in enumerate(names.tolist(), 1):
                out[i][number[i] == name] = k
        return out
        """,
    ),
)
