// The page of the cluster explorer: a map or a grid, and beside it a player, neighbours or hits, and a table. What it
// shows comes from the traits of ExplorerView (view.py); what is clicked goes back in `chosen`, `picked`, `focus`
// and `hidden`, what is asked for in messages.

import { makeData } from "./data.js";
import { make } from "./dom.js";
import { makeGallery } from "./gallery.js";
import { makeHistograms } from "./histogram.js";
import { actionOf, makeHelp } from "./keys.js";
import { fillLegend, makeBar, markLegend } from "./legend.js";
import { makeMap } from "./map.js";
import { makePanel } from "./panel.js";
import { makePlayer } from "./player.js";
import { makePlaylist, makePlaylistLine } from "./playlist.js";
import { makePointer } from "./pointer.js";
import { makeStills } from "./stills.js";
import { onTheme } from "./theme.js";
import { sortRows, stepFrom } from "./tiles.js";
import { makeTip } from "./tip.js";

const REST = 90; // milliseconds that the mouse rests on a point before its still is asked for

// Runs `act`, which may replace or hide what had the focus: the keys then stay with the explorer.
function keepingFocus(root, act) {
  const had = root.contains(document.activeElement);
  act();
  const has = document.activeElement; // what was just hidden loses it only later
  if (had && (has === document.body || !has.checkVisibility())) root.focus({ preventScroll: true });
}

// The kernel sends several traits in one message: what reads them all is to run once for it.
function once(root, act) {
  let waits = false;
  return () => {
    if (waits) return;
    waits = true;
    queueMicrotask(() => {
      waits = false;
      keepingFocus(root, act);
    });
  };
}

