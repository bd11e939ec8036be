/** Sets of classes. Rows share them: an example has the number of its set. */
import type { Label } from './vectors.js'

export class Sets {
  readonly #numbers = new Map<string, number>()

  /** @param all 1 for each class of a set, 0 for the others */
  constructor(
    readonly classes: number,
    readonly all: Uint8Array[] = [],
  ) {
    for (const [i, set] of all.entries()) this.#numbers.set(set.join(), i)
  }

  /** Numbers of the sets of rows. New sets are appended. @param classesOf each row */
  add(classesOf: readonly ArrayLike<number>[]): Int32Array {
    return Int32Array.from(classesOf, (classes) => {
      const set = new Uint8Array(this.classes)
      for (let k = 0; k < classes.length; k++) set[classes[k]] = 1
      return this.#numberOf(set)
    })
  }

  #numberOf(set: Uint8Array): number {
    const key = set.join()
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    this.#numbers.set(key, this.all.length)
    return this.all.push(set) - 1
  }

  /** The labels of a set. */
  labelsOf<L extends Label>(number: number, labels: readonly L[]): L[] {
    return labels.filter((_, c) => this.all[number][c] === 1)
  }

  /** Examples of each class. */
  counts(setOf: Int32Array): Int32Array {
    const counts = new Int32Array(this.classes)
    for (const number of setOf) for (let c = 0; c < this.classes; c++) counts[c] += this.all[number][c]
    return counts
  }

  /** A copy with the same numbers and more classes, which no set has. */
  widened(classes: number): Sets {
    const wide = this.all.map((set) => {
      const out = new Uint8Array(classes)
      out.set(set)
      return out
    })
    return new Sets(classes, wide)
  }

  /** Sets of some of the classes, and the new number for each old one. */
  only(kept: readonly number[]): { sets: Sets; setFor: (number: number) => number } {
    const sets = new Sets(kept.length)
    const numbers = this.all.map((set) => sets.#numberOf(Uint8Array.from(kept, (c) => set[c])))
    return { sets, setFor: (number) => numbers[number] }
  }
}
