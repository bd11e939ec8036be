/** The data sets of `gradus/data` to choose from, with their options, for the worker and for copied programs. */
import { literal } from '../program'
import type { DataChoice } from './config'

type ToyChoice = Pick<DataChoice, 'kind' | 'count' | 'noise' | 'seed'>

/** The chosen noise, scaled for each set: noise that blurs moons a little would turn spirals into one cloud. */
export function toyOptions({ kind, count, noise, seed }: ToyChoice) {
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

/** The middle of the moons, which nets learn faster around 0. */
export const MIDDLE = [0.5, 0.25]

/** Lines of a program that make the set. */
export function toyLines(choice: ToyChoice): string[] {
  const { kind } = choice
  const centred = `data.inputs.forEach((x, i) => { data.inputs[i] = x - (i % 2 === 0 ? ${MIDDLE[0]} : ${MIDDLE[1]}) })`
  return [`const data = ${kind}(${literal(toyOptions(choice))})`, ...(kind === 'moons' ? [centred] : [])]
}
