import { clock } from "./clock.js";

// What the slider says at a second: the time, and the score of the clip there if there is one.
export function wordsAt(clips, second) {
  const clip = clips.find(([start, end]) => start <= second && second < end);
  return clock(second) + (clip ? `, score ${clip[2].toFixed(3)}` : "");
}

// The picture of `plot_curve` with an invisible slider of the browser over its axes: clicks, drags, touch, the
// keyboard and screen readers work as they do with every slider, and its handle is the line at the playing second.
function render({ model, el }) {
  el.innerHTML = `<div class="curve-player">
    <div><div class="plot"><img><input type="range" step="1" min="0"></div>
      <div class="moments"></div></div>
    <figure><video controls preload="metadata"></video>
      <figcaption><output></output><br><small></small></figcaption></figure></div>`;
  const [img, range, video, output, list] = ["img", "input", "video", "output", ".moments"].map((name) =>
    el.querySelector(name),
  );
  const page = model.get("page"),
    [left, right, top, bottom] = page.axes;
  img.src = page.picture;
  img.alt = page.words;
  el.querySelector("small").textContent = page.credit;
  range.max = Math.floor(page.duration);
  range.setAttribute("aria-label", "second of the film");
  // The handle is 2 px wide, and its middle stands for the value.
  range.style.left = `calc(${100 * left}% - 1px)`;
  range.style.width = `calc(${(100 * (right - left) * range.max) / page.duration}% + 2px)`;
  range.style.top = `${100 * top}%`;
  range.style.height = `${100 * (bottom - top)}%`;

  function showTime(second) {
    const words = wordsAt(page.clips, second);
    range.value = second;
    range.setAttribute("aria-valuetext", words);
    output.textContent = model.get("problem") || words;
  }
  function seek() {
    video.currentTime = Math.max(0, model.get("position") - model.get("offset"));
    showTime(model.get("position"));
  }
  function load() {
    video.hidden = !model.get("source");
    video.src = model.get("source");
    seek();
  }
  function ask(t) {
    model.set("position", t);
    model.save_changes();
    seek(); // also to the second that was asked for last
  }
  range.addEventListener("input", () => showTime(+range.value));
  range.addEventListener("change", () => ask(+range.value));
  video.addEventListener("timeupdate", () => {
    if (!video.seeking && !range.matches(":active")) showTime(video.currentTime + model.get("offset"));
  });
  for (const [words, start] of page.moments) {
    const button = document.createElement("button");
    button.className = "jupyter-button";
    button.textContent = words;
    button.addEventListener("click", () => ask(start));
    list.append(button);
  }
  model.on("change:source", load);
  model.on("change:position", seek);
  model.on("change:problem", seek);
  for (const part of el.querySelectorAll("input, video, button")) part.dataset.lmSuppressShortcuts = "true"; // their keys are theirs, not the notebook's
  video.poster = model.get("poster");
  load();
}
export default { render };
