// The times of one series as a strip: a cell for each stretch of the run, coloured from quick to slow.

const LEVELS = 8;

// From which time on each level begins: the same for all strips, each level as many times slower than
// the one before it. The lightest has what is as quick as the quickest twentieth, too.
class Heat {
  constructor(rows, percentile) {
    const times = rows
      .flatMap((row) => row[percentile])
      .filter((time) => typeof time === "number")
      .sort((one, other) => one - other);
    this.percentile = percentile;
    this.any = times.length > 0;
    this.least = Math.max(times[Math.floor(times.length / 20)] ?? 0, 1e-6);
    // Not finer than this, or chance alone would have colours.
    this.factor = Math.max(1.25, ((times.at(-1) ?? 0) / this.least) ** (1 / LEVELS));
  }

  level(time) {
    const level = Math.floor(Math.log(Math.max(time, 1e-6) / this.least) / Math.log(this.factor));
    return Math.min(LEVELS - 1, Math.max(0, level));
  }

  // What the colours mean.
  key() {
    const steps = Array.from({ length: LEVELS }, (_, level) =>
      make("i", {
        class: "heat-" + level,
        title: `from ${words.time(this.least * this.factor ** level)}`,
      }),
    );
    return make(
      "span",
      { class: "heat-key" },
      words.time(this.least),
      make("span", { class: "steps" }, steps),
      `${words.time(this.least * this.factor ** (LEVELS - 1))} and more`,
      make("i", { class: "heat-failed" }),
      "failed",
    );
  }

  strip(row, mark) {
    const times = row[this.percentile];
    const paths = Array.from({ length: LEVELS }, () => "");
    let failed = "";
    times.forEach((time, stretch) => {
      if (typeof time === "number") paths[this.level(time)] += `M${stretch} 0h1v10h-1z`;
      if (row.errors[stretch] > 0) failed += `M${stretch} 7.5h1v2.5h-1z`;
    });
    return draw(
      "svg",
      {
        class: "strip",
        viewBox: `0 0 ${Math.max(1, times.length)} 10`,
        preserveAspectRatio: "none",
        role: "img",
      },
      paths.map((d, level) => (d === "" ? null : draw("path", { class: "heat-" + level, d }))),
      failed === "" ? null : draw("path", { class: "heat-failed", d: failed }),
      mark === null ? null : draw("path", { class: "onset", d: `M${mark} 0v10` }),
    );
  }
}
