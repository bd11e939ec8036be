/** Controls and text of the picture that paints every start: which optimizer, and its rate. */
import { useEffect } from 'preact/hooks'
import type { Engine } from '../engine/client'
import { useTask } from '../engine/use-task'
import { methodOf } from '../methods'
import { Button, Choice, Problem, Slider } from '../ui/controls'
import { isDark } from '../ui/palette'
import { type Countries, countriesOf } from './countries'
import type { Surface } from './functions'
import { canPaint, PAINTED, painted } from './rules'
import { captionOf, startsText } from './starts-text'
import { descent, raceOf } from './state'
import type { Racer } from './track'

/** @param onStarts is called with each finer grid, and with null at the end */
export function EveryStart({
  worker,
  range,
  names,
  onStarts,
}: {
  worker: () => Engine
  range: Surface['range']
  names: readonly string[]
  onStarts(countries: Countries | null): void
}) {
  const state = descent.state.value
  const index = painted(state)
  if (index < 0)
    return <p class="says">Every start is painted for {PAINTED.map((id) => methodOf(id).label).join(', ')}: add one of them.</p>
  const { ground, racers, noise, seed, steps } = raceOf(state)
  return <Painted {...{ worker, names, index, onStarts }} input={{ ground, racer: racers[index], noise, seed, steps, range }} />
}

function Painted({
  worker,
  names,
  index,
  input,
  onStarts,
}: {
  worker: () => Engine
  names: readonly string[]
  index: number
  input: { racer: Racer; steps: number } & Parameters<typeof useTask<'starts'>>[2]
  onStarts(countries: Countries | null): void
}) {
  const { racers } = descent.state.value
  const { result, problem } = useTask(worker, 'starts', input)
  useEffect(() => onStarts(result && countriesOf(result)), [result, isDark.value])
  useEffect(() => () => onStarts(null), [])
  const can = racers.flatMap((racer, i) => (canPaint(racer) ? [[String(i), names[i]] as const] : []))
  const { method, rate } = racers[index]
  return (
    <div class="every-start">
      <div class="pair">
        <Choice label="Optimizer" value={String(index)} options={can} onChange={(i) => descent.set({ chosen: Number(i) })} />
        <Slider
          label="Its learning rate"
          value={rate}
          min={1e-4}
          max={3}
          log
          onChange={(rate) => descent.set({ racers: racers.map((racer, i) => (i === index ? { ...racer, rate } : racer)) })}
        />
      </div>
      <Problem text={problem} />
      <Button
        onClick={async () => {
          const { savePicture } = await import('./save-picture')
          const map = document.querySelector<HTMLCanvasElement>('canvas.map')
          if (map) await savePicture(map, captionOf(descent.state.value, input.racer, location.href.replace(/#.*$/, '')))
        }}
      >
        Save picture
      </Button>
      <p class="says">{result ? startsText(result, { ...input.racer, label: methodOf(method).label }, input.steps) : 'Racing…'}</p>
    </div>
  )
}
