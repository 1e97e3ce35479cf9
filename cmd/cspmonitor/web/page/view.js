// @ts-check
/** What of a scene is seen, and how it is looked at. */

/** @typedef {import("./camera.js").Camera} Camera */
/** @typedef {import("./layout.js").Layout} Layout */
/** @typedef {import("./layout.js").Node} Node */
/** @typedef {import("./palette.js").Palette} Palette */

/**
 * What is to be seen of a scene.
 *
 * @typedef {object} View
 * @property {Layout} layout
 * @property {Camera} camera
 * @property {Palette} palette
 * @property {string | undefined} selected
 * @property {string | undefined} hovered
 * @property {string | undefined} focused whom the keyboard is at
 * @property {((id: string) => boolean) | undefined} isWanted by the filter
 */

/** What is not wanted, or has nothing to do with what is selected. */
export const PALE = 0.22;

/**
 * Whom to draw in full: all, or whom the filter wants, and who is selected with whoever it has to do with. Whoever is found by
 * the filter and then selected is seen with its neighbours; whoever is looked for beside somebody selected is found.
 *
 * @param {View} view
 * @returns {(node: Node) => boolean}
 */
export function nearness({ layout, selected, isWanted }) {
  const centre = selected === undefined ? undefined : layout.nodes.get(selected);
  if (centre === undefined) return ({ fact }) => isWanted?.(fact.id) ?? true;
  const near = new Set([centre]);
  for (const { from, to } of layout.links) {
    if (from === centre) near.add(to);
    if (to === centre) near.add(from);
  }
  return (node) => near.has(node) || isWanted?.(node.fact.id) === true;
}
