// The colours of the map in JupyterLab's light and dark theme.

const LIGHT = {
  paper: "#ffffff",
  ink: "#111111",
  edge: "#333",
  halo: "rgba(255,255,255,.9)",
  line: "rgba(0,0,0,.45)",
  hit: "#D55E00",
  badge: "#A33F00",
  onBadge: "#fff",
  least: 1, // a dark edge sets off pale colours, as in the figures
  dim: 0.4, // how much of a point is seen that does not stand out,
  dimmer: 0.22, // or beside a selection
};
const DARK = {
  paper: "#181818",
  ink: "#f2f2f2",
  edge: "#ccc",
  halo: "rgba(0,0,0,.85)",
  line: "rgba(255,255,255,.5)",
  hit: "#FF9442",
  badge: "#FF9442",
  onBadge: "#111",
  least: 3, // the contrast that WCAG 2.2 asks of graphics
  dim: 0.55,
  dimmer: 0.38,
};

// JupyterLab says on its body which theme is on; elsewhere it is the light one.
export const inksOf = (body) => (body.dataset.jpThemeLight === "false" ? DARK : LIGHT);

// "#rrggbb" as its three parts, from 0 to 1.
const parts = (colour) => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255);

function luminance(colour) {
  const [red, green, blue] = parts(colour).map((v) =>
    v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

// The contrast of two colours "#rrggbb", from 1 to 21 (WCAG 2.2).
export function contrast(a, b) {
  const [dark, bright] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (bright + 0.05) / (dark + 0.05);
}

// A cluster's colour as it is seen on the theme's paper: black, which would not be, is the ink's.
export const seenOn = (colour, { paper, ink, least }) => (contrast(colour, paper) < least ? ink : colour);

// Calls `act()` whenever the theme changes; gives what ends that.
export function onTheme(body, act) {
  const watch = new MutationObserver(act);
  watch.observe(body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  return () => watch.disconnect();
}
