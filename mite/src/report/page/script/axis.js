// Scales, and where their ticks are.

const STEPS_OF_CLOCK = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400,
];

// Where an axis of time has ticks: at most so many, at round ages.
function clockTicks(from, until, most) {
  const step =
    STEPS_OF_CLOCK.find((step) => (until - from) / step <= most) ??
    86400 * Math.ceil((until - from) / 86400 / most);
  const ticks = [];
  for (let at = Math.ceil(from / step - 1e-9) * step; at <= until + 1e-9; at += step)
    ticks.push(at);
  return ticks;
}

// An axis of amounts from 0; `top` is round, so that the last tick is the upper edge. Ticks are not
// closer than `closest`.
function linear(most, count, closest) {
  const rough = (most > 0 ? most : 1) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(
    closest,
    [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough * 0.999999),
  );
  const top = Math.ceil((most > 0 ? most : 1) / step - 1e-9) * step;
  const ticks = [];
  for (let tick = 0; tick <= top + step / 2; tick += step) ticks.push(tick);
  return { ticks, step, at: (value) => value / top };
}

// An axis of amounts of very different sizes; ticks at 1, 2 and 5 of each power if there is room.
function logarithmic(least, most, count) {
  const from = 10 ** Math.floor(Math.log10(least) + 1e-9);
  const until = Math.max(from * 10, 10 ** Math.ceil(Math.log10(most) - 1e-9));
  const decades = Math.log10(until / from);
  const factors = decades * 3 <= count * 1.5 ? [1, 2, 5] : [1];
  const ticks = [];
  for (let power = from; power < until * 0.99; power *= 10) {
    for (const factor of factors) ticks.push(power * factor);
  }
  ticks.push(until);
  return {
    ticks,
    step: null,
    at: (value) => (value > 0 ? Math.max(0, Math.log10(value / from) / decades) : 0),
  };
}

const plain = (number, step) => {
  const digits = step ? Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9))) : 0;
  return Number(number.toFixed(step ? digits : 9)).toLocaleString("en-US", {
    maximumFractionDigits: step ? digits : 3,
  });
};

// What ticks are called, by the unit of their axis.
const tickNames = {
  time(seconds, step) {
    if (seconds === 0) return "0";
    const [factor, unit] =
      seconds >= 0.9995 ? [1, "s"] : seconds >= 0.0009995 ? [1e3, "ms"] : [1e6, "µs"];
    return plain(seconds * factor, step === null ? null : step * factor) + unit;
  },
  rate: (rate, step) => tickNames.count(rate, step) + (rate === 0 ? "" : "/s"),
  count(count, step) {
    const [factor, unit] =
      count >= 1e9
        ? [1e-9, "G"]
        : count >= 1e6
          ? [1e-6, "M"]
          : count >= 1e3
            ? [1e-3, "k"]
            : [1, ""];
    return plain(count * factor, step === null ? null : step * factor) + unit;
  },
};

// What values are called where there is room for three digits.
const valueNames = {
  time: words.time,
  rate: (rate) => words.rate(rate) + "/s",
  count: words.number,
};
