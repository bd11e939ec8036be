/**
 * Kernels that only some programs need, each part in a text of its own: a program contains a part only if it imports code that needs it. On first use
 * ({@link Backend.part}, families.ts) a part becomes a separate instance on the memory of a backend. ts/build/pack/parts.mjs lists the kernels of
 * each part; the parts of fleets are in fleet-parts.ts, those of rooms in backend/rooms/.
 */

import { shareKernels as shareBatchNorm } from '../threads/batch-norm.js'
import batchNorm from './generated/batch-norm.js'
import descent from './generated/descent.js'
import doubles from './generated/doubles.js'
import losses from './generated/losses.js'
import operations from './generated/operations.js'
import others from './generated/others.js'
import updates from './generated/updates.js'
import type { WasmPart } from './types.js'

/** Kernels in double precision, for solvers. */
export const DOUBLES: WasmPart = { text: doubles }
/** The updates of SGD, plain and with momentum, and SAM's perturbation between two evaluations. */
export const DESCENT: WasmPart = { text: descent }
/** The updates of all optimizers but SGD and Adam. */
export const UPDATES: WasmPart = { text: updates }
/** All losses but the cross-entropy of classes. */
export const LOSSES: WasmPart = { text: losses }
/** Sums over axes and other common operations, softmax and dropout. */
export const OPERATIONS: WasmPart = { text: operations }
/** Operations that are seldom used. */
export const OTHERS: WasmPart = { text: others }
/** Batch normalization. */
export const BATCH_NORM: WasmPart = { text: batchNorm, share: shareBatchNorm }
