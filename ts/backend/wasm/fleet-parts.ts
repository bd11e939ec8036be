/** The parts (parts.ts) of fleets, in a file of their own: a page that splits its code fetches them together with the code that trains fleets. */
import fleet from './generated/fleet.js'
import fleetOthers from './generated/fleet-others.js'
import fleetUpdates from './generated/fleet-updates.js'
import type { WasmPart } from './types.js'

/** Kernels of fleets: eight nets side by side, with losses of classes, and the updates of SGD, Momentum and Adam. */
export const FLEET: WasmPart = { text: fleet }
/** The updates of all other optimizers for fleets. */
export const FLEET_UPDATES: WasmPart = { text: fleetUpdates }
/** Other losses for fleets, and dropout. */
export const FLEET_OTHERS: WasmPart = { text: fleetOthers }
