/** Functions of two numbers, and optimizers that race down them. */
import { useSignal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { engineOnDemand } from '../engine/client'
import { useTask } from '../engine/use-task'
import { methodOf } from '../methods'
import { Panel, Segments, short, Toggle } from '../ui/controls'
import { LineChart } from '../ui/line-chart'
import { looksOf } from '../ui/looks'
import { isDark } from '../ui/palette'
import { usePlayback } from '../ui/playback'
import { usePart } from '../ui/use-part'
import { lowestFound } from './arrival'
import type { Countries } from './countries'
import { verdictText } from './ends'
import { surfaceOf } from './functions'
import { type Scene, widened } from './map'
import { RaceTable, valuesChart } from './race-table'
import { DescentSettings } from './settings'
import { keyText, sizesOf } from './sizes'
import { type DescentRacer, descent, groundOf } from './state'
import { useRace } from './use-race'
import { MapView, Turnable } from './views'

const worker = engineOnDemand()

export function DescentTab() {
  const state = descent.state.value
  const surface = surfaceOf(state)
  const starts = useSignal<Countries | null>(null)
  const ground = groundOf(state)
  const groundKey = JSON.stringify([state.surface, ground])
  /** Width over height of the map; 0 until it is there. */
  const aspect = useSignal(0)
  const range = state.view === 'surface' ? surface.range : aspect.value > 0 ? widened(surface.range, aspect.value) : null

  const landscape = useTask(worker, 'landscape', range && { ground, range })
  const { tracks, stops, problem: raceProblem, pointed, trace, inspect, follow, sweep, isSweeping, areBest } = useRace(worker, state)
  const longest = Math.max(1, ...tracks.value.map((track) => track?.steps ?? 0))
  const playback = usePlayback({
    length: longest,
    speed: state.speed,
    isPlaying: state.isPlaying,
    onPlaying: (isPlaying) => descent.set({ isPlaying }),
  })
  const problem = landscape.problem || raceProblem.value
  useEffect(
    () => playback.rewind(),
    [groundKey, JSON.stringify(state.racers.map(({ method }) => method)), state.noise, state.seed, state.steps],
  )

  // The formulas come after the first picture.
  const anatomy = usePart(true, () => import('./anatomy-table'))
  const everyStart = usePart(state.everyStart, () => import('./every-start'))
  const surfacePainter = usePart(state.view === 'surface', () => import('./surface'))
  const isFairOpen = useSignal(false)
  const fairPanel = usePart(isFairOpen.value, () => import('./fair-panel'))
  const over = useSignal<{ paint: Scene['over'] }>({ paint: null })
  const isPainted = state.view === 'map' && state.everyStart

  // The same list in each frame: pictures are painted again when it changes.
  const looks = useMemo(
    () => looksOf(state.racers.map(({ method }) => method)).map((look, i) => ({ ...look, name: nameOf(state.racers, i) })),
    [state.racers, isDark.value],
  )
  const sizes = useMemo(() => sizesOf(tracks.value), [tracks.value])
  const scene = {
    ...{ surface, landscape: landscape.result, tracks: tracks.value, looks, sizes, start: state.start, frame: playback.frame },
    ...{ over: over.value.paint, showState: state.showState && !isPainted && !over.value.paint, verdict: isPainted ? null : pointed.value },
    ...{ starts: isPainted ? starts.value : null, trace: isPainted ? trace.value : null },
  }
  const judged = surface.id === 'own' ? { ...surface, lowest: lowestFound(tracks.value, stops.value) } : surface
  const chart = useMemo(() => valuesChart(tracks.value, judged), [tracks.value, surface.id, judged.lowest])

  return (
    <div class="tab">
      <section class="stage" aria-label="Race">
        <div class="toolbar">
          <Segments
            label="View"
            value={state.view}
            options={[
              ['map', 'Map'],
              ['surface', 'Surface'],
            ]}
            onChange={(view) => descent.set({ view })}
          />
          {!isPainted && <Toggle label="Velocity and scale" value={state.showState} onChange={(showState) => descent.set({ showState })} />}
          {state.view === 'map' && (
            <Toggle label="Every start" value={state.everyStart} onChange={(everyStart) => descent.set({ everyStart })} />
          )}
        </div>
        {state.view === 'map' ? (
          <MapView
            scene={scene}
            surface={surface}
            onAspect={(shape) => {
              aspect.value = shape
            }}
            onStart={(start) => descent.set({ start })}
            onPoint={(at) => {
              inspect(at)
              if (isPainted && everyStart) follow(at)
            }}
            onLeave={() => {
              pointed.value = trace.value = null
            }}
          />
        ) : (
          surfacePainter && <Turnable scene={scene} paintSurface={surfacePainter.paintSurface} />
        )}
        {isPainted && range && everyStart && (
          <everyStart.EveryStart
            worker={worker}
            range={range}
            names={looks.map(({ name }) => name)}
            onStarts={(countries) => {
              starts.value = countries
              if (countries === null) trace.value = null
            }}
          />
        )}
        {playback.bar}
        {state.showState && !isPainted && <p class="says key">{keyText(state.racers.map(({ method }) => methodOf(method)))}</p>}
        <p class="verdict" aria-live="off">
          {pointed.value
            ? verdictText(pointed.value)
            : state.view === 'map'
              ? 'Drag the start (⊕). Point anywhere to learn what kind of place it is.'
              : 'Drag to turn.'}
        </p>
      </section>
      <section class="results" aria-label="Results">
        <LineChart
          title={chart.title}
          xLabel="steps"
          data={chart.data}
          log={chart.log}
          at={playback.frame}
          lines={looks.map(({ name, ...look }) => ({ label: name, ...look }))}
        />
        <RaceTable {...{ looks, judged }} tracks={tracks.value} stops={stops.value} frame={playback.frame} areBest={areBest} />
        {judged.lowest !== null && (
          <p class="says">
            Arrived: from this step on the value stays within {short(state.epsilon)} of the lowest, which is {short(judged.lowest)}.
          </p>
        )}
        <Panel
          title="How fair is this race?"
          open={false}
          onToggle={(isOpen) => {
            isFairOpen.value = isOpen
          }}
        >
          {isFairOpen.value && fairPanel && (
            <fairPanel.FairPanel worker={worker} state={state} surface={surface} looks={looks} onBest={() => sweep('all')} />
          )}
        </Panel>
        <Panel title="Anatomy of a step: the formula with its numbers">
          {anatomy && (
            <anatomy.AnatomyTable
              state={state}
              tracks={tracks.value}
              looks={looks}
              frame={playback.frame}
              onOver={(paint) => {
                over.value = { paint }
              }}
              onFrame={playback.seek}
            />
          )}
        </Panel>
      </section>
      <DescentSettings {...{ worker, problem, looks, sweep }} isSweeping={isSweeping.value} />
    </div>
  )
}

/** Two racers of a kind are distinguished by their rates. */
function nameOf(racers: readonly DescentRacer[], i: number): string {
  const { method, rate } = racers[i]
  const { label } = methodOf(method)
  return racers.some((other, k) => k !== i && other.method === method) ? `${label} ${short(rate)}` : label
}
