/** Results of bench/fleet/fleet.ts and bench/fleet/crossover.ts, as stored in bench/results/. */

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
  /** Epochs of each training. */
  epochs: number
  goal: number
  /** Speeds by contestant; contestants that were not measured are missing. */
  speeds: Partial<Record<'together' | 'alone' | 'jax' | 'torch', Speeds>>
  /** Speed of two threads as a multiple of one, in wall-clock time, best by best. */
  twoThreads: number | null
  /** Milliseconds of the first training of this shape: eight nets for one epoch. */
  first: number
  /** The reason why the nets did not run side by side; empty if they did. */
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

/** The sizes from which on nets side by side are no faster than one after the other. */
export interface Crossover {
  cpu: string
  node: string
  date: string
  /** Largest number of weights of a layer for which `fitMany` runs nets side by side. */
  limit: number
  /** Units of both hidden layers. */
  units: readonly number[]
  /** Speed side by side as a multiple of one after the other, for each number of units. */
  lines: { batch: number; times: number[] }[]
}
