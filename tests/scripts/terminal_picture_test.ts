import assert from "node:assert/strict";
import { terminalPicture } from "../../scripts/tour/terminal_picture.ts";

const ESC = "\x1b";

/** The texts of a picture, with where they begin and what they look like; without its title. */
function textsOf(screen: string): { x: string; looks: string; text: string }[] {
  const [, ...texts] = terminalPicture(screen, "a title").matchAll(
    /<text x="([\d.]+)" y="[\d.]+"([^>]*)>([^<]*)<\/text>/g,
  );
  return texts.map(([, x = "", looks = "", text = ""]) => {
    return { x, looks: looks.replace(/ textLength="[\d.]+" lengthAdjust="\w+"/, ""), text };
  });
}

Deno.test("terminalPicture() puts words where their cells are, whatever spaces are between them", () => {
  assert.deepEqual(textsOf("PE $1    pc1\n  two words"), [
    { x: "14", looks: "", text: "PE $1" },
    { x: "89.6", looks: "", text: "pc1" },
    { x: "30.8", looks: "", text: "two words" },
  ]);
});

Deno.test("terminalPicture() knows colours and styles, and where they end", () => {
  const screen = `${ESC}[1m${ESC}[31mPR${ESC}[0m ${ESC}[2mdim${ESC}[22m ${ESC}[38;2;1;2;255mtrue${ESC}[39m ` +
    `${ESC}[38;5;196mred${ESC}[0m`;
  assert.deepEqual(textsOf(screen).map(({ looks, text }) => [text, looks]), [
    ["PR", ' fill="#ff7b72" font-weight="bold"'],
    ["dim", ' opacity="0.6"'],
    ["true", ' fill="#0102ff"'],
    ["red", ' fill="#ff0000"'],
  ]);
});

Deno.test("terminalPicture() paints behind inverse text, spaces too", () => {
  const picture = terminalPicture(`a ${ESC}[7m 90% ${ESC}[27m`, "");
  assert.match(picture, /<rect x="30.8" y="44" width="42" height="18" fill="#c9d1d9"\/>/);
  assert.match(picture, /fill="#0d1117">90%<\/text>/);
});

Deno.test("terminalPicture() shows markup as text", () => {
  const picture = terminalPicture('<script>&"</script>', "</text><script>");
  assert.doesNotMatch(picture, /<script>/);
  assert.match(picture, /&lt;script&gt;&amp;&quot;&lt;\/script&gt;/);
});
