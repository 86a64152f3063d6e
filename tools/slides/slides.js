// A slide that is too tall gets smaller pictures and smaller letters, until it fits.
const STEPS = [
  [32, 100],
  [32, 90],
  [30, 80],
  [28, 75],
  [26, 70],
  [24, 65],
  [24, 60],
  [22, 55],
  [22, 50],
  [20, 45],
  [20, 40],
  [18, 35],
];

function fit(slide) {
  for (const [letters, pictures] of STEPS) {
    slide.style.setProperty("--size", `${letters}px`);
    slide.style.setProperty("--wide", `${pictures}%`);
    if (slide.scrollHeight <= Reveal.getConfig().height + 1) return;
  }
}

Reveal.on("ready", ({ currentSlide }) => fit(currentSlide));
Reveal.on("slidechanged", ({ currentSlide }) => fit(currentSlide));
Reveal.initialize({ hash: true, slideNumber: "c/t", center: false, width: 1100, height: 660 });
