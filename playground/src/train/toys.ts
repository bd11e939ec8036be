/** The sets of `gradus/data` that one can choose, and what they are made with, in the worker and in programs that people copy. */
import type { DataChoice } from './config'

export type Toy = 'moons' | 'circles' | 'spirals' | 'blobs' | 'xor'

/** The noise that one chooses, as each set takes it: what blurs moons a little would make spirals one cloud. */
export function toyOptions({ kind, count, noise, seed }: Pick<DataChoice, 'kind' | 'count' | 'noise' | 'seed'>) {
  switch (kind) {
    case 'spirals':
      return { count, noise: noise / 4, classes: 2, turns: 1, seed }
    case 'blobs':
      return { count, classes: 3, spread: 0.15 + 0.75 * noise, range: 0.8, seed }
    case 'circles':
      return { count, noise, factor: 0.4, seed }
    default:
      return { count, noise, seed }
  }
}
