/** The nets that are tried on a table: their sizes and how they are trained. */
import { ACTIVATIONS } from '../../backend/kernels.js'
import { count, isAllowed, type Kind, nonNegative, positive, type Schema } from '../../common/options.js'
import {
  type ActivationName,
  AdamW,
  type ColumnToEmbed,
  Dense,
  Dropout,
  EmbedColumns,
  EnsembleDense,
  EnsembleMean,
  Generator,
  type Module,
  type Optimizer,
  type Parameter,
  Scale,
  Sequential,
  schedules,
} from '../../index.js'

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
export interface NetPlan extends Required<Omit<NetSettings, keyof RoundPlan>> {
  /** Members of an ensemble that share the hidden layers, as TabM-mini: see {@link sharing}. 1 for an ordinary net. */
  members: number
}

type NetShape = Pick<NetPlan, 'hidden' | 'activation' | 'dropout' | 'members'>
type Net = Sequential<Module[]>

/** Options that work well on most tables. */
export function usualPlan(rows: number): NetPlan {
  const members = 1
  if (rows < 500) return { members, hidden: [64, 64], activation: 'silu', dropout: 0.1, learningRate: 0.01, weightDecay: 0.1 }
  if (rows < 5000) return { members, hidden: [128, 128], activation: 'silu', dropout: 0.2, learningRate: 0.005, weightDecay: 0.1 }
  if (rows < 20_000) return { members, hidden: [192, 192], activation: 'silu', dropout: 0.1, learningRate: 0.004, weightDecay: 0.05 }
  return { members, hidden: [128, 128], activation: 'silu', dropout: 0, learningRate: 0.004, weightDecay: 0.02 }
}

/** Approximate number of rows that a net of a large table sees in training, each counted once per epoch. */
const MAX_VISITS = 3e6

/** More rows make larger batches and fewer epochs, so that the steps stay in the thousands. */
export function usualRound(rows: number): RoundPlan {
  if (rows < 1000) return { batchSize: 32, epochs: 60 }
  if (rows < 5000) return { batchSize: 64, epochs: 50 }
  if (rows < 20_000) return { batchSize: 128, epochs: 40 }
  return { batchSize: 256, epochs: Math.max(3, Math.min(24, Math.round(MAX_VISITS / rows))) }
}

/** Members of nets that share hidden layers, and their width as a share of that of an ordinary net: an epoch takes about as long. */
const MEMBERS = 4
const MEMBER_WIDTH = 3 / 8

/**
 * A plan of about the same cost whose members share the hidden layers, and have factors of the inputs and a last layer of their own (TabM-mini:
 * Gorishniy, Kotelnikov & Babenko 2025). It is far better on some tables (log loss of mlc_churn 0.154 for 0.177) and worse on others (Computers, RMSE
 * 181 for 163; docs/design/tried.md).
 */
export function sharing(plan: NetPlan): NetPlan {
  return { ...plan, members: MEMBERS, hidden: plan.hidden.map((size) => Math.max(8, 8 * Math.round((MEMBER_WIDTH * size) / 8))) }
}

/** Factors of the learning rate and of the weight decay of plans that are tried. */
const OTHER_RATE = 2.5
const OTHER_DECAY = 5

/**
 * The plans that are tried first if there is time: each changes one thing. Plans that would be the same as `plan` are left out: those that change a
 * given option, or double a dropout of 0.
 * @param other another kind of net
 * @param given options that all plans have
 */
export function variationsOf(plan: NetPlan, other?: NetPlan, given: Partial<NetPlan> = {}): NetPlan[] {
  const { hidden, dropout, learningRate, weightDecay } = plan
  const variations: NetPlan[] = [
    { ...plan, hidden: [hidden[0], ...hidden] },
    { ...plan, learningRate: OTHER_RATE * learningRate },
    { ...plan, dropout: Math.min(0.5, 2 * dropout) },
    { ...plan, activation: 'relu' },
    ...(other ? [{ ...other, dropout }] : []),
    { ...plan, weightDecay: OTHER_DECAY * weightDecay },
    { ...plan, learningRate: learningRate / OTHER_RATE },
    { ...plan, hidden: [2 * hidden[0]] },
  ]
  const usual = describePlan(plan)
  return variations.map((one) => ({ ...one, ...given })).filter((one) => describePlan(one) !== usual)
}

/** Another plan, drawn at random: the same seed gives the same plan. */
export function randomPlan(seed: number): NetPlan {
  const random = new Generator(seed)
  const draws = Array.from(random.uniforms(6))
  const pick = <T>(list: readonly T[], u: number): T => list[Math.min(list.length - 1, Math.floor(u * list.length))]
  const between = (low: number, high: number, u: number) => low * (high / low) ** u
  const width = pick([64, 96, 128, 192, 256], draws[0])
  return {
    members: 1,
    hidden: pick([[width], [width, width], [width, width], [width, width, width]], draws[1]),
    activation: pick(['silu', 'relu', 'silu', 'tanh'], draws[2]),
    dropout: pick([0, 0.1, 0.2, 0.3, 0.5], draws[3]),
    learningRate: between(0.001, 0.02, draws[4]),
    weightDecay: between(0.001, 1, draws[5]),
  }
}

