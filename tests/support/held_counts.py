"""Counts that no change should move unseen: a table in the repository, FILE.tsv, whose first line names the compiler that
they were taken with."""


class HeldCounts:
    """`file` (pathlib) need not be there. A count holds that is within `tolerance`, a part of it, on either side."""

    def __init__(self, file, tolerance):
        self.file, self.tolerance = file, tolerance
        lines = file.read_text(encoding="ascii").splitlines() if file.exists() else [""]
        self.compiler = lines[0][2:]
        self.recorded = {name: int(count) for name, count in (line.split("\t") for line in lines[1:])}

    def change(self, name, now):
        """As a part of what is recorded; 0 where nothing is."""
        before = self.recorded.get(name, 0)
        return now / before - 1 if before else 0

    def faults(self, counts, unit):
        """Sentences, none where all hold."""
        missing = [f"{name} is recorded and not there" for name in self.recorded if name not in counts]
        return missing + [f"{name}: {now:,d} {unit}, {self.recorded.get(name, 0):,d} recorded"
                          for name, now in counts.items()
                          if not self.recorded.get(name) or abs(self.change(name, now)) > self.tolerance]

    def write(self, compiler, counts):
        self.file.write_text(f"# {compiler}\n" + "".join(f"{name}\t{now}\n" for name, now in counts.items()), "ascii")
