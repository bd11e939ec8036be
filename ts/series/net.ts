/**
 * One dense net for all series: it sees the last values of a series, less their mean and divided by their spread (reversible instance normalization,
 * Kim et al. 2022), with the place in the season, known columns and static columns, and says how all values of the horizon differ from the last season.
 * A net without hidden layers is an NLinear (Zeng et al. 2023), one with a hidden layer a small TiDE (Das et al. 2023).
 */
import { AdamW, Dense, fitMany, mae, type SavedValues, Sequential, schedules, tensor } from '../index.js'
import { type Calendar, timeAt } from './calendar.js'
import type { Series } from './read-series.js'

/** Everything about inputs that does not depend on the series. */
export interface NetPlan {
  /** Values that the net sees. */
  readonly lookback: number
  readonly horizon: number
  /** Season of the values that it starts from; 1 starts from the last value. */
  readonly season: number
  /** A longer season, whose values are inputs too; 1 is none. */
  readonly longer: number
  /** Mean and deviation of each known column. */
  readonly known: readonly (readonly [mean: number, deviation: number])[]
  /** Values of each static column: the inputs are 1 for the value of the series. */
  readonly fixed: readonly (readonly string[])[]
}

/** A trained net: several that differ by their seed, whose outputs are averaged. */
export interface Net {
  readonly plan: NetPlan
  readonly members: readonly Sequential[]
}

/** Static columns with more values than this share inputs for the rest. */
const MAX_VALUES = 50
const LONGEST_LOOKBACK = 400
/** Fewer examples train no net: on public sets it is worse than the classics there, and takes weight from them (docs/design/tried.md). */
const FEWEST_EXAMPLES = 500
/** Likewise with known columns, which nets alone see. */
const FEWEST_WITH_KNOWN = 40
const MAX_EXAMPLES = 40_000
const HIDDEN = 64
const MEMBERS = 4
const LEARNING_RATE = 0.002
/** A training that begins at the weights of another takes this share of the epochs, and of the learning rate. */
const [SHARE_OF_EPOCHS, SHARE_OF_RATE] = [0.25, 0.5]
const HARMONICS = [1, 2, 3]
/** A spread below this share of the mean counts as this, so that constants stay constants. */
const MIN_SPREAD = 1e-6

/** The inputs that suit series of these lengths; null if they are too short for a net. */
export function planNet(
  series: readonly Series[],
  lengths: readonly number[],
  horizon: number,
  [season, longer]: readonly [number, number],
): NetPlan | null {
  const middle = [...lengths].sort((a, b) => a - b)[Math.floor(lengths.length / 2)]
  const wanted = season > 1 ? Math.max(2 * season, Math.min(horizon, 2 * LONGEST_LOOKBACK)) : Math.min(48, Math.max(6, 2 * horizon))
  const lookback = Math.min(LONGEST_LOOKBACK, wanted, Math.floor((middle - horizon) / 2))
  if (lookback < Math.max(2, season)) return null
  const known = (series[0]?.known ?? []).map((_, k) => {
    const values = series.flatMap((own, i) => [...own.known[k].subarray(0, lengths[i])])
    const mean = values.reduce((a, b) => a + b, 0) / values.length
    return [mean, Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length) || 1] as const
  })
  const fixed = (series[0]?.fixed ?? []).map((_, k) => [...new Set(series.map((own) => own.fixed[k]))].sort().slice(0, MAX_VALUES))
  return { lookback, horizon, season, longer: longer + horizon <= middle / 2 ? longer : 1, known, fixed }
}

function widthOf({ lookback, horizon, season, longer, known, fixed }: NetPlan): number {
  const seasons = [season, longer].filter((places) => places > 1).length
  const values = fixed.reduce((sum, values) => sum + values.length, 0)
  return lookback + (longer > 1 ? horizon : 0) + 2 * HARMONICS.length * (seasons + 1) + 2 * known.length * horizon + values
}

/** The first origin from which a net can see a series. */
function firstOrigin({ lookback, season, longer }: NetPlan): number {
  return Math.max(lookback, season, longer)
}

/** What outputs are added to, and the spread that they are multiplied by. */
interface Frame {
  spread: number
  base(h: number): number
}

/** Writes the inputs at an origin. */
function writeInputs(plan: NetPlan, calendar: Calendar, own: Series, origin: number, out: Float32Array, start: number): Frame {
  const { lookback, horizon, season, longer, known, fixed } = plan
  const { values } = own
  const from = origin - lookback
  let mean = 0
  for (let i = from; i < origin; i++) mean += values[i]
  mean /= lookback
  let spread = 0
  for (let i = from; i < origin; i++) spread += Math.abs(values[i] - mean)
  spread = Math.max(spread / lookback, MIN_SPREAD * Math.abs(mean), Number.MIN_VALUE * 1e30)
  let at = start
  for (let i = from; i < origin; i++) out[at++] = (values[i] - mean) / spread
  if (longer > 1) for (let h = 0; h < horizon; h++) out[at++] = (values[origin - longer + (h % longer)] - mean) / spread
  const place = own.start + origin
  const turn = (angle: number) => {
    for (const k of HARMONICS) {
      out[at++] = Math.sin(k * angle)
      out[at++] = Math.cos(k * angle)
    }
  }
  for (const places of [season, longer]) if (places > 1) turn((2 * Math.PI * (((place % places) + places) % places)) / places)
  turn(calendar.kind === 'number' ? 0 : 2 * Math.PI * (timeAt(calendar, place) / (365.2425 * 864e5)))
  for (const [k, [middle, deviation]] of known.entries())
    for (const shift of [0, -Math.min(origin, Math.max(season, 1))])
      for (let h = 0; h < horizon; h++) {
        const value = own.known[k][origin + (shift === 0 ? h : shift + (h % -shift))]
        out[at++] = value === undefined ? 0 : (value - middle) / deviation
      }
  for (const [k, names] of fixed.entries()) for (const name of names) out[at++] = Number(own.fixed[k] === name)
  return { spread, base: (h) => values[origin - season + (h % season)] }
}

