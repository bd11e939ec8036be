/** The curve of the learning-rate finder, on the net of the schedules. */
import { binaryCrossEntropy, crossEntropy, findLearningRate, tensor } from 'gradus'
import { fetchOptimizers, makeOptimizer } from '../engine/optimizers'
import { ready } from '../engine/ready'
import type { TrainingConfig } from '../train/config'
import { examples } from '../train/data'
import { netOf } from '../train/trainer'
import { type Slope, slopeOf } from './slope'

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
