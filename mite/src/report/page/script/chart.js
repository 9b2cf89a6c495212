// A chart over time: lines, with a gap where there was nothing to measure.

const EDGE = { left: 58, right: 12, top: 20, bottom: 22 };

class Chart {
  // A line is { name, of(point), color, dashed, off }; `bounds(report)` are limits to be drawn.
  constructor(timeline, { title, unit, lines, log = false, empty = "no data", table = true }) {
    Object.assign(this, { timeline, title, unit, lines, empty });
    this.log = false;
    this.bounds = [];
    this.hidden = new Set(lines.filter((line) => line.off).map((line) => line.name));
    this.svg = draw("svg", { tabindex: 0, role: "img" });
    this.tip = make("div", { class: "tip", hidden: true });
    this.told = make("output", { class: "unseen" });
    this.plot = make("div", { class: "plot" }, this.svg, this.tip, this.told);
    this.outputs = new Map();
    this.legend = make("div", {
      class: "legend",
      role: "group",
      "aria-label": "Lines of " + title,
    });
    const scale = make(
      "button",
      {
        type: "button",
        class: "small",
        "aria-pressed": "false",
        onclick: () => {
          this.log = !this.log;
          scale.setAttribute("aria-pressed", this.log);
          scale.textContent = this.log ? "linear scale" : "log scale";
          this.render();
        },
      },
      "log scale",
    );
    const head = make("div", { class: "head" }, make("h3", {}, title), log ? scale : null);
    this.element = make(
      "figure",
      { class: "chart" },
      head,
      this.legend,
      this.plot,
      table ? this.values() : null,
    );
    listen(this);
    this.used = [];
    timeline.charts.push(this);
    fitToPlace(this);
  }

  // Lines that have anything to show.
  update() {
    const { points } = this.timeline;
    const used = this.lines.filter(
      (line) => !line.optional || points.some((point) => line.of(point)),
    );
    const same = used.every((line, index) => line === this.used[index]);
    if (same && used.length === this.used.length) return;
    this.used = used;
    this.outputs.clear();
    this.legend.replaceChildren(
      ...used.map((line) => {
        const sign = draw(
          "svg",
          { width: 18, height: 8, "aria-hidden": "true" },
          draw("path", { d: "M1 4H17", class: lineClass(line) + " key" }),
        );
        const output = make("output");
        this.outputs.set(line, output);
        const button = make(
          "button",
          {
            type: "button",
            "aria-pressed": String(!this.hidden.has(line.name)),
            title: line.title,
            onclick: () => {
              if (!this.hidden.delete(line.name)) this.hidden.add(line.name);
              button.setAttribute("aria-pressed", !this.hidden.has(line.name));
              this.render();
            },
          },
          sign,
          line.name,
          output,
        );
        return button;
      }),
    );
  }

  get shown() {
    return this.used.filter((line) => !this.hidden.has(line.name));
  }

