/** Targets that are lists of labels, `red;round` or `["red","round"]`: each list would be a class of its own. */

/** Separators of labels in a cell. */
const SEPARATORS = [';', '|', ',']

/**
 * The labels of which the classes are lists; undefined if the classes look like names of their own: lists have fewer different labels than there are
 * lists, and a label is in two lists at least, except for a few.
 */
export function labelsIn(classNames: readonly string[]): string[] | undefined {
  for (const separator of SEPARATORS) {
    if (!classNames.some((name) => name.includes(separator))) continue
    const lists = classNames.map((name) =>
      name
        .replace(/^\[(.*)\]$/s, '$1')
        .split(separator)
        .map(plain),
    )
    const counts = new Map<string, number>()
    for (const label of lists.flat()) counts.set(label, (counts.get(label) ?? 0) + 1)
    const shared = [...counts.values()].filter((count) => count > 1).length
    const areWhole = lists.every((list) => list.every((label) => label !== '') && new Set(list).size === list.length)
    if (areWhole && counts.size < classNames.length && shared >= 0.8 * counts.size) return [...counts.keys()].sort()
  }
  return undefined
}

/** A label without spaces and quotes around it. */
function plain(label: string): string {
  return label.trim().replace(/^(["'])(.*)\1$/, '$2')
}
