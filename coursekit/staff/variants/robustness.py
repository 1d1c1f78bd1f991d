"""Right solutions of part 4 that are written in other ways."""

from coursekit.staff.edits import variant

NOISE = (
    variant("gaussian_noise", "in numbers of the generator's device, image by image", body="""
        sigma = SEVERITIES["gaussian_noise"][severity - 1]
        noisy = []
        for image in images.detach():
            z = torch.randn(image.shape, generator=generator, device=generator.device, dtype=torch.float64)
            noisy.append(torch.clamp(image + (sigma * z).to(image), min=0.0, max=1.0))
        return torch.stack(noisy)
        """),
    variant("gaussian_noise", "torch.normal", body="""
        table = SEVERITIES["gaussian_noise"]
        std = torch.full_like(images.detach(), table[severity - 1])
        return torch.normal(images.detach(), std, generator=generator).clip(0, 1)
        """),
    variant("gaussian_noise", "normal_ in place on a new tensor", body="""
        noise = torch.empty_like(images.detach()).normal_(0, SEVERITIES["gaussian_noise"][severity - 1], generator=generator)
        return noise.add_(images.detach()).clamp_(0, 1)
        """),
    variant("shot_noise", "image by image", body="""
        photons = SEVERITIES["shot_noise"][severity - 1]
        return torch.stack([(torch.poisson(x * photons, generator) / photons).clamp(max=1) for x in images.detach()])
        """),
    variant("shot_noise", "multiplied by the inverse", body="""
        scale = float(SEVERITIES["shot_noise"][severity - 1])
        expected = images.detach().clamp(0, 1).mul(scale)
        return torch.poisson(expected, generator=generator).mul(1 / scale).minimum(torch.ones_like(images)).detach()
        """),
    variant("shot_noise", "in double precision", body="""
        photons = SEVERITIES["shot_noise"][severity - 1]
        counts = torch.poisson(images.detach().double() * photons, generator=generator)
        return (counts / photons).clamp(0, 1).to(images.dtype)
        """),
    variant("impulse_noise", "two draws", body="""
        amount = SEVERITIES["impulse_noise"][severity - 1]
        hit = uniform(*images.shape, like=images, generator=generator) < amount
        white = uniform(*images.shape, like=images, generator=generator) < 0.5
        return torch.where(hit, white.to(images.dtype), images.detach()).clamp(0, 1)
        """),
    variant("impulse_noise", "masks on a copy", body="""
        amount = SEVERITIES["impulse_noise"][severity - 1]
        noisy = images.detach().clone()
        u = torch.rand(images.shape, generator=generator, dtype=torch.float64)
        noisy[u < amount / 2] = 0
        noisy[(u >= amount / 2) & (u < amount)] = 1
        return noisy.clamp(0, 1)
        """),
    variant("impulse_noise", "three fates", body="""
        a = SEVERITIES["impulse_noise"][severity - 1]
        chances = torch.tensor([1 - a, a / 2, a / 2], dtype=torch.float64)
        fate = torch.multinomial(chances, images.numel(), replacement=True, generator=generator).view(images.shape)
        x = images.detach()
        return torch.stack([x, torch.zeros_like(x), torch.ones_like(x)]).gather(0, fate[None])[0].clamp(0, 1)
        """),
)  # fmt: skip

