// The player: what is clicked plays from its first second, and again from there.

import { make, makeButton } from "./dom.js";

// The second at which a source ends, by its fragment "#t=6,12"; none is the end of the file.
export const endOf = (source) => Number(/#t=[\d.]+,([\d.]+)$/.exec(source)?.[1] ?? Number.POSITIVE_INFINITY);

// `similar()` is called for the button below the player.
export function makePlayer(model, parent, { similar }) {
  const figure = make("figure", "", undefined, parent);
  const screen = make("div", "screen", undefined, figure);
  const hint = make("p", "", undefined, screen);
  const video = make("video", "", undefined, screen);
  video.controls = true;
  video.playsInline = true;
  video.preload = "metadata";
  const caption = make("figcaption", "", undefined, figure);

  function show() {
    const player = model.get("player");
    caption.replaceChildren();
    video.hidden = !player.source;
    if (player.source) {
      video.src = player.source;
      video.setAttribute("aria-label", player.caption);
    } else {
      video.removeAttribute("src");
      video.load();
    }
    showHint(player.problem || (player.source ? "" : "Click a point: it plays here."), !!player.problem);
    make("b", "", player.caption || "", caption);
    if (player.caption) {
      const more = make("div", "more", undefined, caption);
      makeButton("Replay", "from the moment's start", replay, more);
      makeButton("Similar to this", "search for what is similar (s)", similar, more);
    }
    if (player.words) make("div", "words", player.words, caption);
    if (player.credit) make("small", "", player.credit, caption);
  }
  function replay() {
    if (!video.getAttribute("src")) return;
    video.src = model.get("player").source;
    play();
  }
  // A browser that forbids it shows the first frame, with its own button to play.
  function play() {
    if (video.getAttribute("src")) video.play()?.catch(() => {});
  }
  function toggle() {
    if (!video.paused) return video.pause();
    if (video.ended || video.currentTime >= endOf(video.src) - 0.1) replay();
    else play();
  }
  function showHint(words, alarm) {
    hint.textContent = words;
    hint.hidden = !words;
    if (alarm) hint.setAttribute("role", "alert");
    else hint.removeAttribute("role");
  }
  video.addEventListener("error", () => {
    if (!video.getAttribute("src")) return;
    video.hidden = true;
    showHint("The browser cannot play this film: try to convert it to MP4 (H.264).", true);
  });
  return {
    show,
    replay,
    toggle,
    showAndPlay: () => {
      show();
      play();
    },
  };
}
