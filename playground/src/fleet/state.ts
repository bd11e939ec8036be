import { number, oneOf, SEED, whole } from '../checks'
import { tabState } from '../tab-state'
import { AXES, type FleetState } from './axes'

const AXIS = oneOf(AXES.map(({ name }) => name))

export const fleet = tabState<FleetState>(
  'fleet',
  {
    data: 'moons',
    x: 'rate',
    y: 'momentum',
    width: 8,
    depth: 1,
    batch: 8,
    rate: 0.3,
    momentum: 0.9,
    cooling: 0,
    decay: 0,
    steps: 240,
    seed: 1,
  },
  {
    data: oneOf(['moons', 'circles', 'spirals', 'xor']),
    x: AXIS,
    y: AXIS,
    width: whole(1, 64),
    depth: whole(1, 8),
    batch: whole(1, 256),
    rate: number(0, 1e3),
    momentum: number(0, 1),
    cooling: number(0, 1e3),
    decay: number(0, 1),
    steps: whole(1, 10_000),
    seed: SEED,
  },
)
