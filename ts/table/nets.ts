/** The nets that are tried on a table: their sizes and how they are trained. */
import { ACTIVATIONS } from '../backend/kernels.js'
import { count, isAllowed, type Kind, nonNegative, positive, type Schema } from '../common/options.js'
import {
  type ActivationName,
  AdamW,
  type ColumnToEmbed,
  Dense,
  Dropout,
  EmbedColumns,
  Generator,
  type Module,
  type Optimizer,
  Sequential,
  schedules,
} from '../index.js'

/** Options for the nets of a table and their training; the defaults depend on the number of rows. */
export interface NetSettings {
  /** Neurons of each hidden layer: `[64, 32]`; `[]` makes a straight line: ridge or logistic regression, with the defaults of scikit-learn. */
  hidden?: readonly number[]
  /** Activation of the hidden layers. */
  activation?: ActivationName
  /** Share of the neurons of each hidden layer that are left out in a step, from 0 to below 1. */
  dropout?: number
  /** Largest learning rate of a one-cycle schedule, for AdamW. */
  learningRate?: number
  /** Weight decay of weights, not of biases, as in AdamW. */
  weightDecay?: number
  /** Rows of a step. */
  batchSize?: number
  /** Largest number of passes over the rows: nets stop earlier when the loss on held-out rows no longer falls. */
  epochs?: number
}

const sizes: Kind = {
  wants: 'the neurons of each hidden layer, such as [64, 32]',
  fits: (value) => Array.isArray(value) && value.every((size) => isAllowed(size, count)),
}

export const NET = {
  hidden: { is: sizes },
  activation: { is: ACTIVATIONS },
  dropout: { is: { min: 0, max: 1, openMax: true } },
  learningRate: { is: positive },
  weightDecay: { is: nonNegative },
  batchSize: { is: count },
  epochs: { is: count },
} satisfies Schema<NetSettings>

/** Training options of all nets of a round. */
export type RoundPlan = Required<Pick<NetSettings, 'batchSize' | 'epochs'>>
/** Construction and training of a net; the learning rate is the largest of a one-cycle schedule. */
export type NetPlan = Required<Omit<NetSettings, keyof RoundPlan>>

/** Options that work well on most tables. */
export function usualPlan(rows: number): NetPlan {
  if (rows < 500) return { hidden: [64, 64], activation: 'silu', dropout: 0.1, learningRate: 0.01, weightDecay: 0.1 }
  if (rows < 5000) return { hidden: [128, 128], activation: 'silu', dropout: 0.2, learningRate: 0.005, weightDecay: 0.1 }
  if (rows < 20_000) return { hidden: [192, 192], activation: 'silu', dropout: 0.1, learningRate: 0.004, weightDecay: 0.05 }
  return { hidden: [128, 128], activation: 'silu', dropout: 0, learningRate: 0.004, weightDecay: 0.02 }
}

/** Approximate number of rows that a net of a large table sees in training, each counted once per epoch. */
const MOST_VISITS = 3e6

/** More rows make larger batches and fewer epochs, so that the steps stay in the thousands. */
export function usualRound(rows: number): RoundPlan {
  if (rows < 1000) return { batchSize: 32, epochs: 60 }
  if (rows < 5000) return { batchSize: 64, epochs: 50 }
  if (rows < 20_000) return { batchSize: 128, epochs: 40 }
  return { batchSize: 256, epochs: Math.max(3, Math.min(24, Math.round(MOST_VISITS / rows))) }
}

/** Another plan, drawn at random: the same seed gives the same plan. */
export function randomPlan(seed: number): NetPlan {
  const random = new Generator(seed)
  const draws = Array.from(random.uniforms(6))
  const pick = <T>(list: readonly T[], u: number): T => list[Math.min(list.length - 1, Math.floor(u * list.length))]
  const between = (low: number, high: number, u: number) => low * (high / low) ** u
  const width = pick([64, 96, 128, 192, 256], draws[0])
  return {
    hidden: pick([[width], [width, width], [width, width], [width, width, width]], draws[1]),
    activation: pick(['silu', 'relu', 'silu', 'tanh'], draws[2]),
    dropout: pick([0, 0.1, 0.2, 0.3, 0.5], draws[3]),
    learningRate: between(0.001, 0.02, draws[4]),
    weightDecay: between(0.001, 1, draws[5]),
  }
}

/** A new net of a plan. @param embedded inputs that are numbers of categories, which become vectors first */
export function makeNet(
  { hidden, activation, dropout }: Pick<NetPlan, 'hidden' | 'activation' | 'dropout'>,
  inputs: number,
  outputs: number,
  seed: number,
  embedded: readonly ColumnToEmbed[] = [],
): Sequential<Module[]> {
  const layers: Module[] = []
  let width = inputs
  if (embedded.length > 0) {
    const embed = new EmbedColumns(inputs, embedded)
    layers.push(embed)
    width = embed.width
  }
  for (const size of hidden) {
    layers.push(new Dense(width, size, { activation }))
    if (dropout > 0) layers.push(new Dropout(dropout))
    width = size
  }
  layers.push(new Dense(width, outputs))
  return new Sequential(layers, { seed })
}

/**
 * The same net with more inputs at the end, which are ignored.
 * @param factor of its output
 */
export function widened(
  net: Module,
  plan: NetPlan,
  { inputs, more, embedded, factor }: { inputs: number; more: number; embedded: readonly ColumnToEmbed[]; factor: number },
): Module {
  const from = net.parameters()
  const outputs = from[from.length - 1].size
  const wide = makeNet(plan, inputs + more, outputs, 0, embedded)
  const to = wide.parameters()
  // vectors of categories come after all other inputs
  const place = inputs - embedded.length
  for (const [i, parameter] of to.entries()) {
    const values = Float32Array.from(from[i].data())
    const isLast = i >= to.length - 2
    const scaled = isLast ? values.map((value) => factor * value) : values
    if (i !== embedded.length) parameter.assign(scaled)
    else {
      const columns = parameter.shape[1] as number
      const own = new Float32Array(parameter.size)
      own.set(scaled.subarray(0, place * columns))
      own.set(scaled.subarray(place * columns), (place + more) * columns)
      parameter.assign(own)
    }
  }
  return wide
}

/** The schedule of a net: one cycle. @param steps of the whole training */
export function scheduleOf({ learningRate }: NetPlan, steps: number): (step: number) => number {
  return schedules.oneCycle(learningRate, { steps })
}

/** The optimizer of a net: biases do not decay. */
export function makeOptimizer(net: Module, { learningRate, weightDecay }: NetPlan): Optimizer {
  const parameters = net.parameters()
  const [weights, biases] = [true, false].map((isWeight) => parameters.filter(({ rank }) => rank > 1 === isWeight))
  return new AdamW(
    [
      { parameters: weights, weightDecay },
      { parameters: biases, weightDecay: 0 },
    ],
    { learningRate },
  )
}

/** `128-128 silu, dropout 0.2, learning rate 0.005, weight decay 0.1`, or `a straight line` */
export function describePlan({ hidden, activation, dropout, learningRate, weightDecay }: NetPlan): string {
  if (hidden.length === 0) return 'a straight line'
  const short = (x: number) => String(Number(x.toPrecision(2)))
  return `${hidden.join('-')} ${activation}, dropout ${dropout}, learning rate ${short(learningRate)}, weight decay ${short(weightDecay)}`
}