function render({ model, el }) {
  const root = make("div", "explorer has-keys", undefined, el); // it has them again when a line of text is left
  root.tabIndex = -1;
  root.dataset.lmSuppressShortcuts = "true"; // keys typed here are not the notebook's
  const left = make("div", "left", undefined, root);
  const right = make("div", "right", undefined, root);
  const bar = make("div", "bar", undefined, left);
  const help = makeHelp(left);
  const status = make("p", "status", undefined, left); // above the map: below, a small screen does not show it
  status.setAttribute("role", "status");

  const data = makeData(model);
  const map = makeMap(model, data, left, { onZoom: () => tip.show() });
  let rested = -1;
  let timer = 0;
  let clicked = -1; // what the kernel chose, as the best hit, waits at its second
  let presented = null; // what is in the player

  const set = (values) => {
    for (const name in values) model.set(name, values[name]);
    model.save_changes();
  };
  const pick = (rows, focus = null) =>
    set({ picked: rows, focus: model.get("column") === "cluster" ? focus : null });
  function choose(row) {
    if (model.get("chosen") === row) {
      player.replay();
      panel.follow(row);
    } else {
      clicked = row;
      player.wait(true);
      set({ chosen: row });
    }
  }
  function hover(row) {
    data.hover = row;
    map.drawMarks();
  }
  function hide(name) {
    const column = model.get("column");
    const names = new Set(model.get("hidden")[column] ?? []);
    if (!names.delete(name)) names.add(name);
    set({ hidden: { ...model.get("hidden"), [column]: [...names] } });
  }
  const send = (name, value = true) => model.send({ [name]: value });

  const stills = makeStills(model, {
    wanted: () => {
      if (rested >= 0 && !stills.has(rested)) return rested;
      return Math.max(gallery.wanted(), -1) >= 0 ? gallery.wanted() : panel.wanted();
    },
    arrived: (row) => {
      if (row === data.hover) tip.show();
      gallery.fill();
      panel.fill();
    },
  });
  const gallery = makeGallery(model, data, stills, left, {
    choose,
    hover,
    pick,
    measure: () => send("measure"),
  });
  const legend = make("div", "legend", undefined, left);
  const ranges = makeHistograms(model, data, left, {
    limit: (name, range) => {
      const { [name]: _, ...others } = model.get("ranges");
      set({ ranges: range ? { ...others, [name]: range } : others });
    },
  });
  const player = makePlayer(model, right, {
    similar: () => send("similar"),
    unlike: () => send("unlike", [model.get("chosen")]),
    over: () => playlist.step(1),
  });
  const playing = makePlaylistLine(right);
  const playlist = makePlaylist({ choose, changed: () => playing.show(playlist) });
  playing.connect(playlist);
  const panel = makePanel(model, data, stills, right, {
    ...{ choose, hover, pick },
    play: playlist.start,
    like: (rows) => send("like", rows),
    unlike: (rows) => send("unlike", rows),
    clearHits: () => send("clear"),
    untag: (tag) => send("untag", tag),
  });
  const tip = makeTip(map, data, stills, { isHidden: () => pointer.isDragging() });
  const pointer = makePointer(map, data, { choose, pick, look, hideTip: tip.hide });
  const { setMode, setView, count, offerAll } = makeBar(map, bar, {
    onMode: (name) => {
      pointer.setMode(name);
      map.canvas.style.cursor = pointer.restingCursor();
    },
    onView: showView,
    onHelp: help.toggle,
    onShowAll: () => set({ hidden: {}, ranges: {} }),
    onAdd: (on) => {
      data.adding = on;
    },
  });

  // Words at once, a still when the mouse rests.
  function look(row) {
    if (row === data.hover) return;
    map.canvas.style.cursor = row >= 0 ? "pointer" : pointer.restingCursor();
    clearTimeout(timer);
    rested = -1;
    if (row >= 0)
      timer = setTimeout(() => {
        rested = row;
        stills.ask();
      }, REST);
    hover(row);
    tip.show();
  }
  function showView(name) {
    map.plot.hidden = name !== "map";
    setView(name);
    gallery.open(name === "grid");
  }
  // The next or previous of what is listed: the list that plays, the grid, the selection, the hits, or else the film.
  function step(by) {
    if (playlist.isOn()) return playlist.step(by);
    const chosen = model.get("chosen");
    const film = data.order.filter((row) => data.videos[row] === data.videos[chosen]);
    const lists = [gallery.isOpen() ? gallery.rows() : [], [...data.picked], data.hits];
    const rows = lists.find((list) => list.includes(chosen)) ?? lists.find((list) => list.length);
    const row = stepFrom(rows ?? sortRows(film, "title", data), chosen, by);
    if (row < 0 || row === chosen) return;
    choose(row);
    if (gallery.isOpen()) gallery.reveal(row);
  }
  // The lines above the map are widgets of their own beside this one.
  const goTo = (line) => root.closest(".widget-vbox")?.querySelector(`.explorer-${line} input`)?.focus();
  function letGo() {
    if (help.close()) return;
    pick([]);
    const { like = [], unlike = [] } = model.get("examples");
    if (unlike.length && !like.length) send("clear"); // what is not wanted waits for what is
  }
  const actions = {
    play: player.toggle,
    playlist: () => {
      if (playlist.isOn()) playlist.stop();
      else if (data.picked.size) playlist.start([...data.picked], "of the selection");
      else playlist.start(data.hits, "of the hits");
    },
    compare: player.compare,
    next: () => step(1),
    previous: () => step(-1),
    search: () => goTo("search"),
    name: () => goTo("name"),
    tag: () => goTo("tag"),
    similar: () => send("similar"),
    undo: () => send("undo"),
    redo: () => send("redo"),
    grid: () => showView("grid"),
    map: () => showView("map"),
    help: help.toggle,
    letGo,
  };
  root.addEventListener("keydown", (event) => {
    const action = actionOf(event);
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    keepingFocus(root, actions[action]);
  });

  function showLegend() {
    const inFocus = (code) => model.get("column") !== "cluster" || model.get("focus") === code;
    fillLegend(legend, data, { pick, hide, inFocus });
    const ranged = Object.keys(model.get("ranges")).length > 0;
    offerAll(ranged || Object.values(model.get("hidden")).some((names) => names.length));
    ranges.show();
    const all = data.labels.length;
    const some = data.order.length;
    count.textContent = some === all ? `${all} segments` : `${some} of ${all} segments`;
    const clusters = model.get("groups").filter((group) => group.cluster >= 0).length;
    map.canvas.setAttribute(
      "aria-label",
      `Map of ${count.textContent} in ${clusters} clusters; ` +
        "the buttons of the legend list the segments of a cluster in the table",
    );
  }
  function readPoints() {
    data.readPoints();
    map.readPoints();
  }
  function readGroups() {
    data.readGroups();
    map.paint();
    showLegend();
    showPicked();
    gallery.show();
  }
  function showPicked() {
    data.picked = new Set(model.get("picked"));
    panel.showTable();
    markLegend(legend, data);
    gallery.mark();
    map.draw();
  }
  function showHits() {
    data.readHits();
    gallery.sortFor(data.hits.length > 0);
    if (data.hits.length) panel.showHits();
    else panel.showTiles();
    map.draw();
    gallery.show();
  }
  function showWords() {
    panel.showTable();
    panel.showTiles();
    gallery.show();
  }
  // Plays what was clicked last; answers to clicks before it are passed over.
  function present() {
    const [next, chosen] = [model.get("player"), model.get("chosen")];
    if (next === presented || (next.row ?? -1) !== chosen) return;
    presented = next;
    player.show();
    if (chosen === clicked) player.play();
    clicked = -1;
    if (playlist.isOn() && !next.source) playlist.step(1); // a film that has moved ends at once
  }
  function showStatus() {
    status.textContent = model.get("status");
    player.answered();
  }

  const [groupsSoon, hitsSoon] = [once(root, readGroups), once(root, showHits)];
  const on = {
    "change:points": () => {
      readPoints();
      readGroups(); // the clusters may be the same, their places not
      map.begin();
    },
    "change:groups": groupsSoon,
    "change:labels": groupsSoon,
    "change:codes": groupsSoon,
    "change:legend": groupsSoon,
    "change:shown": () => {
      readGroups();
      map.refit();
    },
    "change:player": present,
    "change:tiles": () => {
      if (presented === model.get("player")) player.answered();
      panel.showTiles();
      map.drawMarks();
    },
    "change:found": hitsSoon,
    "change:hits": hitsSoon,
    "change:picked": showPicked,
    "change:words": showWords,
    "change:measures": gallery.show,
    "change:ranges": showLegend,
    "change:chosen": () => {
      present();
      playlist.follow(model.get("chosen"));
      panel.showTable();
      panel.follow(model.get("chosen"));
      gallery.mark(model.get("chosen"));
      map.drawMarks();
    },
    "change:focus": map.draw,
    "change:status": showStatus,
    "msg:custom": stills.answer,
  };
  for (const name in on) {
    const act = on[name];
    on[name] = (...given) => keepingFocus(root, () => act(...given));
    model.on(name, on[name]);
  }
  readPoints();
  readGroups();
  player.show();
  presented = model.get("player");
  showHits();
  setMode("pan");
  showView("map");
  showStatus();
  const parts = [map, gallery, panel];
  for (const part of parts) part.start();
  const endTheme = onTheme(document.body, () => {
    map.draw();
    showLegend();
  });
  return () => {
    for (const part of parts) part.stop();
    endTheme();
    clearTimeout(timer);
    for (const name in on) model.off(name, on[name]);
  };
}

export default { render };
