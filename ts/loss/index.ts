/** Every loss. */
export { binaryCrossEntropy, type CrossEntropyOptions, crossEntropy, oneHot } from './classification.js'
export type { Loss, LossOptions } from './loss.js'
export { type HuberOptions, huber, mae, mse } from './regression.js'
export { type WeightedCrossEntropy, weightedCrossEntropy } from './weighted.js'