/**
 * Trains a net on the first values of each series.
 * @param lengths of the values that may be seen
 * @param options `from` is a net of fewer values, at whose weights the training begins
 * @returns null if there are too few examples
 */
export async function trainNet(
  plan: NetPlan,
  calendar: Calendar,
  series: readonly Series[],
  lengths: readonly number[],
  { seed, signal, from }: { seed: number; signal?: AbortSignal | undefined; from?: Net },
): Promise<Net | null> {
  const { horizon } = plan
  const all: [series: number, origin: number][] = []
  for (const [s, own] of series.entries())
    for (let origin = firstOrigin(plan); origin + horizon <= lengths[s]; origin++)
      if (!own.gaps.subarray(origin, origin + horizon).includes(1)) all.push([s, origin])
  if (all.length < (plan.known.length > 0 ? FEWEST_WITH_KNOWN : FEWEST_EXAMPLES)) return null
  const stride = Math.max(1, all.length / MAX_EXAMPLES)
  const examples = Array.from({ length: Math.floor(all.length / stride) }, (_, i) => all[Math.floor(i * stride)])
  const width = widthOf(plan)
  const inputs = new Float32Array(examples.length * width)
  const targets = new Float32Array(examples.length * horizon)
  for (const [i, [s, origin]] of examples.entries()) {
    const { spread, base } = writeInputs(plan, calendar, series[s], origin, inputs, i * width)
    // a jump would outweigh all other examples
    for (let h = 0; h < horizon; h++)
      targets[i * horizon + h] = Math.max(-10, Math.min(10, (series[s].values[origin + h] - base(h)) / spread))
  }
  const batchSize = examples.length < 2000 ? 32 : examples.length < 10_000 ? 64 : 256
  const whole = Math.max(4, Math.min(60, Math.round((1500 * batchSize) / examples.length)))
  const epochs = from ? Math.ceil(SHARE_OF_EPOCHS * whole) : whole
  const members = Array.from({ length: MEMBERS }, (_, i) => {
    const net = makeNet(width, horizon, seed + i)
    return from ? net.loadState(from.members[i].state()) : net
  })
  const learningRate = from ? SHARE_OF_RATE * LEARNING_RATE : LEARNING_RATE
  const steps = epochs * Math.ceil(examples.length / batchSize)
  await fitMany(members, {
    inputs: tensor(inputs, [examples.length, width]),
    targets: tensor(targets, [examples.length, horizon]),
    loss: mae,
    optimizers: members.map((net) => new AdamW(net.parameters(), { learningRate, weightDecay: 0.05 })),
    schedule: schedules.oneCycle(learningRate, { steps }),
    ...{ batchSize, epochs, seed },
    ...(signal && { signal }),
  })
  return { plan, members }
}

/** A net whose outputs are 0 before it is trained: it begins as the last season again. */
function makeNet(width: number, horizon: number, seed: number): Sequential {
  const last = new Dense(HIDDEN, horizon)
  const net = new Sequential([new Dense(width, HIDDEN, { activation: 'silu' }), last], { seed })
  net.build()
  last.weight.assign(new Float32Array(last.weight.size))
  return net
}

/** Rows that are predicted at once. */
const PART = 4096

/**
 * Forecasts of series after their origins, for each series row-major [origins, horizon]; NaN before {@link firstOrigin}.
 */
export function netForecasts(
  { plan, members }: Net,
  calendar: Calendar,
  series: readonly Series[],
  origins: readonly (readonly number[])[],
): Float64Array[] {
  const { horizon } = plan
  const width = widthOf(plan)
  const out = origins.map((own) => new Float64Array(own.length * horizon).fill(Number.NaN))
  const places = origins.flatMap((own, s) => own.flatMap((origin, k) => (origin >= firstOrigin(plan) ? [[s, origin, k] as const] : [])))
  for (let from = 0; from < places.length; from += PART) {
    const part = places.slice(from, from + PART)
    const inputs = new Float32Array(part.length * width)
    const frames = part.map(([s, origin], i) => writeInputs(plan, calendar, series[s], origin, inputs, i * width))
    const outputs = members.map((net) => net.predict(tensor(inputs, [part.length, width])).data())
    for (const [i, [s, , k]] of part.entries())
      for (let h = 0; h < horizon; h++) {
        const mean = outputs.reduce((sum, values) => sum + values[i * horizon + h], 0) / outputs.length
        out[s][k * horizon + h] = frames[i].base(h) + frames[i].spread * mean
      }
  }
  return out
}

/** Values of a net in a file. */
export type SavedNet = Pick<Net, 'plan'> & { states: readonly Readonly<Record<string, SavedValues>>[] }

export const savedNet = ({ plan, members }: Net): SavedNet => ({ plan, states: members.map((net) => net.state()) })

/** @throws Error for states that do not fit the plan */
export function netOf({ plan, states }: SavedNet): Net {
  return { plan, members: states.map((state) => makeNet(widthOf(plan), plan.horizon, 0).loadState(state)) }
}
