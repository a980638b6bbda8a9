"""Whether more or less of a score is better, as its name says it; a name that says nothing, or both, stays open."""

import re

from svge_core.data.meaning import Direction

_LESS_IS_BETTER = (
    "err errs error errors lat loss losses nll bce ce regret mse rmse mae mape rmsle perplexity ppl wer cer "
    "eer fid kid fpr fnr latency latencies delay delays time times runtime duration second seconds sec "
    "secs ms millisecond milliseconds us microsecond microseconds hour hours minute minutes flop flops "
    "gflops mflops mac macs madd madds mult multadds param params parameter parameters weights memory mem "
    "ram vram mib gib mb gb bytes energy joule joules mj power watt watts cost costs price size sizes "
    "rank ranks ranking overhead footprint carbon co2 emissions miss misses violation violations distance "
    "divergence kl variance std stddev uncertainty"
)
_MORE_IS_BETTER = (
    "acc accuracy accuracies auc auroc auprc map miou iou dice f1 fscore precision recall sensitivity "
    "specificity bleu rouge meteor r2 correlation pearson spearman kendall tau psnr ssim reward rewards "
    "return returns fitness utility throughput fps ips speed speedup bandwidth likelihood elbo synflow "
    "synaptic naswot jacov grasp snip zen fisher gradnorm"
)
#: whole words of titles, in lower case
LESS_IS_BETTER, MORE_IS_BETTER = frozenset(_LESS_IS_BETTER.split()), frozenset(_MORE_IS_BETTER.split())
#: words that turn the meaning of the others round
_TURNS = frozenset(("neg", "negative", "negated", "minus", "inverse", "inv"))
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


def direction_of(title: str) -> Direction | None:
    """``"min"`` or ``"max"`` where the whole words of a title say so; None where they say nothing, or both.

    Words are divided by anything but letters and digits and by capitals (``valErr``); a number belongs to the word
    before it as well (``top1``, ``F1``). ``neg`` and ``minus`` turn the meaning round.
    """
    parts = [word.lower() for word in _WORDS.findall(title)]
    joined = {first + second for first, second in zip(parts, parts[1:], strict=False) if second.isdigit()}
    words = {*parts, *joined, *re.findall(r"[a-z0-9]+", title.lower())}
    less, more = bool(words & LESS_IS_BETTER), bool(words & MORE_IS_BETTER)
    if less == more:
        return None
    turned = bool(words & _TURNS) or title.lstrip().startswith("-")
    return "min" if less != turned else "max"
