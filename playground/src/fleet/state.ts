import { tabState } from '../tab-state'
import type { FleetState } from './axes'

export const fleet = tabState<FleetState>('fleet', {
  data: 'moons',
  x: 'rate',
  y: 'momentum',
  width: 8,
  depth: 1,
  batch: 8,
  rate: 0.3,
  momentum: 0.9,
  decay: 0,
  steps: 240,
  seed: 1,
})
