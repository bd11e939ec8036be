/** The function table of a module, by which WebAssembly calls kernels by their numbers (crate/abi/program.rs). */
const known = new WeakMap<WebAssembly.Table, Map<unknown, number>>()

function numbersIn(table: WebAssembly.Table): Map<unknown, number> {
  let numbers = known.get(table)
  if (numbers === undefined) known.set(table, (numbers = new Map()))
  return numbers
}

/** The index of an export in the table; on first use it is put there. @throws TypeError for a function that is not an export of WebAssembly */
export function tableIndexOf(table: WebAssembly.Table, kernel: unknown): number {
  const numbers = numbersIn(table)
  let index = numbers.get(kernel)
  if (index === undefined) {
    index = table.grow(1)
    table.set(index, kernel)
    numbers.set(kernel, index)
  }
  return index
}

/** Puts all functions among the exports of an instance into the table, in their order from `first` on: each thread has them at the same places. */
export function fillTable(table: WebAssembly.Table, exports: readonly unknown[], first: number): void {
  const numbers = numbersIn(table)
  table.grow(Math.max(0, first + exports.length - table.length))
  exports.forEach((kernel, i) => {
    if (typeof kernel !== 'function') return
    table.set(first + i, kernel)
    numbers.set(kernel, first + i)
  })
}
