"""What an import did, added up for the summary at its end."""

from collections import Counter
from dataclasses import dataclass, field

VERBS = ("added", "changed", "withdrawn")


@dataclass
class Tally:
    """Counts by noun and verb, what was in the source, and remarks on what was not taken over."""

    done: Counter[tuple[str, str]] = field(default_factory=Counter)
    there: dict[str, int] = field(default_factory=dict)
    remarks: Counter[str] = field(default_factory=Counter)

    def add(self, noun: str, verb: str = "added", count: int = 1) -> None:
        if count:
            self.done[noun, verb] += count

    def remark(self, words: str, count: int = 1) -> None:
        if count:
            self.remarks[words] += count

    def total(self, verb: str) -> int:
        return sum(count for (_noun, done), count in self.done.items() if done == verb)

    def table(self) -> list[str]:
        """The lines of the summary."""
        nouns = [*self.there, *sorted({noun for noun, _verb in self.done} - self.there.keys())]
        width = max((len(noun) for noun in nouns), default=0)
        lines = [f"{'':<{width}}  {'there':>9}" + "".join(f"{verb:>11}" for verb in VERBS)]
        for noun in nouns:
            there = str(self.there[noun]) if noun in self.there else ""
            lines.append(f"{noun:<{width}}  {there:>9}" + "".join(f"{self.done[noun, verb]:>11}" for verb in VERBS))
        lines += [f"{count} {words}." for words, count in sorted(self.remarks.items())]
        return lines

    def verdict(self) -> str:
        return ", ".join(f"{self.total(verb)} {verb}" for verb in VERBS)

    def counts(self) -> dict[str, int]:
        """What changed, by verb, for the audit; empty when nothing did."""
        return {verb: self.total(verb) for verb in VERBS if self.total(verb)}
