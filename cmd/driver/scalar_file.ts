/** Scalar files, as the simulator OMNeT++ and its tools read them (reference/rsplib.md §5.4, §6.4). */

/**
 * The text of a scalar file: a run and its values, all of one object.
 *
 * @param objectName whose they are
 * @param prefix what all their names begin with
 * @param values names and numbers
 */
export function scalarText(
  objectName: string,
  prefix: string,
  values: readonly (readonly [name: string, value: string])[],
): string {
  const object = `"${objectName.replaceAll('"', "'")}"`;
  const names = values.map(([name]) => `"${prefix} ${name}"`);
  const width = Math.max(...names.map((name) => name.length));
  const lines = values.map(([, value], index) => `scalar ${object} ${names[index]!.padEnd(width)} ${value}`);
  return `run 1 "scenario"\n${lines.join("\n")}\n`;
}
