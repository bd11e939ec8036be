/**
 * The order of a tile's loop (crate/gemm/tile.rs). LLVM loads all floats of A before it multiplies, and a tile would want
 * more registers than there are: V8, which keeps the order of the bytes, spilled a third of the sums of six rows at each step. Here a row's float
 * is loaded just before the multiply-adds that it is for, as the source has it: loads of B, then row after row.
 *
 * Rows and columns of a loop are read off its text; a loop of any other form stays as it is.
 */

/** An innermost loop: its label, its statements, and what repeats it. */
const LOOP = /\(loop (\$\S+)\n((?:(?!.*\((?:loop|func|block|if|call)\b)[^\n]*\n)*?)(\s*\(br_if \1)/g
const SUM = /^\(local\.set (\$\d+) (\(f32x4\.(?:relaxed_madd|add) .*\))\)$/

/** The module's text with each tile's loop in order, and how many loops that were. */
export function inOrder(text) {
  let count = 0
  const ordered = text.replace(LOOP, (whole, label, body, repeat) => {
    const statements = orderOf(terms(body.replace(/\s+/g, ' ')))
    if (statements === undefined) return whole
    count++
    return `(loop ${label}\n${statements.join('\n')}\n${repeat}`
  })
  return { ordered, count }
}

/**
 * Loads of B, then of each row its load and its sums, then what is left: steps of addresses. Undefined where that is not all, or where
 * something but sums decides what is loaded.
 */
function orderOf(statements) {
  const sums = []
  const loads = new Map()
  const count = statements.findIndex((statement) => !SUM.test(statement))
  for (const statement of statements.slice(0, count)) {
    const [, sum, value] = SUM.exec(statement)
    const factors = factorsOf(value, sum)
    if (!factors) return undefined
    for (const [name, load] of factors) {
      if (load && (loads.has(name) || load.includes('local.tee'))) return undefined
      if (load) loads.set(name, load)
    }
    sums.push({ sum, factors: factors.map(([name]) => name), fused: value.includes('relaxed_madd') })
  }
  const rows = byOffset([...loads].filter(([, load]) => load.includes('splat')))
  const columns = byOffset([...loads].filter(([, load]) => !load.includes('splat')))
  if (rows.length * columns.length !== sums.length || rows.length < 2 || columns.length < 2) return undefined
  const set = ([name, load]) => `(local.set ${name} ${load})`
  const add = (a, b) => {
    const { sum, fused } = sums.find(({ factors }) => factors.includes(a) && factors.includes(b))
    const [x, y, z] = [a, b, sum].map((name) => `(local.get ${name})`)
    return `(local.set ${sum} ${fused ? `(f32x4.relaxed_madd ${x} ${y} ${z})` : `(f32x4.add (f32x4.mul ${x} ${y}) ${z})`})`
  }
  const rowOf = (row) => [set(row), ...columns.map(([b]) => add(row[0], b))]
  return [...columns.map(set), ...rows.flatMap(rowOf), ...statements.slice(count)]
}

/** Of sum + a·b: the locals of a and b, with what is loaded into them here. */
function factorsOf(value, sum) {
  const [first, second, third] = terms(value.slice(value.indexOf(' '), -1))
  const fused = value.startsWith('(f32x4.relaxed_madd')
  if ((fused ? third : second) !== `(local.get ${sum})`) return undefined
  const pair = fused ? [first, second] : first.startsWith('(f32x4.mul ') ? terms(first.slice(10, -1)) : []
  const factors = pair.map((term) => /^\(local\.(?:get (\$\d+)|tee (\$\d+) (\(v128\.load.*\)) ?)\)$/.exec(term))
  if (factors.length !== 2 || factors.includes(null)) return undefined
  return factors.map(([, got, set, load]) => [got ?? set, load])
}

/** By the offset of the load; those without one in the order in which they came. */
function byOffset(loads) {
  const offset = ([, load]) => Number(/offset=(\d+)/.exec(load)?.[1] ?? 0)
  return loads.sort((a, b) => offset(a) - offset(b))
}

/** The terms in brackets of a line. */
function terms(line) {
  const found = []
  let [depth, start] = [0, 0]
  for (let i = 0; i < line.length; i++) {
    if (line[i] === '(' && depth++ === 0) start = i
    if (line[i] === ')' && --depth === 0) found.push(line.slice(start, i + 1).replace(/ \)/g, ')'))
  }
  return found
}
