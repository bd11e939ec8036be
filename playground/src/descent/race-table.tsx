/** Where the racers are at a step, as a chart's lines and as a table. */
import { short } from '../ui/controls'
import type { Look } from '../ui/looks'
import { Named } from '../ui/methods'
import { arrivalOf } from './arrival'
import { endText } from './ends'
import type { Surface } from './functions'
import type { Verdict } from './inspect'
import { descent } from './state'
import type { Track } from './track'

export function RaceTable({
  tracks,
  looks,
  judged,
  stops,
  frame,
  areBest,
}: {
  tracks: readonly (Track | null)[]
  looks: readonly (Look & { name: string })[]
  /** The function, with the lowest value that is known. */
  judged: Surface
  stops: readonly (Verdict | null)[]
  frame: number
  /** True if each racer has its best rate. */
  areBest: boolean
}) {
  const state = descent.state.value
  const hasProducts = tracks.some((track) => track && track.products > 0)
  return (
    <div class="scroll">
      <table>
        <caption>{areBest ? 'Where each has come to, at its best rate' : 'Where each has come to'}</caption>
        <thead>
          <tr>
            <th>Optimizer</th>
            <th class="number">Value now</th>
            <th class="number">Arrived at step</th>
            <th class="number spare" title="Gradients computed">
              Gradients
            </th>
            {hasProducts && (
              <th class="number spare" title="Products of the Hessian with a vector; a whole Hessian of two numbers is two of them">
                H·v
              </th>
            )}
            <th class="wide">At the end</th>
          </tr>
        </thead>
        <tbody>
          {state.racers.map(({ method }, i) => {
            const track = tracks[i]
            if (!track) return null
            const step = Math.min(Math.round(frame), track.steps)
            // What is known at the end alone is not told before.
            const isAtEnd = step === track.steps
            const arrived = judged.lowest === null ? null : arrivalOf(track, judged.lowest, state.epsilon)
            return (
              <tr key={`${i}-${method}`}>
                <td>
                  <Named look={looks[i]}>{looks[i].name}</Named>
                </td>
                <td class="number">{short(track.values[step])}</td>
                <td class="number">{judged.lowest === null ? '–' : arrived !== null && arrived <= step ? arrived : 'not yet'}</td>
                <td class="number spare">{isAtEnd ? track.evaluations : '…'}</td>
                {hasProducts && <td class="number spare">{isAtEnd ? track.products : '…'}</td>}
                <td>{isAtEnd ? endText(track, stops[i] ?? null, judged, state) : '…'}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

/** Values above the lowest, on a logarithmic axis where the lowest is known. */
export function valuesChart(tracks: readonly (Track | null)[], { lowest }: Surface) {
  const longest = Math.max(1, ...tracks.map((track) => track?.steps ?? 0))
  const steps = Array.from({ length: longest + 1 }, (_, i) => i)
  const log = lowest !== null
  const line = (track: Track | null) =>
    steps.map((step) => {
      if (!track || step > track.steps) return null
      const value = track.values[step]
      if (!Number.isFinite(value) || Math.abs(value) > 1e9) return null
      return log ? Math.max(value - lowest, 1e-16) : value
    })
  return { title: log ? 'Height above the minimum' : 'Value', log, data: [steps, ...tracks.map(line)] }
}
