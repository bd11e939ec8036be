/** Options that choose between builds of the engine: the same for every command that measures or compares. */
import { Option } from 'commander'
import type { Variant } from '../../index.js'
import { flag } from './values.js'

const VARIANTS: readonly Variant[] = ['relaxed', 'simd']

export function variantOption(): Option {
  const about = 'WebAssembly: relaxed (default where it runs, faster) or simd (same bits everywhere)'
  return flag('--variant <name>', about, { is: VARIANTS })
}

export function widenOption(): Option {
  return new Option('--no-widen', 'do not ask V8 for 256-bit vectors (Node 24 and newer on x86; experimental in V8, checked at start)')
}
