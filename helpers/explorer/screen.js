// One video at its moment, with its words below.

import { make } from "./dom.js";

const NEAR = 0.1; // seconds from its end at which a moment is over
const PAST = 0.6; // seconds behind its end up to which it has just ended; further on somebody has moved there

// The second at which a source ends, by its fragment "#t=6,12"; none is the end of the file.
export const endOf = (source) => Number(/#t=[\d.]+,([\d.]+)$/.exec(source)?.[1] ?? Number.POSITIVE_INFINITY);

// `over()` is called once when the moment has been played to its end.
export function makeScreen(parent, { over }) {
  const figure = make("figure", "", undefined, parent);
  const place = make("div", "screen", undefined, figure);
  const hint = make("p", "", undefined, place);
  const video = make("video", "", undefined, place);
  video.controls = true;
  video.playsInline = true;
  video.preload = "metadata";
  const caption = make("figcaption", "", undefined, figure);
  let moment = {};
  let told = false; // that it is over
  // Says that something is on its way: the kernel may have to cut a clip first.
  const wait = (busy) => figure.setAttribute("aria-busy", String(busy));

  // What was asked for has been answered, also where the answer is that it cannot be had.
  const answered = () => wait(!video.hidden && video.readyState < HTMLMediaElement.HAVE_METADATA);

  // `buttons` stand below the title.
  function show(given, buttons) {
    moment = given;
    told = false;
    caption.replaceChildren();
    video.hidden = !moment.source;
    wait(!!moment.source);
    if (moment.source) {
      video.src = moment.source;
      video.setAttribute("aria-label", moment.caption);
    } else {
      video.removeAttribute("src");
      video.load();
    }
    showHint(moment.problem || (moment.source ? "" : "Click a point: it plays here."), !!moment.problem);
    make("b", "", moment.caption || "", caption);
    if (moment.caption) caption.append(buttons);
    if (moment.words) make("div", "words", moment.words, caption);
    if (moment.credit) make("small", "", moment.credit, caption);
  }
  function replay() {
    if (!video.getAttribute("src")) return;
    told = false;
    video.src = moment.source;
    play();
  }
  // A browser that forbids it shows the first frame, with its own button to play.
  function play() {
    if (video.getAttribute("src")) video.play()?.catch(() => {});
  }
  const isOver = () => video.ended || video.currentTime >= endOf(video.src) - NEAR;
  function toggle() {
    if (!video.paused) return video.pause();
    if (isOver()) replay();
    else play();
  }
  function showHint(words, alarm) {
    hint.textContent = words;
    hint.hidden = !words;
    if (alarm) hint.setAttribute("role", "alert");
    else hint.removeAttribute("role");
  }
  function tell() {
    if (told || !isOver() || video.currentTime > endOf(video.src) + PAST) return;
    told = true;
    over();
  }
  for (const name of ["timeupdate", "pause", "ended"]) video.addEventListener(name, tell);
  video.addEventListener("loadedmetadata", () => wait(false));
  video.addEventListener("error", () => {
    wait(false);
    if (!video.getAttribute("src")) return;
    video.hidden = true;
    showHint("The browser cannot play this film: try to convert it to MP4 (H.264).", true);
  });
  return { figure, show, wait, answered, play, replay, toggle, moment: () => moment };
}
