/** A table of one step: the formula of an optimizer with its numbers, part by part, while the race runs. */
import { Choice, short } from '../ui/controls'
import { anatomyOf } from './anatomy'
import type { Track } from './race'
import { type DescentState, descent } from './state'

export function AnatomyTable({
  state: { racers, chosen, noise },
  tracks,
  names,
  frame,
}: {
  state: DescentState
  tracks: readonly (Track | null)[]
  names: readonly string[]
  frame: number
}) {
  const index = Math.min(chosen, racers.length - 1)
  const track = tracks[index]
  const found = track && racers[index] ? anatomyOf(track, racers[index], frame, noise) : null
  if (!found) return null
  return (
    <div class="anatomy scroll">
      <table>
        <caption>
          <Choice
            hideLabel
            label="Optimizer whose step is shown"
            value={String(index)}
            options={names.map((name, i) => [String(i), name] as const)}
            onChange={(i) => descent.set({ chosen: Number(i) })}
          />{' '}
          step {found.step}, with its numbers
        </caption>
        <thead>
          <tr>
            <th>Part</th>
            <th>Formula</th>
            <th class="number">x</th>
            <th class="number">y</th>
          </tr>
        </thead>
        <tbody>
          {found.parts.map(({ name, formula, values }, i) => (
            <tr key={i}>
              <th scope="row">{name}</th>
              <td>{formula}</td>
              <td class="number">{short(values[0])}</td>
              <td class="number">{short(values[1])}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
