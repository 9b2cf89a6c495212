// Drawings are as wide as their place, and made anew for paper: what is written in them would be
// too small to read if they were only scaled.

// What a page of A4 or letter has between its margins, and half of it, in points of the screen.
const PAPER = { whole: 690, half: 333 };

const drawings = [];
let printing = false;

// A drawing has a `plot`, the `width` it is drawn for, and `render()`.
function fitToPlace(drawing) {
  drawings.push(drawing);
  new ResizeObserver(() => {
    if (widthOf(drawing.plot) !== drawing.width) drawing.render();
  }).observe(drawing.plot);
}

function widthOf(plot) {
  const width = plot.clientWidth;
  if (!printing || width === 0) return width;
  return plot.closest(".two") ? PAPER.half : PAPER.whole;
}

function drawFor(print) {
  printing = print;
  for (const drawing of drawings) drawing.render();
}

addEventListener("beforeprint", () => drawFor(true));
addEventListener("afterprint", () => drawFor(false));
