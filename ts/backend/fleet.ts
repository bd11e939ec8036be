/**
 * Eight nets side by side: the contract of the kernels that only fleets need (crate/fleet/). Arrays have eight floats, one of each net, in the place
 * of every float. Element-wise computations therefore use the kernels of single nets; computations that add up, draw random numbers or move rows have
 * kernels here. JavaScript has no such loops: there, nets are trained one after the other.
 */
import type { Backend } from './index.js'
import type { Loss, Ptr } from './kernels.js'
import { FLEET, FLEET_OTHERS, FLEET_UPDATES } from './wasm/fleet-parts.js'

/** Bits that say how a dense layer of eight nets is computed. */
export const SHARED_INPUTS = 1
export const WIDE = 2
/** Floats of scratch of a dense layer (the constant of this name in crate/fleet/panels.rs). */
export const SCRATCH_FLOATS = 8 * 128 * (64 + 5)

/** The kernels that any fleet needs. */
export interface FleetKernels {
  /**
   * denseForward. `how` has {@link SHARED_INPUTS} if x is one matrix for all nets, and {@link WIDE} if the engine computes with all eight at once;
   * `scratch` has {@link SCRATCH_FLOATS} floats
   */
  fleetDenseForward(
    x: Ptr,
    how: number,
    w: Ptr,
    b: Ptr,
    z: Ptr,
    y: Ptr,
    m: number,
    k: number,
    n: number,
    activation: number,
    scratch: Ptr,
  ): void
  /** denseBackward, which overwrites dw, db and dx; `how` and `scratch` as above */
  fleetDenseBackward(
    x: Ptr,
    how: number,
    w: Ptr,
    saved: Ptr,
    dy: Ptr,
    dz: Ptr,
    dw: Ptr,
    db: Ptr,
    dx: Ptr,
    m: number,
    k: number,
    n: number,
    activation: number,
    scratch: Ptr,
  ): void
  /** Losses take the same arguments as losses of single nets; `out` has one float for each net. */
  fleetBinaryCrossEntropy: Loss
  fleetCrossEntropyIndices: Loss
  /**
   * The hyper-parameters of an update for each net, as floats. The table has 8 addresses of hyper-parameters (doubles, `increment` bytes apart from
   * step to step), 8 addresses of learning rates (doubles), and the bytes by which each of the latter grows per step. Hyper-parameters whose bits are
   * set in `scaledByRate` are multiplied by the rate.
   */
  fleetHyper(to: Ptr, table: Ptr, count: number, scaledByRate: number, increment: number): void
  /** Copies rows of a table, by the indices at `order` (0: from the first row on), to the array of a net, or of all nets if `net` is 8 */
  fleetRows(to: Ptr, net: number, from: Ptr, order: Ptr, rows: number, width: number): void
  /** Copies n elements of one net out of an interleaved array */
  fleetPick(from: Ptr, net: number, to: Ptr, n: number): void
  /** n elements of the array of each net, whose addresses are in the table, into the interleaved one */
  fleetInterleave(to: Ptr, table: Ptr, n: number): void
  /** Copies n elements of the interleaved array to the array of each net, whose addresses are in the table */
  fleetDeinterleave(from: Ptr, table: Ptr, n: number): void
}

/** Kernels that are loaded when a step needs them, by name. The updates of all other optimizers are loaded in the same way. */
export interface OtherFleetKernels {
  fleetSquaredError: Loss
  fleetAbsoluteError: Loss
  fleetHuber: Loss
  fleetCrossEntropyProbabilities: Loss
  /**
   * dropout of n elements. The table has for each net the words of its generator (seed low, seed high, stream, counter) and its rate as
   * a double; counters grow by `increment` at the end.
   */
  fleetDropout(x: Ptr, y: Ptr, n: number, table: Ptr, increment: number): void
}

/** A kernel for eight nets by its name, from any part; undefined if there is none. */
export function fleetKernel(backend: Backend, name: string): unknown {
  for (const part of [FLEET, FLEET_UPDATES, FLEET_OTHERS]) {
    const kernel = backend.part(part)?.[name]
    if (kernel !== undefined) return kernel
  }
  return undefined
}

/** The name for eight nets of a kernel for one net. */
export const fleetName = (name: string): string => `fleet${name[0].toUpperCase()}${name.slice(1)}`

/** The kernels that any fleet needs, on the memory of a backend; undefined in JavaScript. */
export function fleetKernels(backend: Backend): FleetKernels | undefined {
  return backend.part(FLEET) as unknown as FleetKernels | undefined
}
