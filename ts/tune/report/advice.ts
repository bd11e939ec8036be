/** Advice from a study, in sentences: parameters that mattered, those that did not, and the next things to try. */
import type { Block } from '../../report/blocks.js'
import { formatShare, formatNumber as number } from '../../report/format.js'
import { importance } from '../importance.js'
import type { Observation } from '../observations.js'
import { type Axis, describeRange, type Space } from '../space.js'
import type { Study } from '../study.js'

/** Least number of trials with a value that says something about importance. */
const LEAST = 20
/** A share below which a parameter hardly mattered. */
const HARDLY = 0.05
/** Share of a range: the best trials count as being at its end if they are this near. */
const EDGE = 0.08

/**
 * Parameters that mattered, those that did not, and the next things to try: a few sentences for people.
 * @example
 * const study = await createStudy({ space: { rate: float(1e-5, 1, { log: true }), dropout: float(0, 0.5) }, seed: 1 })
 * await study.optimize(({ rate, dropout }) => (Math.log10(rate) + 3) ** 2 + dropout / 100, { trials: 60 })
 * advice(study).startsWith('rate mattered most') // true
 */
export function advice<S extends Space>(study: Study<S>): string {
  return adviceLines(study).join(' ')
}

/** @internal {@link advice}, sentence by sentence; with the shares of parameters by functional ANOVA if a report has them already */
export function adviceLines<S extends Space>(study: Study<S>, shares?: Readonly<Record<string, number>>): string[] {
  if (study.directions.length > 1) return [frontAdvice(study)]
  const { axes, history } = study.observations
  const complete = history.ranked.filter(({ state, violation }) => state === 'complete' && violation === 0)
  if (complete.length === 0) return ['No trial is complete, so there is nothing to say yet.']
  const judged = judgedIn(study)
  if (judged < LEAST) return [`Only ${judged} trials have a value: run ${LEAST} or more to learn which parameters matter.`]
  const tenth = complete.slice(0, Math.max(3, Math.ceil(complete.length / 10)))
  const mattered = whatMattered(shares ?? importance(study, { evaluator: 'fanova' }))
  const saturation = saturated(study, tenth)
  if (saturation !== undefined) return [mattered, saturation]
  const best = tenth.map(({ point }) => point)
  return [mattered, ...axes.flatMap((axis, i) => edgeAdvice(axis, i, best)), ...next(study, axes, best)]
}

/** The message if the best trials cannot be distinguished, so that nothing follows from their parameters; else undefined. */
function saturated<S extends Space>(study: Study<S>, tenth: readonly Observation[]): string | undefined {
  const count = tenth.length
  const [first] = tenth
  if (tenth.every(({ losses }) => losses[0] === first.losses[0]))
    return `The best ${count} trials all have the value ${number(study.recordOf(first.number).value as number)}, so none of them is better than another: choose the simplest, or judge by more rows.`
  // the attribute of a tableObjective
  if (study.directions[0] === 'minimize' && tenth.every((trial) => study.recordOf(trial.number).attributes.accuracy === 1))
    return `The best ${count} trials have all held-out rows right: their losses are below what these rows can tell, so none of them is known to be better than another. Choose the simplest, or judge by more rows.`
  return undefined
}

/** @internal true if enough trials have a value, including pruned ones, to rank the parameters */
export function isJudged<S extends Space>(study: Study<S>): boolean {
  return judgedIn(study) >= LEAST
}

function judgedIn<S extends Space>(study: Study<S>): number {
  return study.observations.history.ranked.filter(({ state, stepLoss }) => state === 'complete' || Number.isFinite(stepLoss)).length
}

/** @internal the share of each parameter as a part of a report; empty if all are equal */
export function importanceBlock(shares: readonly (readonly [name: string, share: number])[]): Block {
  const isSaid = shares.length > 1 && shares[0][1] > 0
  const bars = isSaid ? shares.map(([name, value]) => ({ name, value, text: formatShare(value) })) : []
  return {
    kind: 'bars',
    title: 'What mattered',
    note: 'share of the differences that a parameter explains alone, by functional ANOVA',
    bars,
  }
}

function frontAdvice<S extends Space>(study: Study<S>): string {
  const { front } = study
  if (front.length === 0) return 'No trial is complete, so there is nothing to say yet.'
  const objectives = study.directions.map((_, i) => front.map(({ values }) => values[i]))
  const ranges = objectives.map((values, i) => `objective ${i + 1} from ${number(Math.min(...values))} to ${number(Math.max(...values))}`)
  return `${front.length} trials are on the front: ${ranges.join(', ')}. Choose by what a step on the front costs in the other objective.`
}

function whatMattered(shares: Readonly<Record<string, number>>): string {
  const entries = Object.entries(shares)
  const [[first, most], ...others] = entries
  if (most === 0) return 'No parameter mattered more than another.'
  const some = others.filter(([, share]) => share >= HARDLY).map(([name, share]) => `${name} (${formatShare(share)})`)
  const hardly = others.filter(([, share]) => share < HARDLY).map(([name]) => name)
  const then = some.length > 0 ? `, then ${list(some)}` : ''
  const least = hardly.length > 0 ? `; ${list(hardly)} hardly mattered` : ''
  return `${first} mattered most (${formatShare(most)})${then}${least}.`
}

/** The best trials of a parameter are at an end of its range: values beyond may be better. */
function edgeAdvice(axis: Axis, i: number, best: readonly Float64Array[]): string[] {
  if (axis.choices > 0 || axis.isSingle) return []
  const shares = best.map((point) => axis.share(point[i])).filter((share) => !Number.isNaN(share))
  if (shares.length < 3) return []
  const middle = median(shares)
  if (middle > EDGE && middle < 1 - EDGE) return []
  const end = middle <= EDGE ? 'lower' : 'upper'
  // a range that begins at 0 or 1 can usually not be extended
  if (end === 'lower' && axis.range.kind !== 'categorical' && [0, 1].includes(axis.range.low)) return []
  return [`The best values of ${axis.name} are at the ${end} end of ${describeRange(axis.range)}: try a range that goes on there.`]
}

function next<S extends Space>(study: Study<S>, axes: readonly Axis[], best: readonly Float64Array[]): string[] {
  const { bestTrial, trials } = study
  if (!bestTrial) return []
  const since = trials.length - 1 - bestTrial.number
  const narrow = axes.flatMap((axis, i) => {
    if (axis.choices > 0 || axis.isSingle) return []
    const shares = best.map((point) => axis.share(point[i])).filter((share) => !Number.isNaN(share))
    const [low, high] = [Math.min(...shares), Math.max(...shares)]
    const isNarrow = shares.length > 2 && high - low > 1e-3 && high - low < 0.5 && low > EDGE && high < 1 - EDGE
    return isNarrow
      ? [`${axis.name} from ${number(axis.value(axis.at(low)) as number)} to ${number(axis.value(axis.at(high)) as number)}`]
      : []
  })
  const where = narrow.length > 0 ? `, with ${list(narrow.slice(0, 3))}, where the best tenth is` : ''
  if (since > Math.max(20, trials.length / 2))
    return [`The best is trial ${bestTrial.number}, and ${since} since then were no better: more of the same will bring little.`]
  if (where === '') return ['Next: more trials of the same space.']
  return [`Next: more trials${where}.`]
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
}

function list(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`
}
