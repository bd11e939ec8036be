/** A comparison of learning rates with one net per rate: all nets are trained side by side, and their final losses are compared. */
import { checkCount, checkPositive } from '../common/checks.js'
import { NonFiniteError, rangeError, typeError } from '../common/errors.js'
import { anything, array, positive, readOptions, type Schema } from '../common/options.js'
import { show } from '../common/show.js'
import { CARRIED } from '../rows/carried.js'
import { checkDataSet } from '../train/data.js'
import type { NetHistory } from '../train/fleet/many-trainings.js'
import { FIT_MANY, type FitManyOptions } from '../train/fleet/options.js'
import type { TrainingData } from '../train/training-data.js'
import { type BuiltModel, buildAll, evaluateBuilt, type OfBuilt, trainBuilt, without } from './built.js'

/** Arguments of `build` for the net that it builds. */
export interface RateToBuild {
  learningRate: number
  /** One of `seeds`, for the weights of the net. */
  seed: number
}

/** Options of {@link compareLearningRates}: the rates, and the options of `fit` that are the same for all nets. */
export interface CompareLearningRatesOptions
  extends TrainingData,
    Omit<FitManyOptions, OfBuilt | keyof TrainingData | 'data' | 'rows' | 'validation' | 'validationFraction' | 'metrics' | 'seed'> {
  /** The rates to compare. Default: from `from`, `to` and `points`. */
  rates?: readonly number[]
  /** First rate. Default 1e-5. */
  from?: number
  /** Last rate. Default 1. */
  to?: number
  /** Number of rates, spaced by a constant factor. Default 16: three per power of ten. */
  points?: number
  /** A net for each rate and each of these seeds, which decide weights and the order of batches. Default [0]. */
  seeds?: readonly number[]
  /** Validation data for the comparison after the last epoch. Default: the mean training loss of the last epoch. */
  validation?: TrainingData
}

/** Result of {@link compareLearningRates}: points to plot (rates on a logarithmic axis), and the best rate. */
export interface LearningRateComparison {
  learningRates: number[]
  /** Mean loss of the nets of each rate; Infinity if one of them diverged. */
  losses: number[]
  /** The loss of each seed, for each rate. */
  runs: number[][]
  /** The rate with the least loss; null if nets of all rates diverged. */
  best: number | null
  /** The history of each seed, for each rate. */
  histories: NetHistory[][]
}

const DECIDED = ['optimizers', 'schedule', 'callbacks', 'data', 'rows', 'validation', 'validationFraction', 'metrics', 'seed'] as const

export const COMPARE_LEARNING_RATES = {
  .../* @__PURE__ */ without(FIT_MANY, DECIDED),
  rates: { is: anything },
  from: { is: positive },
  to: { is: positive },
  points: { is: { min: 2, whole: true } },
  seeds: { is: { ...array, wants: 'whole numbers in an array, at least one' }, default: [0], aka: ['seed', 'randomState', 'random_state'] },
  validation: { is: anything },
} satisfies Schema<CompareLearningRatesOptions>

/**
 * Trains a new net at each learning rate, all by one call of {@link fitMany}, and finds the rate with the least loss.
 *
 * {@link findLearningRate} takes a hundred steps of one net while the rate grows. Here each net keeps its rate (or a schedule that `build` makes from
 * it) for any number of epochs. That takes longer, but compares the quantity that matters, the loss after training. Several `seeds` distinguish a
 * good rate from a lucky one.
 *
 * @example
 * const build = ({ learningRate, seed }: { learningRate: number; seed: number }) => {
 *   const model = new Sequential([new Dense(4, 16, { activation: 'tanh' }), new Dense(16, 3)], { seed })
 *   return { model, optimizer: new Adam(model.parameters(), { learningRate }) }
 * }
 * const rates = [0.0001, 0.01]
 * const { best, losses } = await compareLearningRates(build, { inputs, targets, loss: crossEntropy, epochs: 20, rates, seeds: [1, 2] })
 * best                  // 0.01
 * losses[1] < losses[0] // true
 * @throws RangeError, TypeError, ShapeError for arguments that do not fit, before the first step; errors of a callback; the signal's reason if it
 *   ends training early
 */
export async function compareLearningRates(
  build: (net: RateToBuild) => BuiltModel,
  given: CompareLearningRatesOptions,
): Promise<LearningRateComparison> {
  const options = readOptions('compareLearningRates', given, COMPARE_LEARNING_RATES, CARRIED)
  const { rates: _rates, from: _from, to: _to, points: _points, seeds, validation, ...others } = options
  const learningRates = ratesOf(options)
  checkSeeds(seeds)
  const settings = learningRates.flatMap((learningRate) => seeds.map((seed) => ({ learningRate, seed })))
  const built = buildAll('compareLearningRates', build, settings, ({ learningRate, seed }) => `rate ${learningRate}, seed ${seed}`)
  built.forEach(({ optimizer, schedule }, i) => {
    const { learningRate } = settings[i]
    if (schedule === undefined && optimizer.learningRate !== learningRate)
      throw rangeError(
        `compareLearningRates: build wants to give the optimizer the learning rate ${learningRate}, got one of ${show(optimizer.learningRate)}; ` +
          'write new Adam(model.parameters(), { learningRate })',
      )
  })
  const held = validation && checkDataSet(validation, built[0].model.backend, 'compareLearningRates: validation')
  const histories = await trainBuilt(built, { ...others, seed: settings.map(({ seed }) => seed) })
  options.signal?.throwIfAborted()
  const losses = histories.map(({ error, epochs }, i) => {
    if (error instanceof NonFiniteError) return Number.POSITIVE_INFINITY
    if (error !== undefined) throw error
    if (!held) return epochs.at(-1)?.loss ?? Number.NaN
    return evaluateBuilt('compareLearningRates: validation', built[i], held, { loss: options.loss })?.loss ?? Number.POSITIVE_INFINITY
  })
  const byRate = <T>(list: readonly T[]) => learningRates.map((_, i) => list.slice(i * seeds.length, (i + 1) * seeds.length))
  const runs = byRate(losses)
  const means = runs.map((run) => run.reduce((sum, loss) => sum + loss, 0) / run.length)
  const least = Math.min(...means)
  return {
    learningRates,
    losses: means,
    runs,
    best: Number.isFinite(least) ? learningRates[means.indexOf(least)] : null,
    histories: byRate(histories),
  }
}

function ratesOf({ rates, from, to, points }: CompareLearningRatesOptions): number[] {
  if (rates === undefined) {
    const [first = 1e-5, last = 1, n = 16] = [from, to, points]
    if (last <= first) throw rangeError(`compareLearningRates: wants 0 < from < to, got from ${show(first)} and to ${show(last)}`)
    return Array.from({ length: n }, (_, i) => first * (last / first) ** (i / (n - 1)))
  }
  if (from !== undefined || to !== undefined || points !== undefined)
    throw rangeError('compareLearningRates: wants rates, or from, to and points, not both')
  if (!Array.isArray(rates) || rates.length === 0)
    throw typeError(`compareLearningRates: rates wants learning rates in an array, at least one, got ${show(rates)}`)
  rates.forEach((rate, i) => {
    checkPositive(`compareLearningRates: rates[${i}]`, rate)
  })
  return [...rates]
}

function checkSeeds(seeds: readonly number[]): void {
  if (!Array.isArray(seeds) || seeds.length === 0)
    throw typeError(`compareLearningRates: seeds wants whole numbers in an array, at least one, got ${show(seeds)}`)
  seeds.forEach((seed, i) => {
    checkCount(`compareLearningRates: seeds[${i}]`, seed, 0)
  })
}
