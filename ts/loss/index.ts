/** Every loss. */
export { binaryCrossEntropy, crossEntropy, type CrossEntropyOptions, oneHot } from './classification.js'
export type { Loss, LossOptions } from './loss.js'
export { huber, type HuberOptions, mae, mse } from './regression.js'
