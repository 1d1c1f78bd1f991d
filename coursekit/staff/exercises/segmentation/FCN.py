"""Exercise FCN: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.segmentation.shared import SOFTMAX

HINTS = (
    ("Keep the output of every stage. Score the coarsest first. Each skip adds the score of the next finer one."),
    ("Resize to the height and width of the next map, not by a factor: this is right for odd sizes too."),
    "The heads are listed finest first, but you use the coarsest first: go through the list backwards.",
    "s_L = score_L(x_L); s_l = resize(s_(l+1), size of x_l) + score_l(x_l); logits = resize(s, size of the images)",
)

MISTAKES = (
    mistake(
        "align_corners",
        'return F.interpolate(score, images.shape[-2:], mode="bilinear", align_corners=False)',
        'return F.interpolate(score, images.shape[-2:], mode="bilinear", align_corners=True)',
        'skip.shape[-2:], mode="bilinear", align_corners=False)',
        'skip.shape[-2:], mode="bilinear", align_corners=True)',
        hint="Your resizing uses align_corners=True: set it to False.",
    ),
    mistake(
        "nearest",
        'return F.interpolate(score, images.shape[-2:], mode="bilinear", align_corners=False)',
        'return F.interpolate(score, images.shape[-2:], mode="nearest")',
        'F.interpolate(score, skip.shape[-2:], mode="bilinear", align_corners=False)',
        'F.interpolate(score, skip.shape[-2:], mode="nearest")',
        hint="Your resizing takes the nearest pixel: use bilinear interpolation.",
    ),
    mistake(
        "each resize by a factor",
        "score = F.interpolate(score, skip.shape[-2:], ",
        "score = F.interpolate(score, scale_factor=2, ",
        hint="You resize by a factor of 2, which is wrong for odd sizes: resize to the skip's size.",
    ),
    mistake(
        "last resize by a factor",
        'return F.interpolate(score, images.shape[-2:], mode="bilinear", align_corners=False)',
        'return F.interpolate(score, scale_factor=2.0 ** (len(self.stages) + 1 - len(self.scores)), mode="bilinear")',
        hint="Your last resize uses a factor, which is wrong for odd sizes: resize to the images' size.",
    ),
    mistake(
        "skips straight to the picture",
        body="""
        def __init__(self, stages: Stages, channels: StageChannels, num_classes: NumClasses, *, num_skips: NumSkips = 2):
            super().__init__()
            self.stages = nn.ModuleList(stages)
            self.scores = nn.ModuleList(nn.Conv2d(c, num_classes, 1) for c in channels[-1 - num_skips :])

        def forward(self, images):
            maps, x, total = [], images, 0
            for stage in self.stages:
                x = stage(x)
                maps.append(x)
            for head, found in zip(self.scores, maps[-len(self.scores) :]):
                total = total + F.interpolate(head(found), images.shape[-2:], mode="bilinear", align_corners=False)
            return total
        """,
        hint="You resize each score straight to the images' size: add scores from coarse to fine, map by map.",
    ),
    mistake(
        "coarse score dropped",
        "score = score + head(skip)",
        "score = head(skip)",
        hint="You replace the running score by the skip's score: add them.",
    ),
    mistake(
        "mean of two scores",
        "score = score + head(skip)",
        "score = (score + head(skip)) / 2",
        hint="You average the running score and the skip's score: add them.",
    ),
    mistake(
        "product of two scores",
        "score = score + head(skip)",
        "score = score * head(skip)",
        hint="You multiply the running score by the skip's score: add them.",
    ),
    mistake(
        "softmax at the end",
        'return F.interpolate(score, images.shape[-2:], mode="bilinear", align_corners=False)',
        'return F.interpolate(score, images.shape[-2:], mode="bilinear", align_corners=False).softmax(dim=1)',
        hint=SOFTMAX,
    ),
    mistake(
        "a ReLU on the scores",
        "score = self.scores[-1](maps.pop())",
        "score = self.scores[-1](maps.pop()).relu()",
        hint="You apply a ReLU to the coarsest score: scores may be negative.",
    ),
    mistake(
        "heads in the other order",
        "for c in channels[-1 - num_skips :])",
        "for c in reversed(channels[-1 - num_skips :]))",
        "self.scores[-1](maps.pop())",
        "self.scores[0](maps.pop())",
        "for head in reversed(self.scores[:-1]):",
        "for head in self.scores[1:]:",
        hint="Your scores list starts with the coarsest head: the finest comes first.",
    ),
    mistake(
        "trunk frozen",
        "self.stages = nn.ModuleList(stages)",
        "self.stages = nn.ModuleList(stages).requires_grad_(False)",
        hint="You freeze the stages: their parameters must stay trainable.",
    ),
    mistake(
        "trunk copied",
        "self.stages = nn.ModuleList(stages)",
        "self.stages = nn.ModuleList(copy.deepcopy(list(stages)))",
        hint="You copy the stages: use the given ones themselves.",
    ),
    mistake(
        "skips cut off",
        "head(skip)",
        "head(skip.detach())",
        hint="You detach the skips: gradients must reach the trunk through them too.",
    ),
    mistake(
        "trunk cut off",
        "maps.append(stage(maps[-1]))",
        "maps.append(stage(maps[-1]).detach())",
        hint="You detach each stage's output: gradients must reach the trunk.",
    ),
    mistake(
        "one skip more than asked for",
        "channels[-1 - num_skips :]",
        "channels[max(0, len(channels) - 2 - num_skips) :]",
        hint="You make too many heads: num_skips + 1 are needed.",
    ),
    mistake(
        "heads of 3 x 3",
        "nn.Conv2d(c, num_classes, 1) for",
        "nn.Conv2d(c, num_classes, 3, padding=1) for",
        hint="Your heads have 3 x 3 kernels: use 1 x 1 kernels.",
    ),
    mistake(
        "nearest for the skips",
        'F.interpolate(score, skip.shape[-2:], mode="bilinear", align_corners=False)',
        'F.interpolate(score, skip.shape[-2:], mode="nearest")',
        hint="Your resizing before each skip takes the nearest pixel: use bilinear interpolation.",
    ),
    mistake(
        "finest stages scored",
        "channels[-1 - num_skips :]",
        "channels[: num_skips + 1]",
        "maps = [images]\n",
        "maps, count = [images], len(self.scores)\n",
        "score = self.scores[-1](maps.pop())",
        "maps = maps[: count + 1]\n        score = self.scores[-1](maps.pop())",
        hint="You score the finest stages: score the last num_skips + 1 of them.",
    ),
    mistake(
        "heads without bias",
        "nn.Conv2d(c, num_classes, 1) for",
        "nn.Conv2d(c, num_classes, 1, bias=False) for",
        hint="Your heads have no bias: use nn.Conv2d as it is by default.",
    ),
    mistake(
        "finest skip first",
        "skip = maps.pop()",
        "skip = maps.pop(1)",
        hint="Your skips start with the finest map: start with the map just finer than the coarsest.",
    ),
    mistake(
        "a ReLU on the sums",
        "score = score + head(skip)",
        "score = (score + head(skip)).relu()",
        hint="You apply a ReLU to the sum of the scores: scores may be negative.",
    ),
    mistake(
        "finer score shrunk",
        'score = F.interpolate(score, skip.shape[-2:], mode="bilinear", align_corners=False)',
        'finer = F.interpolate(head(skip), score.shape[-2:], mode="bilinear", align_corners=False)',
        "score = score + head(skip)",
        "score = score + finer",
        hint="You resize the finer score to the size of the sum: resize the sum to the finer map's size.",
    ),
)

VARIANTS = (
    variant(
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
        "score as an einsum of the 1 x 1 kernel",
        "score = self.scores[-1](maps.pop())",
        "last = self.scores[-1]\n"
        "        score = torch.einsum('nchw,kc->nkhw', maps.pop(), last.weight[:, :, 0, 0]) + last.bias[:, None, None]",
    ),
)
