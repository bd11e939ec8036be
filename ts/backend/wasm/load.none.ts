/** Stands in for load.ts, tiles.ts and threads/ in `gradus/js`: nothing to load, and no code that would. */
import { plainError, rangeError } from '../../common/errors.js'
import { show } from '../../common/show.js'
import type { Backend } from '../backend.js'
import type { Kernels, Update } from '../kernels.js'
import type { Threads } from '../threads/index.js'
import type { WasmExports, WasmPart } from './types.js'
import type { Variant } from './variants.js'

export type { Tiled } from './tiles.js'

export const supportedVariants = (): Variant[] => []
export const refusal = (): string | undefined => undefined
export const tilesFor = (_variant: Variant): number[] => []
export const withTileChoice = (table: Kernels): Kernels => table
export const updateKernel = (_exports: WasmExports | undefined, _name: string): Update | undefined => undefined
export const shareKernels = undefined
export const canShare = (): boolean => false
export const warmUp = (_backend: Backend): void => {}
export const precompile = async (_variant: Variant): Promise<void> => {}

/** @throws RangeError for more than one */
export function wantedThreads(threads: number | 'auto' = 1): number {
  if (threads === 1 || threads === 'auto') return 1
  throw rangeError(`load: threads are for WebAssembly, and gradus/js has one: threads wants 1 or 'auto' here, got ${show(threads)}`)
}

export function instantiate(variant: Variant): WasmExports {
  throw plainError(`gradus/js carries no WebAssembly variant '${variant}'; import 'gradus'`)
}

export const instantiatePart = (_part: WasmPart, variant: Variant): WasmExports => instantiate(variant)

export const sharedMemory = (): WebAssembly.Memory | undefined => undefined

export function startThreads(): Threads {
  throw plainError("gradus/js has one thread; import 'gradus'")
}
