/** The same net trained under several schedules. */
import type { Context } from '../engine/context'
import { fetchOptimizers } from '../engine/optimizers'
import { ready } from '../engine/ready'
import type { TrainingConfig } from '../train/config'
import { examples } from '../train/data'
import { Trainer } from '../train/trainer'

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
