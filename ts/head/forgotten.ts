/** Reading of what a head forgets. */
import { rangeError, typeError } from '../common/errors.js'
import { checkValue } from '../common/options.js'
import { show, showNames } from '../common/show.js'
import type { Label } from './vectors.js'

/** A class by its number, or an example by its index; the other one is −1. */
export interface Forgotten {
  dropped: number
  index: number
}

/**
 * @param what the argument of `forget`
 * @param examples number of examples
 * @throws TypeError, RangeError for a label or index that the head does not have
 */
export function readForgotten<L extends Label>(what: unknown, labels: readonly L[], examples: number): Forgotten {
  const { label, index } = Object(what) as { label?: L; index?: number }
  if ((label === undefined) === (index === undefined)) throw typeError(`forget: wants { label } or { index }, got ${show(what)}`)
  if (label === undefined) {
    checkValue('forget: index', index, { min: 0, max: examples - 1, whole: true })
    return { dropped: -1, index: index as number }
  }
  const dropped = labels.indexOf(label)
  if (dropped < 0) throw rangeError(`forget: label wants one of ${showNames(labels.map(String))}, got ${show(label)}`)
  return { dropped, index: -1 }
}
