import assert from "node:assert/strict";
import test from "node:test";
import { contrast, inksOf, seenOn } from "../../helpers/explorer/theme.js";

const [light, dark] = ["true", "false"].map((jpThemeLight) => inksOf({ dataset: { jpThemeLight } }));

test("the contrast of two colours is that of WCAG", () => {
  assert.equal(contrast("#000000", "#ffffff"), 21);
  assert.equal(contrast("#777777", "#ffffff").toFixed(2), "4.48");
});

test("every colour of a cluster is seen on dark paper, and one that is seen stays as it is", () => {
  const colours = "#0072B2 #E69F00 #009E73 #D55E00 #CC79A7 #56B4E9 #F0E442 #000000 #8c8c8c".split(" ");
  for (const colour of colours) assert.ok(contrast(seenOn(colour, dark), dark.paper) >= 3, colour);
  assert.equal(seenOn("#E69F00", dark), "#E69F00");
  assert.deepEqual(
    colours.map((colour) => seenOn(colour, light)),
    colours,
  );
});
