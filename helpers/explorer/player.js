// The player: what is clicked plays from its first second, and again from there; beside it one to compare with.

import { make, makeButton } from "./dom.js";
import { makeScreen } from "./screen.js";

// `similar()` and `unlike()` are called for the buttons below the player, `over()` when a moment has been played.
export function makePlayer(model, parent, { similar, unlike, over }) {
  const pair = make("div", "players", undefined, parent);
  const main = makeScreen(pair, { over });
  let beside = null;

  function buttons() {
    const line = make("div", "more");
    makeButton("Replay", "from the moment's start", main.replay, line);
    if (beside) makeButton("Play both", "both from their start", both, line);
    makeButton("Compare", "keep it beside what is clicked next (c)", compare, line);
    makeButton("Similar to this", "search for what is similar (s)", similar, line);
    makeButton("Not this", "search again for what is less like this", unlike, line);
    return line;
  }
  const show = () => main.show(model.get("player"), buttons());
  // Keeps what plays in a second player; what is clicked next plays beside it.
  function compare() {
    const moment = main.moment();
    if (!moment.source) return;
    beside ??= makeScreen(pair, { over: () => {} });
    const line = make("div", "more");
    makeButton("Replay", "from the moment's start", beside.replay, line);
    makeButton("Close", "one player again", close, line);
    beside.show(moment, line);
    main.figure.querySelector(".more")?.replaceWith(buttons());
  }
  function close() {
    beside?.figure.remove();
    beside = null;
    main.figure.querySelector(".more")?.replaceWith(buttons());
  }
  function both() {
    beside?.replay();
    main.replay();
  }
  return { ...main, show, compare: () => (beside ? close() : compare()) };
}
