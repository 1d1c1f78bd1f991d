"""Exercise FCN: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.segmentation.shared import SOFTMAX

HINTS = (
    (
        "Keep the output of every stage. The coarsest one is scored first; every skip adds the score of the next finer "
        "one."
    ),
    (
        "A resize needs no factor: give it the height and the width of the map that comes next, which is right for odd "
        "sizes too."
    ),
    "The heads stand finest first, and you need them from the end.",
    "s_L = score_L(x_L); s_l = resize(s_(l+1), size of x_l) + score_l(x_l); logits = resize(s, size of the images)",
)

MISTAKES = (
    mistake(
        "align_corners",
        'return F.interpolate(score, images.shape[-2:], mode="bilinear", align_corners=False)',
        'return F.interpolate(score, images.shape[-2:], mode="bilinear", align_corners=True)',
        'skip.shape[-2:], mode="bilinear", align_corners=False)',
        'skip.shape[-2:], mode="bilinear", align_corners=True)',
        hint="Where do the four corner pixels of a small map lie in the large one? Two conventions exist, and one is named.",
    ),
    mistake(
        "nearest",
        'return F.interpolate(score, images.shape[-2:], mode="bilinear", align_corners=False)',
        'return F.interpolate(score, images.shape[-2:], mode="nearest")',
        'F.interpolate(score, skip.shape[-2:], mode="bilinear", align_corners=False)',
        'F.interpolate(score, skip.shape[-2:], mode="nearest")',
        hint="Your masks consist of squares: pixels between two scores should be between them.",
    ),
    mistake(
        "each resize by a factor",
        "score = F.interpolate(score, skip.shape[-2:], ",
        "score = F.interpolate(score, scale_factor=2, ",
        hint="Two maps do not fit each other where a side is odd: twice a half that was rounded down is not the whole.",
    ),
    mistake(
        "last resize by a factor",
        'return F.interpolate(score, images.shape[-2:], mode="bilinear", align_corners=False)',
        'return F.interpolate(score, scale_factor=2.0 ** (len(self.stages) + 1 - len(self.scores)), mode="bilinear")',
        hint="Pooling drops a row of an odd size: a factor alone does not lead back to the picture.",
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
        hint="In which steps does one come back to the full height? Yours takes one leap.",
    ),
    mistake(
        "coarse score dropped",
        "score = score + head(skip)",
        "score = head(skip)",
        hint="Only one of the scores reaches the end: what becomes of the running one?",
    ),
    mistake(
        "mean of two scores",
        "score = score + head(skip)",
        "score = (score + head(skip)) / 2",
        hint="Each map's score counts in full.",
    ),
    mistake(
        "product of two scores",
        "score = score + head(skip)",
        "score = score * head(skip)",
        hint="How do two scores of one place become one? The figure of the paper shows the sign.",
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
        hint="May a score be negative?",
    ),
    mistake(
        "heads in the other order",
        "for c in channels[-1 - num_skips :])",
        "for c in reversed(channels[-1 - num_skips :]))",
        "self.scores[-1](maps.pop())",
        "self.scores[0](maps.pop())",
        "for head in reversed(self.scores[:-1]):",
        "for head in self.scores[1:]:",
        hint="Which of the heads comes first in the list?",
    ),
    mistake(
        "trunk frozen",
        "self.stages = nn.ModuleList(stages)",
        "self.stages = nn.ModuleList(stages).requires_grad_(False)",
        hint="What was trained before may learn on: which part of your network stands still?",
    ),
    mistake(
        "trunk copied",
        "self.stages = nn.ModuleList(stages)",
        "self.stages = nn.ModuleList(copy.deepcopy(list(stages)))",
        hint="Whose weights does your network train? Transfer means that trunk itself.",
    ),
    mistake(
        "skips cut off",
        "head(skip)",
        "head(skip.detach())",
        hint="The coarsest score teaches the trunk, the finer ones do not: follow a gradient from each.",
    ),
    mistake(
        "trunk cut off",
        "maps.append(stage(maps[-1]))",
        "maps.append(stage(maps[-1]).detach())",
        hint="The trunk is to learn as well: follow a gradient to it.",
    ),
    mistake(
        "one skip more than asked for",
        "channels[-1 - num_skips :]",
        "channels[max(0, len(channels) - 2 - num_skips) :]",
        hint="Count the heads: one for the coarsest map, and one for each of what is asked for.",
    ),
    mistake(
        "heads of 3 x 3",
        "nn.Conv2d(c, num_classes, 1) for",
        "nn.Conv2d(c, num_classes, 3, padding=1) for",
        hint="Each pixel of a map is scored for itself: look at the shape of a head's kernel.",
    ),
    mistake(
        "nearest for the skips",
        'F.interpolate(score, skip.shape[-2:], mode="bilinear", align_corners=False)',
        'F.interpolate(score, skip.shape[-2:], mode="nearest")',
        hint="Your running score is resized without interpolation before a skip is added.",
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
