/** What bench/fleet/fleet.ts and bench/fleet/crossover.ts measure, as they keep it in bench/results/. */

/** Net-steps per second of processor time, of several trainings. */
export interface Speeds {
  best: number
  median: number
}

/** One net of {@link FleetResults}. */
export interface FleetRow {
  net: string
  batch: number
  nets: number
  /** Of each training. */
  epochs: number
  goal: number
  /** By contestant; those that were not measured are left out. */
  speeds: Partial<Record<'together' | 'alone' | 'jax' | 'torch', Speeds>>
  /** How many times as fast two threads are as one, by the clock on the wall, best by best. */
  twoThreads: number | null
  /** Milliseconds of the first training of its shape: eight nets, an epoch. */
  first: number
  /** Why the nets did not go side by side; empty where they did. */
  reason: string
}

/** The table of bench/fleet/fleet.ts on one runtime. */
export interface FleetResults {
  cpu: string
  node: string
  variant: string
  date: string
  rows: FleetRow[]
}

/** Where nets side by side are no faster than one after the other. */
export interface Crossover {
  cpu: string
  node: string
  date: string
  /** The most weights of a layer that the planner puts side by side. */
  limit: number
  /** Units of both hidden layers. */
  units: readonly number[]
  /** How many times as fast nets are side by side as one after the other, for each number of units. */
  lines: { batch: number; times: number[] }[]
}
