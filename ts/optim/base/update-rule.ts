/** The kernel of the updates of a class of optimizers, as the class describes it; {@link Optimizer.update} is its readable twin. */
import type { WasmPart } from '../../backend/wasm/types.js'

/** @internal */
export interface UpdateRule {
  /** Name of the fused kernel. Its numbers may depend only on options, t and scalars. */
  readonly kernel: string
  /** The part of WebAssembly that has the kernel, if the core does not. */
  readonly part?: WasmPart
  /** Names of the state slots. */
  readonly slots: readonly string[]
  /**
   * Converts the numbers of a step, given by name, to the order in which the kernel reads them (ts/optim/base/numbers.ts). {@link Optimizer.hyper}
   * calls it.
   */
  readonly numbers: (named: never) => number[]
  /**
   * Names of the numbers that equal the learning rate times their value at a rate of 1, to the last bit. No other number, and no scalar, may depend
   * on the rate; leave it out if that does not hold. Nets of a fleet that differ in the rate share all other numbers.
   */
  readonly scaledByRate?: readonly string[]
}
