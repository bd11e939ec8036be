/** The same net trained under several schedules, and the learning-rate finder's curve on it. */
import { binaryCrossEntropy, crossEntropy, findLearningRate, tensor } from 'gradus'
import type { Context } from '../engine/context'
import { fetchOptimizers, makeOptimizer } from '../engine/optimizers'
import { ready } from '../engine/ready'
import type { TrainingConfig } from '../train/config'
import { examples } from '../train/data'
import { netOf, Trainer } from '../train/trainer'
import { type Slope, slopeOf } from './slope'

export interface Course {
  /** Rate, loss of the batch and its running mean, at every `stride`th step. */
  rate: number[]
  batch: number[]
  mean: number[]
  /** On a plateau: the value below which the running mean counts as better. */
  goal: number[]
  test: number
  problem: string
}

export interface Comparison {
  steps: number[]
  courses: Course[]
}

const POINTS = 400

export async function compareSchedules(
  input: { config: TrainingConfig; steps: number },
  context: Context<Comparison>,
): Promise<Comparison> {
  await ready()
  const { config, steps } = input
  await fetchOptimizers(config.runs.map(({ method }) => method))
  const data = await examples(config.data)
  const stride = Math.max(1, Math.floor(steps / POINTS))
  const trainers = config.runs.map((_, i) => new Trainer(config, i, data, { isQuiet: true }))
  const courses: Course[] = trainers.map(() => ({ rate: [], batch: [], mean: [], goal: [], test: Number.NaN, problem: '' }))
  const at: number[] = []
  const means = trainers.map(() => Number.NaN)
  let shown = performance.now()
  for (let step = 1; step <= steps && !context.isStopped; step++) {
    const isShown = step % stride === 0 || step === steps
    if (isShown) at.push(step)
    trainers.forEach((trainer, i) => {
      trainer.advance(step, Number.POSITIVE_INFINITY)
      const loss = trainer.problem === '' ? trainer.lastLoss : Number.NaN
      means[i] = Number.isNaN(means[i]) ? loss : means[i] + 0.03 * (loss - means[i])
      if (!isShown) return
      courses[i].rate.push(trainer.optimizer.learningRate)
      courses[i].batch.push(loss)
      courses[i].mean.push(means[i])
      courses[i].goal.push(trainer.goal)
      courses[i].problem = trainer.problem
    })
    if (performance.now() - shown > 60) {
      context.update({ steps: at, courses })
      await context.breathe()
      shown = performance.now()
    }
  }
  trainers.forEach((trainer, i) => {
    courses[i].test = trainer.lossOn(data.test)
  })
  return { steps: at, courses }
}

export interface RateFinding {
  rates: number[]
  losses: number[]
  smoothed: number[]
  /** Null where the loss does not fall. */
  slope: Slope | null
}

export async function findRate({ config }: { config: TrainingConfig }): Promise<RateFinding> {
  await ready()
  await fetchOptimizers([config.runs[0].method])
  const data = await examples(config.data)
  const model = netOf(config, data)
  const { method, rate, options, batch } = config.runs[0]
  const optimizer = makeOptimizer(method, model.parameters(), rate, options)
  const { inputs, labels, count } = data.train
  const common = {
    inputs: tensor(inputs, [count, data.features]),
    optimizer,
    batchSize: batch === 0 ? count : Math.min(batch, count),
    from: 1e-5,
    to: 30,
    steps: 160,
    seed: config.seed,
  }
  const curve =
    data.classes === 2
      ? await findLearningRate(model, { ...common, targets: Float32Array.from(labels), loss: binaryCrossEntropy } as never)
      : await findLearningRate(model, { ...common, targets: labels, loss: crossEntropy } as never)
  const { learningRates, losses, smoothed } = curve
  return { rates: learningRates, losses, smoothed, slope: slopeOf(smoothed) }
}
