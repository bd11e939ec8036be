/** A table of one step: the formula of an optimizer with its numbers, part by part. In slow motion each part is drawn on the map. */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { Button, Choice, short } from '../ui/controls'
import type { Look } from '../ui/looks'
import { anatomyOf } from './anatomy'
import { partPainter } from './anatomy-part'
import type { Scene } from './map'
import { type DescentState, descent } from './state'
import type { Track } from './track'

/** Milliseconds of a part. */
const SLOWLY = 1100

export function AnatomyTable({
  state: { racers, chosen, noise, isPlaying },
  tracks,
  looks,
  frame,
  onOver,
  onFrame,
}: {
  state: DescentState
  tracks: readonly (Track | null)[]
  looks: readonly (Look & { name: string })[]
  frame: number
  /** Called with what draws the part that is shown; null for none. */
  onOver(over: Scene['over']): void
  /** Moves the race to a step. */
  onFrame(frame: number): void
}) {
  /** The part that is shown; −1 for none. */
  const shown = useSignal(-1)
  const isRunning = useSignal(false)
  const index = Math.min(chosen, racers.length - 1)
  const track = tracks[index]
  const found = track && racers[index] ? anatomyOf(track, racers[index], frame, noise) : null
  const part = found?.parts[shown.value]
  const isLast = found !== null && shown.value >= found.parts.length - 1
  const key = part && `${found.step} ${shown.value} ${part.values} ${looks[index]?.colour}`
  useEffect(() => {
    onOver(part && track && part.draws !== 'place' ? partPainter(track, found.step - 1, part, looks[index].colour) : null)
  }, [key])
  useEffect(() => () => onOver(null), [])
  useEffect(() => {
    if (isPlaying) isRunning.value = false
    if (isPlaying) shown.value = -1
  }, [isPlaying])
  useEffect(() => {
    if (!isRunning.value || !found || !track) return
    const timer = setTimeout(() => {
      if (!isLast) shown.value++
      else if (found.step >= track.steps) isRunning.value = false
      else {
        onFrame(found.step)
        shown.value = 0
      }
    }, SLOWLY)
    return () => clearTimeout(timer)
  }, [isRunning.value, shown.value, found?.step])
  if (!found) return null
  const slowly = () => {
    isRunning.value = !isRunning.value
    if (!isRunning.value) return
    descent.set({ isPlaying: false })
    // From its end a race begins again.
    onFrame(track && frame >= track.steps ? 0 : Math.floor(frame))
    shown.value = 0
  }
  return (
    <div class="anatomy scroll">
      <div class="toolbar">
        <Choice
          hideLabel
          label="Optimizer whose step is shown"
          value={String(index)}
          options={looks.map(({ name }, i) => [String(i), name] as const)}
          onChange={(i) => descent.set({ chosen: Number(i) })}
        />
        <Button onClick={slowly}>{isRunning.value ? 'Stop' : 'Slow motion'}</Button>
      </div>
      <table>
        <caption>Step {found.step}, with its numbers</caption>
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
            <tr
              key={i}
              class={i === shown.value ? 'shown' : ''}
              onPointerEnter={() => {
                if (!isRunning.value && !isPlaying) shown.value = i
              }}
            >
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
