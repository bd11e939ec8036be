/** The nets that a training on pictures may choose from. */
import { Conv2d, GlobalAvgPool, MaxPool, Residual } from '../conv/index.js'
import { BatchNorm, Dense, Dropout, Flatten, type Module, Sequential } from '../index.js'
import type { ImageSet } from './image-set.js'

/** `small`: a few convolutions and two dense layers. `residual`: seven convolutions with ways around them, slower and with fewer weights. */
export type NetKind = 'small' | 'residual'
export const NETS: readonly NetKind[] = ['small', 'residual']

type Wanted = Pick<ImageSet, 'size' | 'channels' | 'classes'>

/** A net of a kind, with initial weights. */
export function netOf(kind: NetKind, set: Wanted, seed: number): Sequential {
  return new Sequential(kind === 'small' ? small(set) : residual(set), { seed }) as Sequential
}

/** Blocks of convolution, each half as large as the one before with more channels, and dense layers. */
function small({ size, channels, classes }: Wanted): Module[] {
  const layers: Module[] = []
  let [side, inputs, filters] = [size, channels as number, 16]
  for (; side >= 6 && filters <= 64; side = Math.floor(side / 2), inputs = filters, filters *= 2)
    layers.push(...convolution(inputs, filters, 3, 1), new MaxPool(2))
  // without normalization a hundred classes stay at chance: 2 % of characters are named right after ten epochs, with it 99 %
  const hidden = [new Dense(side * side * inputs, 64, { bias: false }), new BatchNorm(64, { activation: 'relu' }), new Dropout(0.3)]
  return [...layers, new Flatten(), ...hidden, new Dense(64, classes.length)]
}

/** Pictures with a longer side are halved behind the first convolution. */
const HALVED_FROM = 33

/** Three residual blocks of 16, 32 and 64 channels (He et al. 2016): 78,000 weights for ten classes. */
function residual({ size, channels, classes }: Wanted): Module[] {
  const first = [...convolution(channels, 16, 3, 1), ...(size >= HALVED_FROM ? [new MaxPool(2)] : [])]
  const blocks = [block(16, 16, 1), block(16, 32, 2), block(32, 64, 2)]
  return [...first, ...blocks, new GlobalAvgPool(), new Dense(64, classes.length)]
}

function block(inputs: number, filters: number, stride: number): Module {
  const layers = [...convolution(inputs, filters, 3, stride), ...convolution(filters, filters, 3, 1, 'linear')]
  const shortcut = stride === 1 && inputs === filters ? [] : convolution(inputs, filters, 1, stride, 'linear')
  return new Residual(layers, { shortcut, activation: 'relu' })
}

function convolution(inputs: number, filters: number, kernel: 1 | 3, stride: number, activation: 'relu' | 'linear' = 'relu'): Module[] {
  return [new Conv2d(inputs, filters, kernel, { stride, padding: (kernel - 1) / 2, bias: false }), new BatchNorm(filters, { activation })]
}
