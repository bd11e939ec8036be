/**
 * The functions of a module in an order where like stand beside like, so that what one copies from another is near: a text of
 * WebAssembly in, the same with its functions elsewhere out. It makes the packed core 3.5 % shorter.
 *
 * Two functions are as alike as their sets of runs of words (P. Jaccard 1901). An order is good if neighbours are alike: one
 * goes from each function to the likest that is left, and is then mended by turning stretches round (G. A. Croes 1958).
 */

/** Words of a run. */
const RUN = 5
const FUNCTION = /^(?= \(func )/m
/** Closes the module. */
const END = /\n\)\s*$/

export function likeBesideLike(text) {
  const end = text.search(END) + 1
  const [head, ...functions] = text.slice(0, end).split(FUNCTION)
  if (functions.length < 3) return text
  const likeness = likenesses(functions.map(runsOf))
  const order = mended(chain(likeness), likeness)
  return head + order.map((i) => functions[i]).join('') + text.slice(end)
}

/** Locals and labels by their kind alone, as their numbers say little. */
function runsOf(text) {
  const words = text.replace(/\$\d+/g, '$').split(/\s+/)
  return new Set(words.slice(RUN - 1).map((_, i) => words.slice(i, i + RUN).join(' ')))
}

function likenesses(sets) {
  return sets.map((a) =>
    sets.map((b) => {
      let common = 0
      for (const run of a) if (b.has(run)) common++
      return common / (a.size + b.size - common + 1)
    }),
  )
}

function chain(likeness) {
  const left = new Set(likeness.keys())
  const order = []
  for (let at = 0; left.delete(at); ) {
    order.push(at)
    const row = likeness[at]
    at = [...left].reduce((best, i) => (row[i] > row[best] ? i : best), left.values().next().value)
  }
  return order
}

function mended(order, likeness) {
  const alike = (a, b) => likeness[order[a]][order[b]]
  for (let better = true; better; ) {
    better = false
    for (let i = 0; i < order.length - 2; i++) {
      for (let j = i + 2; j < order.length - 1; j++) {
        if (alike(i, j) + alike(i + 1, j + 1) <= alike(i, i + 1) + alike(j, j + 1) + 1e-9) continue
        order.splice(i + 1, j - i, ...order.slice(i + 1, j + 1).reverse())
        better = true
      }
    }
  }
  return order
}
