// The colours of the map in JupyterLab's light and dark theme.

const LIGHT = {
  paper: "#ffffff",
  ink: "#111",
  edge: "#333",
  halo: "rgba(255,255,255,.9)",
  line: "rgba(0,0,0,.45)",
  hit: "#D55E00",
  badge: "#A33F00",
  onBadge: "#fff",
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
};

// JupyterLab says on its body which theme is on; elsewhere it is the light one.
export const inksOf = (body) => (body.dataset.jpThemeLight === "false" ? DARK : LIGHT);

// Calls `act()` whenever the theme changes; gives what ends that.
export function onTheme(body, act) {
  const watch = new MutationObserver(act);
  watch.observe(body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  return () => watch.disconnect();
}
