/**
 * What a straight line makes of a table, so that people see what nets are worth: ridge regression, or logistic regression with the same penalty, on the
 * rows that nets learn from, fitted by L-BFGS. Numbers go in as nets get them, scaled and squeezed, but without their parts between quantiles; each category
 * has a weight of its own. The penalties are scikit-learn's usual ones: `Ridge(alpha=1)`, `LogisticRegression(C=1)`.
 */
import { clock } from '../common/clock.js'
import { add, crossEntropy, LBFGS, mse, mul, type Parameter, square, sum, type Tensor } from '../index.js'
import { makeNet } from './nets.js'
import { inputsAt, predictionsOf, type TableSamples, targetsFor } from './samples.js'

/** Predictions of net inputs, row-major [rows, outputs]: probabilities of classes, or scaled numbers. */
export type StraightLine = (inputs: Float32Array) => Float64Array

/** Multiply-adds of the whole fit, at most, and of each second there is. */
const MOST_WORK = 5e9
const WORK_A_SECOND = 3e8
/** Rows, at least, where there are so many. */
const FEWEST_ROWS = 500
const ITERATIONS = 100
/** Iterations between looks at the clock. */
const CHUNK = 10
/** Share of the time that it may take. */
const TIME_SHARE = 0.03

/**
 * @param samples what nets learn from
 * @param features how many of the inputs of a row are features of the table; what follows are parts between quantiles
 * @param time seconds for everything; undefined where there is no limit
 * @returns null where it has no finite loss
 */
export async function fitStraightLine(
  samples: TableSamples,
  features: number,
  time: number | undefined,
  signal: AbortSignal | undefined,
): Promise<StraightLine | null> {
  const { count, width, classes, embedded } = samples
  const outputs = classes || 1
  const columns = embedded.map(({ feature, count }) => ({ feature, count, size: outputs }))
  const model = makeNet({ hidden: [], activation: 'linear', dropout: 0 }, features, outputs, 0, columns)

  const work = time === undefined ? MOST_WORK : Math.min(MOST_WORK, WORK_A_SECOND * time)
  const rows = rowsFor(count, work / (2 * ITERATIONS * features * outputs))
  const x = inputsAt(samples, rows, features)
  const y = targetsFor(samples.targets, rows)
  const weights = model.parameters().filter(({ rank }) => rank > 1)
  const loss = () =>
    add(classes > 0 ? crossEntropy(model.forward(x) as Tensor, y) : mse(model.forward(x) as Tensor, y as Tensor), penalty())
  // ½·|w|² beside a sum of cross-entropies, where two classes have one w = 2·W₁ = −2·W₂ between them; |w|² beside a sum of squares
  const factor = classes > 2 ? 0.5 : 1
  const penalty = () => mul(squares(weights), factor / rows.length)

  const end = time === undefined ? Number.POSITIVE_INFINITY : clock.now() + 1000 * TIME_SHARE * time
  const optimizer = new LBFGS(model.parameters(), { maxIterations: CHUNK })
  for (let done = 0; done === 0 || (done < ITERATIONS && clock.now() < end && !signal?.aborted); done += CHUNK) {
    const step = optimizer.step(loss)
    if (!Number.isFinite(step.loss)) return null
    if (step.converged) break
    // the page or server gets a turn
    await new Promise((resolve) => setTimeout(resolve))
  }
  return (inputs) => {
    const all = Int32Array.from({ length: inputs.length / width }, (_, row) => row)
    return predictionsOf(model, inputsAt({ inputs, width }, all, features), classes)
  }
}

/** All rows, or as many as are affordable, evenly spread. */
function rowsFor(count: number, affordable: number): Int32Array {
  const every = Math.max(1, Math.ceil(count / Math.max(FEWEST_ROWS, affordable)))
  return Int32Array.from({ length: Math.ceil(count / every) }, (_, i) => i * every)
}

function squares(weights: readonly Parameter[]): Tensor {
  return weights.map((weight) => sum(square(weight)) as Tensor).reduce((total, one) => add(total, one) as Tensor)
}
