/** Options that say which net is trained and how: the same for every command that trains one. */
import type { Option } from 'commander'
import { seed } from '../../common/options.js'
import { OPTIMIZERS } from '../../optim/index.js'
import { NET } from '../../table/search/nets.js'
import { checked, flag, numberFrom } from './values.js'

export type OptimizerName = keyof typeof OPTIMIZERS
export const OPTIMIZER_NAMES = Object.keys(OPTIMIZERS) as OptimizerName[]

export const hiddenOption = () =>
  flag('--hidden <sizes>', 'neurons of each hidden layer with commas between, such as 128 or 512,256; or none', NET.hidden, layerSizes)
export const batchOption = () => flag('-b, --batch-size <n>', 'rows of a step, at most all of them', NET.batchSize)
export const epochsOption = () => flag('-e, --epochs <n>', 'passes over the rows', NET.epochs)
export const seedOption = (about = 'the split, first weights and order of the rows; the same seed gives the same run') =>
  flag('-s, --seed <n>', `decides ${about}`, { is: seed, default: 0 })

/** `512,256` → [512, 256]; `none` → [] */
export function layerSizes(text: string): number[] {
  const sizes = text.trim().toLowerCase() === 'none' ? [] : text.split(',').map(numberFrom)
  return checked(sizes, NET.hidden.is, 'whole numbers ≥ 1 with commas between, such as 128 or 512,256; or none')
}

/** A learning rate, or `auto`. */
const RATE = { is: { ...NET.learningRate.is, or: ['auto'] } }

/** Options of both kinds of `gradus train`. */
export function netOptions(): Option[] {
  return [
    hiddenOption(),
    flag('-a, --activation <name>', `of the hidden layers: ${NET.activation.is.join(', ')}`, NET.activation),
    flag('-l, --learning-rate <x>', 'step size, above 0; of a data set also auto: chosen by short trainings; also --lr', RATE),
    // an option has two names at most; this is the third of that one
    Object.assign(flag('--lr <x>', '', RATE).hideHelp(), { attributeName: () => 'learningRate' }),
    batchOption(),
    epochsOption(),
    flag('--dropout <x>', 'of a table: share of hidden neurons left out in a step', NET.dropout),
    flag('--weight-decay <x>', 'of a table: decay of the weights, as AdamW has it', NET.weightDecay),
    seedOption(),
  ]
}
