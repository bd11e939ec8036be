/** Options that say which net is trained and how: the same for every command that trains one. */
import { Option } from 'commander'
import type { ActivationName } from '../../index.js'
import { OPTIMIZERS } from '../../optim/index.js'
import { describeRange, layerSizes, numberIn, oneOf } from './values.js'

const ACTIVATIONS: readonly ActivationName[] = ['relu', 'leakyRelu', 'sigmoid', 'tanh', 'gelu', 'silu', 'softplus', 'elu', 'linear']
const EPOCHS = { min: 1, max: 10000, whole: true }
const BATCH_SIZE = { min: 1, whole: true }
const LEARNING_RATE = { above: 0, max: 1000 }
const SEED = { min: 0, whole: true }

export type OptimizerName = keyof typeof OPTIMIZERS
export const OPTIMIZER_NAMES = Object.keys(OPTIMIZERS) as OptimizerName[]

export const hiddenOption = () =>
  new Option('--hidden <sizes>', 'neurons of each hidden layer with commas between, such as 128 or 512,256; or none').argParser(layerSizes)
export const batchOption = () => new Option('-b, --batch-size <n>', 'rows of a step, at most all of them').argParser(numberIn(BATCH_SIZE))
export const epochsOption = () =>
  new Option('-e, --epochs <n>', `passes over the rows, ${describeRange(EPOCHS)}`).argParser(numberIn(EPOCHS))
export const seedOption = () =>
  new Option('-s, --seed <n>', 'decides the split, first weights and order of the rows; the same seed gives the same run')
    .default(0)
    .argParser(numberIn(SEED))

/** Options of both kinds of `gradus train`. */
export function netOptions(): Option[] {
  return [
    hiddenOption(),
    new Option('-a, --activation <name>', `of the hidden layers: ${ACTIVATIONS.join(', ')}`).argParser(oneOf(ACTIVATIONS)),
    new Option('-l, --learning-rate <x>', `step size, ${describeRange(LEARNING_RATE)}; also --lr`).argParser(numberIn(LEARNING_RATE)),
    // an option has two names at most; this is the third of that one
    Object.assign(new Option('--lr <x>').hideHelp().argParser(numberIn(LEARNING_RATE)), { attributeName: () => 'learningRate' }),
    batchOption(),
    epochsOption(),
    new Option('--dropout <x>', 'of a table: share of hidden neurons left out in a step').argParser(numberIn({ min: 0, max: 0.95 })),
    new Option('--weight-decay <x>', 'of a table: decay of the weights, as AdamW has it').argParser(numberIn({ min: 0, max: 1000 })),
    seedOption(),
  ]
}
