// A page that was opened as a file may not read other files: there the search shows titles without the lines around.
// biome-ignore lint/correctness/noUndeclaredVariables: Sphinx declares it in a script before this one
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// What is wider than its place is scrolled by keyboard, too.
function reachable() {
  for (const block of document.querySelectorAll(
    "article pre, article .table-wrapper, .cell_output .output",
  )) {
    if (block.scrollWidth > block.clientWidth) block.tabIndex = 0;
    else block.removeAttribute("tabindex");
  }
}
addEventListener("load", reachable);

// Paper shows no player: its still stands there instead.
for (const player of document.querySelectorAll("video[poster]")) {
  const still = document.createElement("img");
  still.className = "on-paper";
  still.src = player.poster;
  still.alt = player.getAttribute("aria-label") ?? "";
  player.before(still);
}
addEventListener("resize", reachable);
