// Shapes are paths on a square from -1 to 1, by Matplotlib's names, so that figures and map look alike.

const polygon = (text) => text.split(" ").map((pair) => pair.split(",").map(Number));
const star = (points, inner) =>
  Array.from({ length: 2 * points }, (_, i) => {
    const radius = i % 2 ? inner : 1.15;
    const angle = Math.PI * (i / points - 0.5);
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
const ring = (points) =>
  Array.from({ length: points }, (_, i) => {
    const angle = (2 * Math.PI * i) / points - Math.PI / 2;
    return [1.05 * Math.cos(angle), 1.05 * Math.sin(angle)];
  });
const plus = polygon(
  "-.35,-1 .35,-1 .35,-.35 1,-.35 1,.35 .35,.35 .35,1 -.35,1 -.35,.35 -1,.35 -1,-.35 -.35,-.35",
);
const thin = plus.map((pair) => pair.map((v) => (Math.abs(v) < 1 ? v * 0.5 : v)));
const turned = (path) => path.map(([x, y]) => [(x - y) * 0.75, (x + y) * 0.75]);

// The circle, "o", is no path: it is drawn as an arc.
export const SHAPES = {
  s: polygon("-.85,-.85 .85,-.85 .85,.85 -.85,.85"),
  D: polygon("0,-1.1 1.1,0 0,1.1 -1.1,0"),
  "^": polygon("0,-1.1 1.1,.9 -1.1,.9"),
  v: polygon("0,1.1 1.1,-.9 -1.1,-.9"),
  "<": polygon("-1.1,0 .9,-1.1 .9,1.1"),
  ">": polygon("1.1,0 -.9,-1.1 -.9,1.1"),
  P: plus,
  X: turned(plus),
  "*": star(5, 0.5),
  p: ring(5),
  x: turned(thin),
};

// Puts the outline of a shape at x, y with the radius r (pixels) on the pen, to be filled or stroked.
export function trace(pen, shape, x, y, r) {
  const path = SHAPES[shape];
  pen.beginPath();
  if (path) {
    for (const [i, [a, b]] of path.entries()) pen[i ? "lineTo" : "moveTo"](x + a * r, y + b * r);
  } else pen.arc(x, y, 0.95 * r, 0, 7);
  pen.closePath();
}

// A small canvas with one marker in its middle, whose pixels are stamped for each point.
export function sprite(colour, shape, r, scale, edge) {
  const canvas = document.createElement("canvas");
  const size = Math.ceil(2 * (1.3 * r + 1) * scale);
  canvas.width = canvas.height = size;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.scale(scale, scale);
  trace(pen, shape, size / scale / 2, size / scale / 2, r);
  pen.fillStyle = colour;
  pen.fill();
  if (shape !== "x") {
    pen.strokeStyle = edge;
    pen.lineWidth = 0.5;
    pen.stroke();
  }
  return canvas;
}
