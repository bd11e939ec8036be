/** What the runs of the Train tab are called, and how their curves look. */
import { methodOf } from '../methods'
import { short } from '../ui/controls'
import { looksOf } from '../ui/looks'
import { present, type TrainState } from './state'

export const rowsText = (batch: number) => (batch === 0 ? 'all rows' : batch === 1 ? '1 row' : `${batch} rows`)
export const runName = ({ method, batch, rate }: { method: string; batch: number; rate: number }) =>
  `${methodOf(method).label} ${short(rate, 2)}, ${rowsText(batch)}`

export const runLooks = (state: TrainState) => looksOf(state.runs.map((_, i) => present(state, i).method))
