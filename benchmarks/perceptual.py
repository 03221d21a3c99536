"""How like VGG19 the shipped perceptual network judges, and how like its styles those it teaches.

    python benchmarks/perceptual.py VGG19.safetensors PICTURES STYLES [-o FILE.md] [--other FILE]
        [--pair OURS ITS PAINTING ...]

For each painting of STYLES as the style, and pictures as they are, painted by trained styles,
blurred and noisy: the style loss and the content loss by either network. Reported are the
correlation of the logarithms over the pictures, the median relative error, and the cosine of the
gradients with respect to the picture, which is what a training descends along. OURS and ITS are
style files trained alike but for the network that judged, the shipped one or VGG19, and PAINTING
lent them the style: VGG19 judges what both make of pictures that neither was trained on.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from critic import SIDE as CRITIC_SIDE
from critic import Critic, judged, squares
from pages import write_page
from torch import Tensor
from torch.nn import functional as F

from vidstyle.jobs.style import Style
from vidstyle.perceptual.network import PerceptualNetwork, load_perceptual
from vidstyle.stylizers.registry import StyleRegistry, shipped_file, shipped_folder
from vidstyle.training.data import find_pictures, load_picture, to_tensor
from vidstyle.training.feed_forward import CONTENT_LAYER
from vidstyle.training.losses import content_loss, statistics, style_loss
from vidstyle.training.targets import PERCEPTUAL, load_painting

SIDE = 192
STYLE_SIZE = 384
PAINTINGS = 4
RESULT = Path(__file__).parent / "results/perceptual.md"


class Judgement(NamedTuple):
    """What a network says of a picture, and which way it would change it."""

    style: float
    content: float
    style_gradient: Tensor
    content_gradient: Tensor


class Judge:
    """A network with some paintings in mind."""

    def __init__(self, network: PerceptualNetwork, paintings: list[Tensor]) -> None:
        self.network = network
        with torch.no_grad():
            self.targets = [[statistics(f) for f in network(painting)] for painting in paintings]

    def __call__(self, picture: Tensor, original: Tensor) -> list[Judgement]:
        """Judge a picture (1, 3, H, W) that shows what the original does; once a painting."""
        picture = picture.clone().requires_grad_()
        with torch.no_grad():
            shown = self.network(original)[CONTENT_LAYER]
        features = self.network(picture)
        content = content_loss(features[CONTENT_LAYER], shown)
        found = [statistics(f) for f in features]
        styles = [style_loss(found, target) for target in self.targets]
        content_gradient, *style_gradients = (
            torch.autograd.grad(loss, picture, retain_graph=True)[0] for loss in (content, *styles)
        )
        return [
            Judgement(style.item(), content.item(), gradient, content_gradient)
            for style, gradient in zip(styles, style_gradients, strict=True)
        ]


def variants(original: Tensor, painters: list[Style]) -> Iterator[tuple[str, Tensor]]:
    """A picture in ways that a training may meet: blurred, noisy, and painted by each style."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(original.shape, generator=generator)
    yield "photograph, noisy", (original + 0.05 * noise).clamp(0, 1)
    yield "photograph, blurred", F.avg_pool2d(original, 5, 1, 2, count_include_pad=False)
    pixels = (original[0].permute(1, 2, 0) * 255).round().byte().numpy()
    for style in painters:
        painted = torch.from_numpy(style.paint(pixels)).permute(2, 0, 1)[None] / 255
        name = f"{style.card.name} {style.card.tier}"
        yield f"painted, {name}", painted
        yield f"half painted, {name}", (painted + original) / 2


def compare(
    judges: tuple[Judge, Judge], originals: list[Tensor], painters: list[Style]
) -> dict[str, list[tuple[Judgement, Judgement]]]:
    """Both judgements of every variant of every picture, by the kind of variant."""
    found: dict[str, list[tuple[Judgement, Judgement]]] = {}
    for original in originals:
        for kind, picture in variants(original, painters):
            both = zip(*(judge(picture, original) for judge in judges), strict=True)
            found.setdefault(kind, []).extend(both)
    return found


def row(name: str, pairs: list[tuple[Judgement, Judgement]]) -> str:
    """A line of the table."""
    cells = []
    for loss, gradient in (("style", "style_gradient"), ("content", "content_gradient")):
        a, b = (np.array([getattr(pair[k], loss) for pair in pairs]) for k in (0, 1))
        correlation = np.corrcoef(np.log(a), np.log(b))[0, 1]
        error = np.median(np.abs(b / a - 1))
        cosine = np.mean(
            [
                F.cosine_similarity(*(getattr(j, gradient).flatten() for j in pair), dim=0).item()
                for pair in pairs
            ]
        )
        cells += [f"{correlation:.3f}", f"{100 * error:.1f} %", f"{cosine:.2f}"]
    return f"| {name} | {len(pairs)} | {' | '.join(cells)} |"


