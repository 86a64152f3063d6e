// What stands below the player: the tiles of neighbours or of all hits, and the table of the selection.

import { make, makeButton } from "./dom.js";
import { makeGrid } from "./grid.js";

const ROWS = 300; // lines of the table; more make the page slow

// `choose(row)`, `hover(row)`, `pick(rows)`, `clearHits()`, `untag(tag)`, `play(rows, name)`, `like(rows)` and
// `unlike(rows)` are called for clicks and the mouse.
export function makePanel(
  model,
  data,
  stills,
  parent,
  { choose, hover, pick, clearHits, untag, play, like, unlike },
) {
  const strip = make("section", "strip", undefined, parent);
  const head = make("h4", "", undefined, strip);
  const grid = makeGrid(strip, data, stills, { choose, hover, pick, narrowest: 84, lines: 3 });
  const list = make("section", "list", undefined, parent);
  let hitsFirst = false; // whether the hits are shown, or the neighbours of what was clicked

  function showTiles() {
    const [near, hits] = [model.get("tiles"), model.get("found")];
    const both = !!data.hits.length && !!near.title;
    const showsHits = !!data.hits.length && (hitsFirst || !near.title);
    const { title, items } = showsHits ? hits : near;
    strip.hidden = !title;
    if (!title) return grid.show([]);
    head.replaceChildren();
    make("span", "", title, head);
    if (both && showsHits)
      makeButton("Neighbours", "what is near the clicked point", () => turn(false), head);
    if (both && !showsHits)
      makeButton(`Back to ${hits.items.length} hits`, "all that the search found", () => turn(true), head);
    if (showsHits)
      makeButton(
        "Play hits",
        "the best, one after the other (p)",
        () => play(data.hits, "of the hits"),
        head,
      );
    if (data.hits.length) makeButton("Clear hits", "", clearHits, head);
    grid.show(
      items.map(({ row }) => row),
      new Map(items.map(({ row, score }) => [row, score])),
    );
    grid.mark(model.get("chosen"));
  }
  function turn(toHits) {
    hitsFirst = toHits;
    showTiles();
  }

  function showTable() {
    const rows = [...data.picked];
    grid.mark();
    const place = list.querySelector(".scroll")?.scrollTop ?? 0;
    list.replaceChildren();
    const title = make("h4", "", rows.length ? `Selection: ${rows.length} segments` : "Selection", list);
    if (!rows.length) {
      const hint =
        "Draw around points with Lasso or Box, click a cluster in the legend, or Ctrl-click tiles.";
      make("p", "hint", hint, list);
      return;
    }
    makeButton("Play all", "one after the other (p)", () => play(rows, "of the selection"), title);
    makeButton("More like these", "search for what is similar to them", () => like(rows), title);
    makeButton("Not these", "search again for what is less like them", () => unlike(rows), title);
    makeButton("Clear", "", () => pick([]), title);
    showTags(rows);
    const scroll = make("div", "scroll", undefined, list);
    const table = make("table", "", undefined, scroll);
    const names = make("tr", "", undefined, make("thead", "", undefined, table));
    for (const name of ["time", "title", "cluster", "tags", "note"])
      make("th", "", name, names).scope = "col";
    const body = make("tbody", "", undefined, table);
    for (const row of rows.slice(0, ROWS)) addLine(body, row);
    if (rows.length > ROWS)
      make("p", "hint", `The first ${ROWS} of ${rows.length}; the export holds all.`, list);
    scroll.scrollTop = place;
  }
  // The tags of the selection, each with how many have it, to be taken away with a click.
  function showTags(rows) {
    const counts = new Map();
    for (const row of rows) for (const tag of data.tagsOf(row)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
    if (!counts.size) return;
    const line = make("div", "tags", undefined, list);
    for (const [tag, count] of counts) {
      const chip = make("span", "tag", `${tag} (${count}) `, line);
      makeButton("×", `take the tag ${tag} from the selection`, () => untag(tag), chip).className = "remove";
    }
  }
  function addLine(body, row) {
    const line = make("tr", row === model.get("chosen") ? "chosen" : "", undefined, body);
    line.dataset.id = model.get("page").ids[row];
    const play = make("button", "link", data.spanOf(row), make("td", "", undefined, line));
    play.title = "show in the player";
    play.dataset.row = row;
    for (const words of [
      data.videoOf(row).title,
      data.clusterOf(row),
      data.tagsOf(row).join(", "),
      data.noteOf(row),
    ])
      make("td", "", words, line);
    line.addEventListener("click", () => choose(row));
    line.addEventListener("mouseenter", () => hover(row));
    line.addEventListener("mouseleave", () => hover(-1));
  }
  return {
    showTiles,
    showTable,
    showHits: () => turn(true),
    // After a click on what is no hit its neighbours come first; the hits wait behind their button.
    follow: (row) => turn(data.scores.has(row)),
    ...{ fill: grid.fill, wanted: grid.wanted, start: grid.start, stop: grid.stop },
  };
}
