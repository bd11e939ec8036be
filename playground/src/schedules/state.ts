import { tabState } from '../tab-state'
import { CONSTANT, type ScheduleChoice } from './choice'

/** All that the Schedules tab shows comes from this. */
export interface SchedulesState {
  data: string
  method: string
  rate: number
  batch: number
  steps: number
  seed: number
  choices: readonly ScheduleChoice[]
}

export const schedulesTab = tabState<SchedulesState>('schedules', {
  data: 'moons',
  method: 'SGD',
  rate: 0.5,
  batch: 4,
  steps: 1500,
  seed: 1,
  choices: [CONSTANT, { ...CONSTANT, kind: 'cosine', steps: 1500 }, { ...CONSTANT, kind: 'step', steps: 400, factor: 0.4 }],
})
