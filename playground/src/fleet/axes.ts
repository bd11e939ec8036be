/** The hyper-parameters in which nets of the map may differ. */

export type AxisName = 'rate' | 'momentum' | 'cooling' | 'decay' | 'batch' | 'width' | 'depth'

export interface AxisFacts {
  name: AxisName
  label: string
  from: number
  to: number
  log: boolean
  /** The whole numbers that it may be, instead of a range. */
  values?: readonly number[]
  /** The rank that Andrew Ng gives it in his course (docs/guide/choose.md): 1 is tuned first. He does not rank weight decay. */
  rank?: 1 | 2 | 3
}

/** Hyper-parameters in their usual order of importance. */
export const AXES: readonly AxisFacts[] = [
  { name: 'rate', label: 'Learning rate', from: 1e-3, to: 10, log: true, rank: 1 },
  { name: 'momentum', label: 'Momentum β', from: 0, to: 0.99, log: false, rank: 2 },
  { name: 'batch', label: 'Rows a step', from: 2, to: 64, log: true, values: [2, 4, 8, 16, 32, 64], rank: 2 },
  { name: 'width', label: 'Units a layer', from: 2, to: 16, log: true, values: [2, 4, 8, 16], rank: 2 },
  { name: 'depth', label: 'Layers', from: 1, to: 3, log: false, values: [1, 2, 3], rank: 3 },
  { name: 'cooling', label: 'Learning-rate decay', from: 0.1, to: 100, log: true, rank: 3 },
  { name: 'decay', label: 'Weight decay', from: 1e-6, to: 0.1, log: true },
]

export const axis = (name: string): AxisFacts => AXES.find((facts) => facts.name === name) ?? AXES[0]

/** All that the tab of a thousand nets shows comes from this. */
export interface FleetState {
  data: string
  x: string
  y: string
  width: number
  depth: number
  batch: number
  rate: number
  momentum: number
  /** d of η / (1 + d·t), where t goes from 0 to 1 over the training. */
  cooling: number
  decay: number
  steps: number
  seed: number
}
