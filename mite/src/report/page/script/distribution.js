// How times are distributed: a picture of one of several distributions, to be chosen.

class Distribution {
  constructor() {
    this.choices = [];
    this.select = make("select", {
      "aria-label": "Distribution of",
      onchange: () => this.render(),
    });
    this.svg = draw("svg", { tabindex: 0, role: "img" });
    this.tip = make("div", { class: "tip", hidden: true });
    this.plot = make("div", { class: "plot" }, this.svg, this.tip);
    this.element = make(
      "figure",
      { class: "chart" },
      make("div", { class: "tools" }, this.select),
      this.plot,
    );
    this.svg.addEventListener("pointermove", (event) => {
      const box = this.svg.getBoundingClientRect();
      this.look(this.at?.(((event.clientX - box.left) / box.width) * this.width) ?? null);
    });
    for (const name of ["pointerleave", "blur"])
      this.svg.addEventListener(name, () => this.look(null));
    this.svg.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!move) return;
      this.look(Math.min(Math.max((this.here ?? -1) + move, 0), this.bars.length - 1));
      event.preventDefault();
    });
    fitToPlace(this);
  }

  update(report, names) {
    const { http } = report;
    const choices = [
      ["Time of successful requests", http.distribution, http.time, ""],
      ["Time of failed requests", http.failed_distribution, http.failed_time, "failed"],
      ...report.journeys.map((row) => [
        `Response time of ${names.entry(row)}`,
        row.distribution,
        row.response_time,
        "",
      ]),
    ].filter(([, steps]) => steps?.length > 0);
    const labels = choices.map(([label]) => label);
    if (labels.join("\n") !== this.choices.map(([label]) => label).join("\n")) {
      const before = this.select.value;
      this.select.replaceChildren(
        ...labels.map((label) => make("option", { value: label }, words.cut(label, 80))),
      );
      if (labels.includes(before)) this.select.value = before;
    }
    this.choices = choices;
    this.render();
    return choices.length > 0;
  }

  render() {
    const [label, steps, times, kind] = this.choices[Math.max(0, this.select.selectedIndex)] ?? [];
    this.width = widthOf(this.plot);
    if (!steps || this.width === 0) return;
    const height = this.width < 480 ? 210 : 250;
    const edge = { left: 12, right: 12, top: 44, bottom: 22 };
    const inner = {
      width: this.width - edge.left - edge.right,
      height: height - edge.top - edge.bottom,
    };
    const { from, until } = rangeOf(steps);
    const x = (time) =>
      edge.left + (Math.log(Math.max(time, from) / from) / Math.log(until / from)) * inner.width;
    const bottom = edge.top + inner.height;
    this.bars = barsOf(steps, x, inner, bottom);
    this.at = (place) => nearestIndex(this.bars, place);
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${height}`);
    this.svg.setAttribute(
      "aria-label",
      `${label}: half within ${words.time(times.p50)}, 95 % within ${words.time(times.p95)}, ` +
        `99 % within ${words.time(times.p99)}, the longest ${words.time(times.max)}. ` +
        "The arrow keys go through the steps.",
    );
    this.svg.replaceChildren(
      ...timeTicks(from, until, inner.width / 65).flatMap((tick) => [
        draw("path", { class: "rule", d: `M${x(tick).toFixed(1)} ${bottom}v4` }),
        draw(
          "text",
          { x: x(tick), y: bottom + 16, "text-anchor": "middle" },
          tickNames.time(tick, null),
        ),
      ]),
      draw("path", { class: "rule", d: `M${edge.left} ${bottom}h${inner.width}` }),
      draw("g", { class: "steps " + kind }, ...this.bars.map(({ bar }) => bar)),
      ...this.marks(times, x, edge, bottom),
    );
    this.look(null);
  }

  // Percentiles, each on a line of its own where they would run into each other.
  marks(times, x, edge, bottom) {
    const ends = [-Infinity, -Infinity, -Infinity];
    return ["p50", "p95", "p99"].flatMap((name) => {
      const place = x(times[name]);
      const text = `${name} ${words.time(times[name])}`;
      const width = text.length * 6.2 + 8;
      const before = place + width > this.width;
      const left = before ? place - width : place;
      const row = Math.max(
        0,
        ends.findIndex((end) => end <= left),
      );
      ends[row] = left + width;
      const y = 11 + row * 13;
      return [
        draw("path", { class: "edge", d: `M${place.toFixed(1)} ${y - 9}V${bottom}` }),
        draw(
          "text",
          {
            class: "label",
            x: before ? place - 4 : place + 4,
            y,
            "text-anchor": before ? "end" : "start",
          },
          text,
        ),
      ];
    });
  }

  look(index) {
    this.bars?.[this.here]?.bar.classList.remove("here");
    this.here = index;
    const found = this.bars?.[index];
    this.tip.hidden = !found;
    if (!found) return;
    const { step, bar, left, share, below } = found;
    bar.classList.add("here");
    this.tip.replaceChildren(
      make("b", {}, `${words.time(step.from)} to ${words.time(step.until)}`),
      make("span", {}, `${words.plural(step.count, "sample")}, ${words.share(share)}`),
      make("span", {}, `${words.share(below)} are not longer`),
    );
    const place = left / this.width;
    this.tip.style.top = "44px";
    this.tip.style.left = place > 0.5 ? "auto" : `calc(${place * 100}% + 14px)`;
    this.tip.style.right = place > 0.5 ? `calc(${(1 - place) * 100}% + 8px)` : "auto";
  }
}

function nearestIndex(bars, place) {
  let best = null;
  let least = Infinity;
  bars.forEach((bar, index) => {
    const away = place < bar.left ? bar.left - place : Math.max(0, place - bar.right);
    if (away < least) [least, best] = [away, index];
  });
  return best;
}

// Round times between two, on an axis where each doubling is as long as the next.
function timeTicks(from, until, most) {
  for (const factors of [[1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1]]) {
    const ticks = [];
    for (let power = 10 ** Math.floor(Math.log10(from)); power <= until; power *= 10) {
      ticks.push(
        ...factors.map((factor) => factor * power).filter((tick) => tick >= from && tick <= until),
      );
    }
    if (ticks.length <= most)
      return ticks.length > 1
        ? ticks
        : [from, Math.sqrt(from * until), until].map((tick) => Number(tick.toPrecision(3)));
  }
  return [from, until].map((tick) => Number(tick.toPrecision(2)));
}

// What a step that begins at nothing is drawn from, where distances are ratios.
const lowest = (step) => Math.max(step.from, 5e-7);

// From the shortest to the longest time. Not narrower than a third, so that times that are all the
// same are no wall.
function rangeOf(steps) {
  const from = lowest(steps[0]);
  const { until } = steps.at(-1);
  const widen = Math.max(1.02, Math.sqrt(1.4 / (until / from)));
  return { from: from / widen, until: until * widen };
}

// A bar for each step. They differ in width; their area is what counts.
function barsOf(steps, x, inner, bottom) {
  const density = (step) => step.count / Math.log(step.until / lowest(step));
  const most = Math.max(...steps.map(density));
  const all = sum(steps.map((step) => step.count));
  let passed = 0;
  return steps.map((step) => {
    const left = x(lowest(step));
    const right = x(step.until);
    const tall = Math.max(1.5, (density(step) / most) * inner.height);
    passed += step.count;
    const bar = draw("rect", {
      x: left.toFixed(2),
      width: Math.max(1, right - left - 0.3).toFixed(2),
      y: (bottom - tall).toFixed(1),
      height: tall.toFixed(1),
    });
    return { step, bar, left, right, share: step.count / all, below: passed / all };
  });
}
