"""How often does a right solution fail by chance? Every check that draws random numbers runs with many seeds.

python benchmarks/false_alarms.py [--seeds 2000] [--variants] [MODULE ...]
"""

import argparse
import time
from collections import Counter

from coursekit.checks import randomness
from coursekit.parts import PARTS, find_parts
from coursekit.staff.exercises import variants_of
from coursekit.staff.trials import Trials, run_trials

STRIDE = 100  # no check uses a larger seed itself


class ManySeeds(Trials):
    """Runs a trial's checks once for each seed, and keeps what failed."""

    seeds = 2000

    def run(self, trial):
        self.items = [item for item in self.items if draws(item)]
        outcomes = []
        for number in range(self.seeds):
            randomness.SHIFT = STRIDE * number
            outcomes += [o for o in super().run(trial).outcomes if o.outcome != "passed" or not number]
        trial.outcomes = tuple(outcomes)
        return trial


def draws(item):
    return hasattr(item.module, "seed") or "assert_lawful" in item.fixturenames


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*")
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--variants", action="store_true", help="also every right variant")
    parser.add_argument("--hidden", action="store_true")
    arguments = parser.parse_args()
    ManySeeds.seeds = arguments.seeds
    parts = [part for name in arguments.modules for part in find_parts(name)] or list(PARTS)

    started = time.monotonic()
    for part in parts:
        edits = [(edit,) for edit in variants_of(part)] if arguments.variants else []
        for trial in run_trials([(), *edits], [part], hidden=arguments.hidden, kind=ManySeeds).trials:
            failed = Counter(o.check for o in trial.outcomes if o.outcome != "passed")
            who = trial.edits[0] if trial.edits else "the solution"
            told = ", ".join(f"{check.split('::')[1]} {count}" for check, count in failed.items()) or "no check"
            print(f"{part.module}: {who}, {arguments.seeds} seeds: failed {told}", flush=True)
            for message in dict.fromkeys(o.message for o in trial.outcomes if o.outcome != "passed"):
                print(f"    {message.splitlines()[0][:160]}")
    print(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