/**
 * A new net of a plan. A {@link Scale} before the first hidden layer learns which inputs matter, as in RealMLP: on thirteen tables it changed
 * the test loss by −7.0 to +1.0 %, on average −1.4 % (docs/design/tried.md).
 * @param embedded inputs that are numbers of categories, which become vectors first
 */
export function makeNet(plan: NetShape, inputs: number, outputs: number, seed: number, embedded: readonly ColumnToEmbed[] = []): Net {
  return new Sequential(layersOf(plan, inputs, outputs, embedded, true), { seed })
}

function layersOf(
  { hidden, activation, dropout, members }: NetShape,
  inputs: number,
  outputs: number,
  embedded: readonly ColumnToEmbed[],
  isScaled: boolean,
): Module[] {
  const layers: Module[] = []
  let width = inputs
  if (embedded.length > 0) {
    const embed = new EmbedColumns(inputs, embedded)
    layers.push(embed)
    width = embed.width
  }
  if (members > 1) layers.push(new Scale(width, { members }))
  else if (isScaled && hidden.length > 0) layers.push(new Scale(width))
  for (const size of hidden) {
    layers.push(new Dense(width, size, { activation }))
    if (dropout > 0) layers.push(new Dropout(dropout))
    width = size
  }
  if (members === 1) return [...layers, new Dense(width, outputs)]
  const average = outputs > 1 ? 'softmax' : 'outputs'
  return [...layers, new EnsembleDense(width, outputs, members, { shared: false }), new EnsembleMean({ average })]
}

/**
 * The same answers as plain nets, whose factors of the inputs are multiplied into the weights of the first hidden layer: one net, or one of each member,
 * whose mean is the answer. Every export has plain nets.
 */
export function plainNets(net: Module, plan: NetPlan, inputs: number, embedded: readonly ColumnToEmbed[]): Module[] {
  const from = net.parameters()
  const at = from.findIndex(isFactor)
  if (at < 0) return [net]
  const { members } = plan
  const outputs = from[from.length - 1].shape.at(-1) as number
  const columns = from[at + 1].shape[1] as number
  return Array.from({ length: members }, (_, member) => {
    const plain = new Sequential(layersOf({ ...plan, members: 1 }, inputs, outputs, embedded, false))
    const own = from.map((parameter, i) => {
      const values = Float32Array.from(parameter.data())
      const isShared = i !== at && i < from.length - 2
      return isShared ? values : values.subarray((member * values.length) / members, ((member + 1) * values.length) / members)
    })
    const [factors] = own.splice(at, 1)
    for (let i = 0; i < own[at].length; i++) own[at][i] *= factors[Math.floor(i / columns)]
    plain.parameters().forEach((parameter, i) => parameter.assign(own[i]))
    return plain
  })
}

/**
 * The same plain net with more inputs at the end, which are ignored.
 * @param factor of its output
 */
export function widened(
  net: Module,
  plan: NetPlan,
  { inputs, more, embedded, factor }: { inputs: number; more: number; embedded: readonly ColumnToEmbed[]; factor: number },
): Module {
  const from = net.parameters()
  const outputs = from[from.length - 1].size
  const wide = new Sequential(layersOf({ ...plan, members: 1 }, inputs + more, outputs, embedded, false))
  for (const [i, parameter] of wide.parameters().entries()) {
    const isLast = i >= from.length - 2
    const values = Float32Array.from(from[i].data(), (value) => (isLast ? factor * value : value))
    if (i !== embedded.length) parameter.assign(values)
    else {
      // vectors of categories come after all other inputs
      const [columns, place] = [parameter.shape[1] as number, inputs - embedded.length]
      const own = new Float32Array(parameter.size)
      own.set(values.subarray(0, place * columns))
      own.set(values.subarray(place * columns), (place + more) * columns)
      parameter.assign(own)
    }
  }
  return wide
}

/** The schedule of a net: one cycle. @param steps of the whole training */
export function scheduleOf({ learningRate }: NetPlan, steps: number): (step: number) => number {
  return schedules.oneCycle(learningRate, { steps })
}

const isFactor = ({ name, rank, shape }: Parameter) => !name.endsWith('bias') && (rank === 1 || (rank === 3 && shape[1] === 1))

/** The optimizer of a net: biases and factors of inputs do not decay. */
export function makeOptimizer(net: Module, { learningRate, weightDecay }: NetPlan): Optimizer {
  const parameters = net.parameters()
  const decays = (parameter: Parameter) => !isFactor(parameter) && !parameter.name.endsWith('bias')
  const [weights, others] = [true, false].map((wanted) => parameters.filter((parameter) => decays(parameter) === wanted))
  return new AdamW(
    [
      { parameters: weights, weightDecay },
      { parameters: others, weightDecay: 0 },
    ],
    { learningRate },
  )
}

/** `128-128 silu, dropout 0.2, learning rate 0.005, weight decay 0.1`, or `a straight line` */
export function describePlan({ members, hidden, activation, dropout, learningRate, weightDecay }: NetPlan): string {
  if (hidden.length === 0) return 'a straight line'
  const short = (x: number) => String(Number(x.toPrecision(2)))
  const shared = members > 1 ? `, ${members} members share them` : ''
  return `${hidden.join('-')} ${activation}${shared}, dropout ${dropout}, learning rate ${short(learningRate)}, weight decay ${short(weightDecay)}`
}
