/** Every loss. */
export { oneHot } from '../ops/gather.js'
export { binaryCrossEntropy, type CrossEntropyOptions, crossEntropy } from './classification.js'
export type { Loss, LossOptions } from './loss.js'
export { type HuberOptions, huber, mae, mse } from './regression.js'
export { type WeightedCrossEntropy, weightedCrossEntropy } from './weighted.js'