BLUR = (
    variant("defocus_blur", "mean of shifted pictures", body="""
        radius = SEVERITIES["defocus_blur"][severity - 1]
        r, (height, width) = int(radius), images.shape[2:]
        padded = F.pad(images.detach(), (r, r, r, r), mode="replicate")
        parts = [
            padded[:, :, r + dy : r + dy + height, r + dx : r + dx + width]
            for dy in range(-r, r + 1)
            for dx in range(-r, r + 1)
            if dy * dy + dx * dx <= radius * radius
        ]
        return torch.clamp(sum(parts) / len(parts), 0, 1)
        """),
    variant("defocus_blur", "unfolded patches", body="""
        radius = SEVERITIES["defocus_blur"][severity - 1]
        r = math.floor(radius)
        y, x = torch.meshgrid(torch.arange(-r, r + 1.0), torch.arange(-r, r + 1.0), indexing="ij")
        inside = (torch.hypot(y, x) <= radius + 1e-6).flatten()
        patches = F.unfold(F.pad(images.detach(), [r] * 4, mode="replicate"), 2 * r + 1)
        patches = patches.unflatten(1, (3, -1))[:, :, inside]
        return patches.mean(dim=2).view(images.shape).clamp(0, 1)
        """),
    variant("defocus_blur", "channels as a batch", body="""
        radius = SEVERITIES["defocus_blur"][severity - 1]
        r = math.ceil(radius)
        grid = torch.arange(-r, r + 1)
        disk = ((grid**2).view(-1, 1) + (grid**2).view(1, -1) <= radius * radius).to(images.dtype)
        planes = F.pad(images.detach(), (r, r, r, r), mode="replicate").flatten(0, 1)[:, None]
        return (F.conv2d(planes, disk[None, None]) / disk.sum()).view(images.shape).clamp(0, 1)
        """),
    variant("frosted_glass_blur", "exchanges in a loop, as in the paper", body="""
        sigma, reach, rounds = SEVERITIES["frosted_glass_blur"][severity - 1]

        def blurred(x):
            if sigma == 0:
                return x.clone()
            r = int(3 * sigma) + 1
            bell = torch.exp(-(torch.arange(-r, r + 1, dtype=x.dtype) ** 2) / (2 * sigma * sigma))
            kernel = torch.outer(bell, bell)
            padded = F.pad(x, (r, r, r, r), mode="replicate")
            return F.conv2d(padded, (kernel / kernel.sum()).repeat(3, 1, 1, 1), groups=3)

        result = blurred(images.detach())
        height, width = images.shape[2:]
        for image in result:
            for _ in range(rounds):
                steps = torch.randint(-reach, reach + 1, (height, width, 2), generator=generator).tolist()
                for y in range(height):
                    for x in range(width):
                        b, a = min(max(y + steps[y][x][0], 0), height - 1), min(max(x + steps[y][x][1], 0), width - 1)
                        kept = image[:, y, x].clone()
                        image[:, y, x] = image[:, b, a]
                        image[:, b, a] = kept
        return blurred(result).clamp(0, 1)
        """),
    variant("frosted_glass_blur", "pairs of neighbours", body="""
        sigma, reach, rounds = SEVERITIES["frosted_glass_blur"][severity - 1]

        def blurred(x):
            r = max(1, math.ceil(3 * sigma))
            offsets = torch.arange(-r, r + 1, dtype=x.dtype)
            bell = torch.exp(-0.5 * (offsets / sigma) ** 2) if sigma else (offsets == 0).to(x.dtype)
            bell = bell / bell.sum()
            padded = F.pad(x, (r, r, r, r), mode="replicate")
            return F.conv2d(F.conv2d(padded, bell.view(1, 1, 1, -1).repeat(3, 1, 1, 1), groups=3),
                            bell.view(1, 1, -1, 1).repeat(3, 1, 1, 1), groups=3)

        pixels = blurred(images.detach())
        n, _, height, width = pixels.shape
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        offsets = [(dy, dx) for dy in range(-reach, reach + 1) for dx in range(-reach, reach + 1) if (dy, dx) > (0, 0)]
        place = torch.arange(height * width)
        for i in range(n):
            for _ in range(rounds):
                target = place.clone()
                free = torch.ones(height * width, dtype=torch.bool)
                share = 1.0 / (2 * len(offsets)) ** 0.5
                for k in torch.randperm(len(offsets), generator=generator).tolist() * 2:
                    dy, dx = offsets[k]
                    inside = ((y + dy < height) & (x + dx >= 0) & (x + dx < width)).flatten()
                    other = (place + dy * width + dx).clamp(0, height * width - 1)
                    wants = inside & free & free[other]
                    wants &= torch.rand(height * width, generator=generator) < (1.5 * share if len(offsets) < 6 else 2 * share)
                    # Nobody may stand in two pairs: the earlier pixel of a chain gives way.
                    wants &= ~torch.zeros_like(wants).index_put((other[wants],), torch.tensor(True))
                    a, b = place[wants], other[wants]
                    target[a], target[b] = b, a
                    free[a] = free[b] = False
                pixels[i] = pixels[i].flatten(1)[:, target].view(3, height, width)
        return blurred(pixels).clamp(0, 1)
        """),
    variant("frosted_glass_blur", "each image alone, a wider kernel", body="""
        sigma, reach, rounds = SEVERITIES["frosted_glass_blur"][severity - 1]
        radius, side = math.ceil(6 * sigma), reach + 1
        offsets = torch.arange(-radius, radius + 1, dtype=images.dtype)
        bell = torch.ones(1, dtype=images.dtype) if sigma == 0 else torch.exp(-((offsets / sigma) ** 2) / 2)
        kernel = (bell[:, None] * bell / (bell[:, None] * bell).sum()).expand(3, 1, -1, -1)

        def blurred(x):
            return F.conv2d(F.pad(x, [radius] * 4, mode="replicate"), kernel, groups=3)

        _, _, height, width = images.shape
        glass = []
        for image in blurred(images.detach()):
            for _ in range(rounds):
                dy, dx = (int(torch.randint(side, (1,), generator=generator)) for _ in range(2))
                mixed = image.clone()
                for top in range(-dy, height, side):
                    for left in range(-dx, width, side):
                        rows = torch.arange(max(top, 0), min(top + side, height))
                        columns = torch.arange(max(left, 0), min(left + side, width))
                        spots = torch.cartesian_prod(rows, columns)
                        other = spots[torch.randperm(len(spots), generator=generator)]
                        mixed[:, spots[:, 0], spots[:, 1]] = image[:, other[:, 0], other[:, 1]]
                image = mixed
            glass.append(image)
        return blurred(torch.stack(glass)).clamp(0, 1)
        """),
    variant("motion_blur", "image by image", body="""
        length = SEVERITIES["motion_blur"][severity - 1]
        height, width = images.shape[2:]
        blurred = []
        for image in images.detach():
            angle = 2 * math.pi * float(torch.rand(1, generator=generator, dtype=torch.float64))
            parts = []
            for k in range(length):
                t = k - (length - 1) / 2
                theta = torch.tensor([[1.0, 0, 2 * t * math.cos(angle) / width], [0, 1.0, 2 * t * math.sin(angle) / height]])
                theta = theta.double()
                theta[0, 2], theta[1, 2] = 2 * t * math.cos(angle) / width, 2 * t * math.sin(angle) / height
                grid = F.affine_grid(theta[None].to(images.dtype), [1, 3, height, width], align_corners=False)
                parts.append(F.grid_sample(image[None], grid, padding_mode="border", align_corners=False)[0])
            blurred.append(torch.stack(parts).mean(dim=0))
        return torch.stack(blurred).clamp(0, 1)
        """),
    variant("motion_blur", "a kernel for each image", body="""
        length = SEVERITIES["motion_blur"][severity - 1]
        n, _, height, width = images.shape
        r = length // 2
        angle = math.pi * (uniform(n, like=images, generator=generator) - 0.5)
        steps = torch.arange(-r, r + 1, dtype=images.dtype)
        y, x = steps * angle.sin()[:, None], steps * angle.cos()[:, None]  # (n, length)
        cells = torch.arange(-r, r + 1, dtype=images.dtype)
        tent_y = (1 - (y[:, :, None] - cells).abs()).clamp(min=0)
        tent_x = (1 - (x[:, :, None] - cells).abs()).clamp(min=0)
        kernels = torch.einsum("nta,ntb->nab", tent_y, tent_x) / length
        padded = F.pad(images.detach(), [r] * 4, mode="replicate").flatten(0, 1)[None]
        planes = F.conv2d(padded, kernels.repeat_interleave(3, dim=0)[:, None], groups=3 * n)
        return planes[0].unflatten(0, (n, 3)).clamp(0, 1)
        """),
    variant("motion_blur", "bilinear by hand", body="""
        length = SEVERITIES["motion_blur"][severity - 1]
        n, _, height, width = images.shape
        angles = (math.pi * uniform(n, like=images, generator=generator)).tolist()
        rows, columns = torch.arange(height)[:, None], torch.arange(width)
        out = torch.zeros_like(images.detach())
        for i, angle in enumerate(angles):
            for t in range(-(length // 2), length // 2 + 1):
                dy, dx = t * math.sin(angle), t * math.cos(angle)
                for y, wy in ((math.floor(dy), 1 - dy % 1), (math.floor(dy) + 1, dy % 1)):
                    for x, wx in ((math.floor(dx), 1 - dx % 1), (math.floor(dx) + 1, dx % 1)):
                        at = images.detach()[i][:, (rows + y).clamp(0, height - 1), (columns + x).clamp(0, width - 1)]
                        out[i] += wy * wx * at / length
        return out.clamp(0, 1)
        """),
    variant("zoom_blur", "grid by hand", body="""
        step, number = SEVERITIES["zoom_blur"][severity - 1]
        height, width = images.shape[2:]
        y = (2 * torch.arange(height, dtype=images.dtype) + 1) / height - 1
        x = (2 * torch.arange(width, dtype=images.dtype) + 1) / width - 1
        parts = []
        for k in range(number):
            zoom = 1 + k * step
            grid = torch.stack([(x / zoom).expand(height, width), (y / zoom)[:, None].expand(height, width)], dim=-1)
            parts.append(F.grid_sample(images.detach(), grid.expand(len(images), -1, -1, -1), align_corners=False))
        parts[0] = images.detach()
        return torch.stack(parts).mean(dim=0).clamp(0, 1)
        """),
    variant("zoom_blur", "two matrices a zoom", body="""
        step, number = SEVERITIES["zoom_blur"][severity - 1]

        def reader(length, zoom):
            center = (length - 1) / 2
            place = center + (torch.arange(length, dtype=images.dtype) - center) / zoom
            return (1 - (place[:, None] - torch.arange(length, dtype=images.dtype)).abs()).clamp(min=0)

        height, width = images.shape[2:]
        zooms = [1 + k * step for k in range(number)]
        seen = sum(reader(height, z) @ images.detach() @ reader(width, z).T for z in zooms)
        return seen.div(number).clamp(0, 1)
        """),
    variant("zoom_blur", "image by image", body="""
        step, number = SEVERITIES["zoom_blur"][severity - 1]
        result = []
        for image in images.detach().split(1):
            mean = image.clone()
            for k in range(1, number):
                theta = torch.zeros(1, 2, 3, dtype=images.dtype)
                theta[0, 0, 0] = theta[0, 1, 1] = 1 / (1 + step * k)
                grid = F.affine_grid(theta, image.shape, align_corners=False)
                mean = mean + F.grid_sample(image, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
            result.append(mean / number)
        return torch.cat(result).clamp(0, 1)
        """),
)  # fmt: skip