def trained(vgg19: PerceptualNetwork, pair: Sequence[Path], photos: Sequence[Tensor]) -> str:
    """A line of the table of pairs."""
    *files, painting = pair
    ours, its = (StyleRegistry().find(str(file), "fast") for file in files)
    recipes = [style.card.recipe for style in (ours, its)]
    shared = [_asked_for(recipe) for recipe in recipes]
    if shared[0] != shared[1] or recipes[0] == recipes[1]:
        raise SystemExit(f"{files[0]} and {files[1]} differ by something else than their judge")
    critic = Critic(vgg19, ours.card, painting)
    found = zip(*(judged(critic, style, photos) for style in (ours, its)), strict=True)
    cells = [f"{a:.3f} | {b:.3f} | {a / b:.2f}" for a, b in found]
    return f"| {ours.card.name} {ours.card.tier} | {' | '.join(cells)} |"


def _asked_for(recipe: dict[str, Any]) -> dict[str, Any]:
    """A recipe without its judge, and without the weight that the training found by itself."""
    weights = {name: value for name, value in recipe["weights"].items() if name != "stability"}
    return recipe | {"perceptual": "", "weights": weights}


def table_of_pairs(
    vgg19: PerceptualNetwork, pairs: Sequence[Sequence[Path]], photos: Sequence[Tensor]
) -> str:
    """Styles trained with either network, as VGG19 sees what they paint."""
    lines = [trained(vgg19, pair, photos) for pair in pairs]
    return f"""
## Trained with either

Styles trained alike but for the judge, on {len(photos)} pictures of {CRITIC_SIDE} px that they
were not trained on, by VGG19; aimed at is × within 0.1 of 1.

| style | content, ours | VGG19's | × | style, ours | VGG19's | × | Gram, ours | VGG19's | × |
|---|---|---|---|---|---|---|---|---|---|
{chr(10).join(lines)}
"""


def main() -> None:
    """Judge, print and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("vgg19", type=Path)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("styles", type=Path)
    parser.add_argument("--count", type=int, default=4, help="pictures")
    parser.add_argument("--painters", type=Path, default=shipped_folder(), help="style files")
    parser.add_argument("--other", type=Path, help="another network in place of the shipped one")
    parser.add_argument(
        "--pair",
        action="append",
        nargs=3,
        type=Path,
        default=[],
        metavar=("OURS", "ITS", "PAINTING"),
    )
    parser.add_argument("--pair-count", type=int, default=10, help="pictures that pairs paint")
    parser.add_argument("-o", "--output", type=Path, default=RESULT)
    options = parser.parse_args()
    found = StyleRegistry((options.painters,)).styles
    painters = [Style(style, device="cpu") for style in found]
    vgg19 = load_perceptual(options.vgg19)
    ours = load_perceptual(options.other or shipped_file(PERCEPTUAL))
    files = find_pictures(options.pictures)[::-1][: options.count]
    originals = [to_tensor(load_picture(p, SIDE).crop((0, 0, SIDE, SIDE)))[None] for p in files]
    paintings = find_pictures(options.styles)
    paintings = paintings[:: max(1, len(paintings) // PAINTINGS)][:PAINTINGS]
    loaded = [load_painting(path, STYLE_SIZE) for path in paintings]
    pairs = compare((Judge(vgg19, loaded), Judge(ours, loaded)), originals, painters)
    everything = [pair for kind in pairs.values() for pair in kind]
    lines = [row(kind, found) for kind, found in pairs.items()] + [row("all", everything)]
    text = f"""# How like VGG19 the shipped perceptual network judges

`python benchmarks/perceptual.py`: {len(files)} pictures of {SIDE} px, {len(paintings)} paintings
of {STYLE_SIZE} px as styles; each loss by {ours.description} against VGG19's. Correlation is that
of the logarithms, error the median relative one, cosine that of the gradients.

| pictures | pairs | style: correlation | error | cosine | content: correlation | error | cosine |
|---|---|---|---|---|---|---|---|
{chr(10).join(lines)}
"""
    if options.pair:
        photos = squares(options.pictures, options.pair_count)
        text += table_of_pairs(vgg19, options.pair, photos)
    write_page(options.output, text)


if __name__ == "__main__":
    main()
