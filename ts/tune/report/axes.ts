/** Axes of the pictures of a study. @internal */
import { type Axis, axisOf, categoryAxis, isShown, rangeOf } from '../../plot/scale.js'
import { formatNumber } from '../../report/format.js'
import { type Choice, type Params, rangeOf as rangeOfParameter, type Space, type Axis as SpaceAxis } from '../space.js'

const MARGIN = 0.04

/** An axis for numbers. */
export function numberAxis(values: readonly number[], from: number, to: number, whole = false): Axis {
  return axisOf(rangeOf([values]), { from, to, margin: MARGIN, spacing: 40, whole, text: formatNumber })
}

/** An axis for losses: logarithmic if they span powers of ten, with 0 at the lower end; otherwise an axis that no single bad value can stretch. */
export function lossAxis(values: readonly number[], from: number, to: number): Axis {
  const finite = values.filter((value) => isShown(value)).sort((a, b) => a - b)
  const positive = finite.filter((value) => value > 0)
  const log = positive.length >= 3 && finite[0] >= 0 && positive[positive.length - 1] / positive[0] >= 10
  // a trial that went wrong would squeeze all others together
  const cut = finite[Math.floor(0.95 * (finite.length - 1))]
  const usual = log ? positive : finite.filter((value) => value <= cut + 2 * (cut - finite[0]))
  const axis = axisOf(rangeOf([usual]), { from, to, log, margin: MARGIN, spacing: 40, text: formatNumber })
  const [first, last] = [Math.min(from, to), Math.max(from, to)]
  return { ...axis, place: (value) => (log && value <= 0 ? from : Math.min(last, Math.max(first, axis.place(value)))) }
}

/** The axis of a parameter: its range, logarithmic if the range is. Positions are given as {@link SpaceAxis.coordinate coordinates}. */
export function parameterAxis({ parameter }: SpaceAxis, from: number, to: number): Axis {
  const range = rangeOfParameter(parameter)
  if (range.kind === 'categorical') return categoryAxis(range.choices.map(shown), from, to)
  const { log, low, high, kind } = range
  const axis = axisOf([low, high], { from, to, log, margin: MARGIN, spacing: 40, whole: kind === 'int', text: formatNumber })
  return log ? { ...axis, place: (coordinate) => axis.place(Math.exp(coordinate)) } : axis
}

/** A value of a parameter as people read it. */
export function shown(value: Choice | undefined): string {
  return typeof value === 'number' ? formatNumber(value) : String(value)
}

/** `learningRate 0.0031, width 64` */
export function paramsText(params: Readonly<Params<Space>>): string {
  return Object.entries(params)
    .map(([name, value]) => `${name} ${shown(value as Choice)}`)
    .join(', ')
}