MEASURES = (
    variant("corruption_errors", "all images at once", body="""
        rows = []
        with torch.no_grad():
            for corruption in corruptions:
                row = []
                for severity in (1, 2, 3, 4, 5):
                    logits = model(corruption(images, severity, generator=generator))
                    row.append(1 - (logits.max(dim=1).indices == labels).to(images.dtype).mean())
                rows.append(torch.stack(row))
        return torch.stack(rows).detach()
        """),
    variant("corruption_errors", "image by image", body="""
        table = []
        for corruption in corruptions:
            for severity in range(1, 6):
                corrupted = corruption(images.clone().detach(), severity, generator=generator).detach()
                wrong = [int(model(x[None]).detach().argmax()) != int(y) for x, y in zip(corrupted, labels)]
                table.append(sum(wrong) / len(wrong))
        return torch.tensor(table, dtype=images.dtype).view(-1, 5)
        """),
    variant("corruption_errors", "severity outside", body="""
        columns = []
        for severity in range(1, 6):
            hits = [
                (model(c(images.detach(), severity, generator=generator)).detach().topk(1).indices[:, 0] == labels).sum()
                for c in corruptions
            ]
            columns.append(1 - torch.stack(hits).to(images.dtype) / len(images))
        return torch.stack(columns, dim=1)
        """),
    variant("mean_corruption_error", "means for sums", body="""
        return torch.mean(errors.mean(-1) / baseline.mean(-1)).detach()
        """),
    variant("mean_corruption_error", "loop", body="""
        ratios = []
        for mine, theirs in zip(errors.detach(), baseline.detach()):
            ratios.append(mine.sum() / theirs.sum())
        return sum(ratios) / len(ratios)
        """),
    variant("mean_corruption_error", "einsum", body="""
        weights = 1 / baseline.detach().sum(dim=1)
        return torch.einsum("cs,c->", errors.detach(), weights) / len(errors)
        """),
    variant("relative_mean_corruption_error", "clean error times severities", body="""
        n = errors.shape[1]
        mine = errors.detach().sum(1) - n * float(clean)
        theirs = baseline.detach().sum(1) - n * float(baseline_clean)
        return (mine / theirs).mean()
        """),
    variant("relative_mean_corruption_error", "means", body="""
        return torch.mean((errors.mean(1) - clean) / (baseline.mean(1) - baseline_clean)).detach()
        """),
    variant("relative_mean_corruption_error", "loop", body="""
        total = 0
        for mine, theirs in zip(errors.detach(), baseline.detach(), strict=True):
            total = total + (mine - clean).sum() / (theirs - baseline_clean).sum()
        return (total / len(errors)).detach()
        """),
    variant("cue_conflict", "list and stack", body="""
        pictures = []
        for i in range(len(content)):
            pictures.append(transfer(content[i].detach().clone(), texture[i].detach().clone()).detach().clone())
        return torch.clamp(torch.stack(pictures), 0, 1)
        """),
    variant("cue_conflict", "no graph outside of transfer", body="""
        made = list(map(transfer, content.detach(), texture.detach()))
        with torch.no_grad():
            return torch.stack(made).clip(0, 1)
        """),
    variant("cue_conflict", "into an empty batch", body="""
        result = torch.empty_like(content.detach())
        for i, (shape, material) in enumerate(zip(content.detach(), texture.detach())):
            result[i] = transfer(shape, material).detach().clamp(0, 1)
        return result
        """),
    variant("shape_bias", "loop", body="""
        shape = texture = 0
        for p, s, t in zip(predictions.tolist(), shapes.tolist(), textures.tolist()):
            if s == t:
                continue
            shape += p == s
            texture += p == t
        return shape / (shape + texture) if shape or texture else float("nan")
        """),
    variant("shape_bias", "decided trials first", body="""
        decided = (shapes != textures) & ((predictions == shapes) | (predictions == textures))
        return (predictions[decided] == shapes[decided]).double().mean().item()
        """),
    variant("shape_bias", "exclusive or", body="""
        by_shape, by_texture = predictions.eq(shapes), predictions.eq(textures)
        only_shape = (by_shape & ~by_texture).sum().item()
        decided = (by_shape ^ by_texture).sum().item()
        return math.nan if decided == 0 else only_shape / decided
        """),
)  # fmt: skip

VARIANTS = (*NOISE, *BLUR, *MEASURES)
