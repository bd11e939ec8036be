/** The options of {@link load}, and how they determine the variant and the number of threads. */

import { plainError, rangeError } from '../common/errors.js'
import { anything, flag, readOptions, type Schema } from '../common/options.js'
import { warnOnce } from '../common/warn.js'
import type { DType } from './heap.js'
import { TILES, type TileName } from './kernels.js'
import { canShare, wantedThreads } from './threads/index.js'
import { refusal, supportedVariants } from './wasm/load.js'
import type { Variant } from './wasm/variants.js'

/** Options of {@link load} and {@link createBackend}. */
export interface BackendOptions {
  /** `wasm` (default if the engine has SIMD) or `js`. */
  backend?: 'wasm' | 'js'
  /** The WebAssembly artifact. Default: `relaxed` if the engine accepts it, else `simd`. */
  variant?: Variant
  /**
   * Same seed, same bits on every runtime and machine: pins `simd`. Default false. Plain JavaScript (`gradus/js`, `backend: 'js'`) cannot promise
   * that: its bits are the same only on one engine, as engines differ in the last digit of Math.exp and similar functions, and they differ from
   * WebAssembly's. With JavaScript the option gives a warning.
   */
  reproducible?: boolean
  /** `float64` is for the JS backend only. Default `float32`. */
  dtype?: DType
  /**
   * Experimental: lets V8 use 256-bit vectors (Node 24 or newer, x86), about twice as fast on large layers. Sets a V8 flag for the whole process.
   * Ignored elsewhere, and in bundles that are not made for Node (the condition `node` of bundlers); `backend.widened` is true if it took effect.
   * Default false.
   */
  widen?: boolean
  /**
   * The tile of large matrix products in WebAssembly, in rows and columns that are summed at a time: `5x8`, `6x8`, `4x16` or `6x16`. All tiles give
   * the same bits; the fastest depends on the engine and on the processor's registers. Default `auto`: the first large products try the tiles
   * alternately, and the fastest stays, as `backend.tile`.
   */
  tile?: 'auto' | TileName
  /**
   * Threads that share large kernels: a number up to 16, or `auto` (one for each core, at most 8). Default 1: a library should not use a second core
   * without being asked. The bits are the same for any number, and nets too small to gain stay on one thread. Needs SharedArrayBuffer, which a page
   * has only when it is isolated from other origins: without it one thread is used, and a warning names the headers. JavaScript has one thread: more
   * is an error there, and `auto` is one. `backend.threads` is the number of running threads.
   */
  threads?: number | 'auto'
  /** Largest number of bytes of memory. Default: 4 GiB less one page. */
  memoryLimit?: number
}

export const LOAD = {
  backend: { is: ['wasm', 'js'] },
  variant: { is: ['simd', 'relaxed'] },
  dtype: { is: ['float32', 'float64'], default: 'float32' },
  tile: { is: ['auto', ...TILES] },
  reproducible: { is: flag, default: false },
  widen: { is: flag },
  threads: { is: anything },
  memoryLimit: { is: { min: 0, max: Infinity, openMin: true } },
} satisfies Schema<BackendOptions>

/** The best variant that runs here and is not excluded; `js` if there is none, with a warning that gives the reason. @throws RangeError, Error */
export function chooseVariant(options: BackendOptions): Variant | 'js' {
  const { backend, variant, reproducible, dtype } = readOptions('load', options, LOAD)
  if (dtype === 'float64') {
    if (backend !== 'js') throw rangeError("load: dtype 'float64' needs backend 'js'")
    return 'js'
  }
  if (reproducible && variant === 'relaxed')
    throw rangeError("load: reproducible pins variant 'simd'; 'relaxed' rounds differently by engine")
  if (backend === 'js') {
    if (reproducible) warnReproducible()
    return 'js'
  }
  const supported = supportedVariants()
  const wanted = reproducible ? 'simd' : variant
  const found = wanted ? supported.find((v) => v === wanted) : supported[0]
  if (found) return found
  const forbidden = refusal()
  if (backend === undefined && variant === undefined) {
    if (forbidden) warnForbidden(forbidden)
    if (reproducible) warnReproducible()
    return 'js'
  }
  throw plainError(
    `load: this engine cannot run the WebAssembly variant '${wanted ?? 'simd'}'${forbidden ? ` (${forbidden})` : ''}; ` +
      'leave the choice open to fall back to JS',
  )
}

/** The number of threads of a new backend; warns if only one is possible. @throws RangeError */
export function chooseThreads(variant: Variant | 'js', { threads, backend }: BackendOptions): number {
  const wanted = wantedThreads(threads)
  if (backend === 'js' && threads === 'auto') return 1
  if (wanted > 1 && backend === 'js') throw rangeError("load: threads are for the backend 'wasm'; 'js' has one")
  return wanted > 1 && variant !== 'js' && canShare() ? wanted : 1
}

function warnForbidden(reason: string): void {
  warnOnce(
    `WebAssembly may not be compiled here, so JavaScript runs instead, several times slower (${reason}); ` +
      "a page's Content-Security-Policy has to allow 'wasm-unsafe-eval' in script-src. Import 'gradus/js' to use JavaScript on purpose",
  )
}

function warnReproducible(): void {
  warnOnce('reproducible: true promises the bits of WebAssembly; JavaScript runs instead, whose bits are others and differ by engine')
}