  render() {
    this.update();
    this.width = widthOf(this.plot);
    if (this.width === 0) return;
    const height = this.width < 480 ? 190 : 220;
    const [from, until] = this.timeline.range;
    const points = this.timeline.visible;
    const scale = this.scale(points);
    this.measure(height, from, until, scale);
    this.cross = draw("g", { "aria-hidden": "true" });
    this.picked = draw("rect", {
      class: "picked",
      y: EDGE.top,
      height: this.inner.height,
      visibility: "hidden",
    });
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${height}`);
    this.svg.setAttribute("aria-label", this.summary(points));
    this.svg.replaceChildren(
      ...this.background(this.inner, from, until),
      ...this.axes(scale, this.inner, from, until),
      ...(scale ? this.paths(points) : [this.emptiness()]),
      this.picked,
      this.cross,
    );
    this.look(this.timeline.looking === this);
  }

  // Where what stands for which age and value.
  measure(height, from, until, scale) {
    const inner = {
      width: Math.max(40, this.width - EDGE.left - EDGE.right),
      height: height - EDGE.top - EDGE.bottom,
    };
    this.inner = inner;
    this.x = (at) => EDGE.left + ((at - from) / (until - from)) * inner.width;
    this.ageAt = (x) => from + ((x - EDGE.left) / inner.width) * (until - from);
    this.y = (value) => EDGE.top + inner.height * (1 - Math.min(1, scale ? scale.at(value) : 0));
  }

  // The lines, as far as they lie within the axes.
  paths(points) {
    const clip = "clip-" + this.timeline.charts.indexOf(this);
    const within = draw("rect", {
      x: EDGE.left,
      y: EDGE.top - 2,
      width: this.inner.width + 2,
      height: this.inner.height + 4,
    });
    return [
      draw("clipPath", { id: clip }, within),
      draw(
        "g",
        { "clip-path": `url(#${clip})` },
        ...this.shown.map((line) => this.path(line, points)),
      ),
    ];
  }

  emptiness() {
    const { width, height } = this.inner;
    const place = { x: EDGE.left + width / 2, y: EDGE.top + height / 2 };
    return draw("text", { ...place, "text-anchor": "middle" }, this.empty);
  }

  scale(points) {
    let least = Infinity;
    let most = -Infinity;
    for (const line of this.shown) {
      for (const point of points) {
        const value = line.of(point);
        if (typeof value !== "number") continue;
        most = Math.max(most, value);
        if (value > 0) least = Math.min(least, value);
      }
    }
    if (most === -Infinity) return null;
    // A bound is shown when it is anywhere near.
    for (const bound of this.bounds)
      if (bound.value <= most * 2) most = Math.max(most, bound.value);
    return this.log && least < Infinity
      ? logarithmic(least, most, 5)
      : linear(most, 4, this.unit === "count" ? 1 : 0);
  }

  background(inner, from, until) {
    const parts = [];
    const span = (start, end) => [this.x(Math.max(start, from)), this.x(Math.min(end, until))];
    const label = (text, left, right) => {
      const most = Math.floor((right - left - 6) / 6.2);
      if (most < Math.min(text.length, 5)) return;
      const shown = text.length > most ? text.slice(0, most - 1) + "…" : text;
      parts.push(
        draw("text", { x: left + 4, y: EDGE.top - 6 }, shown, draw("title", {}, words.cut(text))),
      );
    };
    const { warmUp, spans, marks } = this.timeline;
    if (warmUp > from) {
      const [left, right] = span(0, warmUp);
      parts.push(
        draw("rect", {
          class: "warm",
          x: left,
          y: EDGE.top,
          width: Math.max(0, right - left),
          height: inner.height,
        }),
      );
      if (!spans.some((stage) => stage.from < warmUp)) label("warm-up", left, right);
    }
    for (const stage of spans) {
      if (stage.until <= from || stage.from >= until) continue;
      const [left, right] = span(stage.from, stage.until);
      if (stage.from > from)
        parts.push(
          draw("path", {
            class: "edge",
            d: `M${left.toFixed(1)} ${EDGE.top - 14}V${EDGE.top + inner.height}`,
          }),
        );
      label(stage.from < warmUp ? "warm-up: " + stage.name : stage.name, left, right);
    }
    for (const mark of marks) {
      if (mark.at <= from || mark.at > until) continue;
      parts.push(
        draw(
          "path",
          { class: mark.style, d: `M${this.x(mark.at).toFixed(1)} ${EDGE.top}v${inner.height}` },
          draw("title", {}, words.cut(mark.name)),
        ),
      );
    }
    return parts;
  }

  axes(scale, inner, from, until) {
    const bottom = EDGE.top + inner.height;
    const parts = [
      draw("path", { class: "rule", d: `M${EDGE.left} ${bottom}H${EDGE.left + inner.width}` }),
    ];
    for (const tick of scale?.ticks ?? []) {
      const y = this.y(tick);
      parts.push(
        draw("path", { class: "rule", d: `M${EDGE.left} ${y.toFixed(1)}h${inner.width}` }),
      );
      parts.push(
        draw(
          "text",
          { x: EDGE.left - 6, y: y + 3.5, "text-anchor": "end" },
          tickNames[this.unit](tick, scale.step),
        ),
      );
    }
    for (const tick of clockTicks(from, until, Math.max(2, Math.floor(inner.width / 70)))) {
      const x = this.x(tick);
      parts.push(draw("path", { class: "rule", d: `M${x.toFixed(1)} ${bottom}v4` }));
      parts.push(draw("text", { x, y: bottom + 16, "text-anchor": "middle" }, words.clock(tick)));
    }
    for (const bound of scale ? this.bounds : []) {
      const y = this.y(bound.value);
      if (y <= EDGE.top) continue;
      parts.push(
        draw("path", { class: "bound", d: `M${EDGE.left} ${y.toFixed(1)}h${inner.width}` }),
      );
      parts.push(
        draw(
          "text",
          { class: "bound-name", x: EDGE.left + inner.width - 2, y: y - 4, "text-anchor": "end" },
          words.cut(bound.name, 60),
        ),
      );
    }
    return parts;
  }

  path(line, points) {
    const { interval } = this.timeline;
    const shape = [];
    let before = null;
    const crowded = points.length > 2 * this.inner.width;
    for (const point of crowded ? thinned(line, points, this.x) : points) {
      const value = point && line.of(point);
      if (typeof value !== "number") {
        before = null;
        continue;
      }
      const together = before !== null && (crowded || point.at - before <= 1.5 * interval);
      const y = this.y(value).toFixed(1);
      // A point stands for the time up to it, so that one alone is a line as well.
      if (!together) shape.push(`M${this.x(point.at - interval).toFixed(1)} ${y}`);
      shape.push(`L${this.x(point.at).toFixed(1)} ${y}`);
      before = point.at;
    }
    return draw("path", { class: lineClass(line), d: shape.join("") });
  }

  // What the picture shows, for those who do not see it.
  summary(points) {
    const facts = this.shown.map((line) => {
      const values = points.map(line.of).filter((value) => typeof value === "number");
      if (values.length === 0) return `${line.name}: no data`;
      const least = values.reduce((one, other) => Math.min(one, other));
      const most = values.reduce((one, other) => Math.max(one, other));
      return `${line.name} from ${valueNames[this.unit](least)} to ${valueNames[this.unit](most)}`;
    });
    return `${this.title}. ${facts.join("; ")}. The arrow keys go through the seconds.`;
  }

  pick(range) {
    if (!this.picked) return;
    this.picked.setAttribute("visibility", range ? "visible" : "hidden");
    if (!range) return;
    const [left, right] = range.map(this.x).sort((one, other) => one - other);
    this.picked.setAttribute("x", left);
    this.picked.setAttribute("width", right - left);
  }

  look(withTip) {
    const point = this.timeline.points[this.timeline.index];
    for (const [line, output] of this.outputs) {
      const value = this.timeline.legends && point && line.of(point);
      output.textContent = typeof value === "number" ? valueNames[this.unit](value) : "";
    }
    this.tip.hidden = true;
    if (!this.cross) return;
    this.cross.replaceChildren();
    if (!point) return;
    const x = this.x(point.at);
    this.cross.append(
      draw("path", { class: "cross", d: `M${x.toFixed(1)} ${EDGE.top}v${this.inner.height}` }),
    );
    const values = this.shown
      .map((line) => [line, line.of(point)])
      .filter(([, value]) => typeof value === "number");
    for (const [line, value] of values) {
      this.cross.append(
        draw("circle", { class: "dot " + line.color, cx: x, cy: this.y(value), r: 3 }),
      );
    }
    if (withTip) this.showTip(point, values, x);
  }

  showTip(point, values, x) {
    const told = values.map(([line, value]) =>
      make("span", {}, `${line.name} ${valueNames[this.unit](value)}`),
    );
    if (values.length === 0) told.push(make("span", {}, "nothing measured"));
    if (point.stage) told.push(make("span", { class: "quiet" }, words.cut(point.stage, 40)));
    this.tip.replaceChildren(make("b", {}, this.timeline.moment(point)), ...told);
    this.tip.hidden = false;
    const share = x / this.width;
    this.tip.style.top = EDGE.top + "px";
    this.tip.style.left = share > 0.5 ? "auto" : `calc(${share * 100}% + 10px)`;
    this.tip.style.right = share > 0.5 ? `calc(${(1 - share) * 100}% + 10px)` : "auto";
  }

  // The same numbers as a table, made when it is asked for.
  values() {
    const place = make("div");
    const details = make(
      "details",
      {
        ontoggle: () => {
          if (!details.open) return place.replaceChildren();
          const columns = [
            { name: "at", of: (point) => point.at, text: (point) => words.clock(point.at) },
            ...this.used.map((line) => ({
              name: line.name,
              of: (point) => line.of(point) ?? null,
              number: true,
              text: (point) => valueNames[this.unit](line.of(point)),
            })),
          ];
          const table = new Table({
            title: this.title + ", second by second",
            columns,
            unit: "second",
          });
          table.update(this.timeline.points);
          place.replaceChildren(table.element);
        },
      },
      make("summary", {}, "as a table"),
      place,
    );
    return details;
  }
}

const lineClass = (line) => `line ${line.color}${line.dashed ? " dashed" : ""}`;
