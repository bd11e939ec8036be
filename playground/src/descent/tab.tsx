/** Functions of two numbers, and optimizers that race down them. */
import { useSignal } from '@preact/signals'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { engineOnDemand } from '../engine/client'
import { latest } from '../engine/latest'
import { useTask } from '../engine/use-task'
import { methodOf } from '../methods'
import { Canvas } from '../ui/canvas'
import { Button, Choice, CopyButton, Panel, Problem, Segments, Settings, Slider, short, Toggle } from '../ui/controls'
import { SeedSlider } from '../ui/data-choice'
import { LineChart } from '../ui/line-chart'
import { looksOf } from '../ui/looks'
import { Decays, MethodChoice, Named, RowHead } from '../ui/methods'
import { isDark } from '../ui/palette'
import { usePlayback } from '../ui/playback'
import { usePart } from '../ui/use-part'
import { arrivalOf } from './arrival'
import type { Countries } from './countries'
import { endText, isNearMinimum } from './ends'
import { SURFACES, type Surface, surfaceOf } from './functions'
import type { Verdict } from './inspect'
import { paintMap, projection, type Scene, widened } from './map'
import type { RaceInput, Track } from './race'
import { painted } from './rules'
import { keyText, sizesOf } from './sizes'
import { chooseSurface, type DescentRacer, type DescentState, descent, groundOf, raceOf, racer } from './state'

const worker = engineOnDemand()

const MAX_RACERS = 12
/** The ε of Adam and RMSProp, where none is chosen. */
const USUAL_EPSILON = 1e-8
/** The left end of the slider, which stands for no noise. */
const MIN_NOISE = 0.01

export function DescentTab() {
  const state = descent.state.value
  const surface = surfaceOf(state)
  const tracks = useSignal<readonly (Track | null)[]>([])
  const raceProblem = useSignal('')
  const pointed = useSignal<{ at: readonly [number, number]; verdict: Verdict } | null>(null)
  const stops = useSignal<readonly (Verdict | null)[]>([])
  const starts = useSignal<Countries | null>(null)
  const trace = useSignal<Track | null>(null)
  const longest = Math.max(1, ...tracks.value.map((track) => track?.steps ?? 0))
  const playback = usePlayback({
    length: longest,
    speed: state.speed,
    isPlaying: state.isPlaying,
    onPlaying: (isPlaying) => descent.set({ isPlaying }),
  })
  const ground = groundOf(state)
  const groundKey = JSON.stringify([state.surface, ground])
  /** Width over height of the map; 0 until it is there. */
  const aspect = useSignal(0)
  const range = state.view === 'surface' ? surface.range : aspect.value > 0 ? widened(surface.range, aspect.value) : null

  useEffect(() => {
    pointed.value = null
  }, [groundKey])
  const landscape = useTask(worker, 'landscape', range && { ground, range })
  const problem = landscape.problem || raceProblem.value
  const raceKey = raceKeyOf(state)
  // If other races are requested meanwhile, as when the start is dragged, only the last of them runs.
  const [raceNow, inspect, follow] = useMemo(
    () => [
      latest(async (input: RaceInput) => {
        try {
          const result = await worker().ask('race', input)
          tracks.value = result
          stops.value = []
          stops.value = await Promise.all(
            result.map((track) =>
              track.end === 'diverged' || track.end === 'undefined'
                ? null
                : worker()
                    .ask('inspect', { ground: input.ground, at: lastOf(track) })
                    .catch(() => null),
            ),
          )
          raceProblem.value = ''
        } catch (error) {
          raceProblem.value = (error as Error).message
        }
      }),
      latest(async (at: readonly [number, number]) => {
        const verdict = await worker()
          .ask('inspect', { ground: groundOf(descent.state.value), at })
          .catch(() => null)
        pointed.value = verdict && { at, verdict }
      }),
      // The race from a place that is pointed at.
      latest(async (start: [number, number]) => {
        const input = raceOf(descent.state.value)
        const racer = input.racers[painted(descent.state.value)]
        if (racer)
          [trace.value] = await worker()
            .ask('race', { ...input, start, racers: [racer] })
            .catch(() => [null])
      }),
    ],
    [],
  )
  useEffect(() => {
    raceNow(raceOf(descent.state.value))
  }, [raceKey])
  useEffect(
    () => playback.rewind(),
    [groundKey, JSON.stringify(state.racers.map(({ method }) => method)), state.noise, state.seed, state.steps],
  )

  const isSweeping = useSignal(false)
  /** The latest race whose rates are known to be the best, as a key. */
  const fair = useSignal(fairKeyOf(descent.defaults))
  /** Gives racers the rates of a sweep: all, or the last one. */
  const sweep = async (which: 'all' | 'last') => {
    const asked = descent.state.value
    const { racers, epsilon } = asked
    const { range, lowest } = surfaceOf(asked)
    const from = which === 'all' ? 0 : racers.length - 1
    isSweeping.value = true
    const rates = await worker()
      .ask('bestRates', { ...raceOf({ ...asked, racers: racers.slice(from) }), range, lowest, epsilon })
      .catch(() => [])
    isSweeping.value = false
    // Not where other racers have been chosen meanwhile.
    if (descent.state.value.racers !== racers) return
    const rated = racers.map((one, i) => ({ ...one, rate: rates[i - from] ?? one.rate }))
    descent.set({ racers: rated })
    // If the start or something else has changed meanwhile, these are the best rates of the race before.
    if (which === 'all' && rates.length > 0) fair.value = fairKeyOf({ ...asked, racers: rated })
  }

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
  const hasProducts = tracks.value.some((track) => track && track.products > 0)
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
        <div class="scroll">
          <table>
            <caption>{fair.value === fairKeyOf(state) ? 'Where each has come to, at its best rate' : 'Where each has come to'}</caption>
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
                const track = tracks.value[i]
                if (!track) return null
                const step = Math.min(Math.round(playback.frame), track.steps)
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
                    <td>{isAtEnd ? endText(track, stops.value[i] ?? null, judged, state) : '…'}</td>
                  </tr>
                )
              })}
            </tbody>
          </table>
        </div>
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
      <Settings>
        <Panel title="Function">
          <Choice
            label="Function"
            value={state.surface}
            options={[...SURFACES.map(({ id, label }) => [id, label] as const), ['own', 'Your own formula…'] as const]}
            onChange={(id) => {
              chooseSurface(id)
              sweep('all')
            }}
          />
          {state.surface === 'own' && (
            <div class="field">
              <label for="formula">f(x, y) =</label>
              <input
                id="formula"
                type="text"
                value={state.formula}
                spellcheck={false}
                aria-invalid={problem !== ''}
                onInput={(e) => descent.set({ formula: e.currentTarget.value })}
              />
            </div>
          )}
          <Problem text={problem} />
          <p class="says">{surface.says}</p>
          {state.surface === 'ravine' && (
            <Slider
              label="Condition number"
              value={state.condition}
              min={1}
              max={200}
              log
              onChange={(condition) => descent.set({ condition })}
            />
          )}
          <Slider
            label="Noise in gradients"
            value={state.noise || MIN_NOISE}
            min={MIN_NOISE}
            max={100}
            log
            show={(noise) => (noise <= MIN_NOISE ? 'none' : short(noise))}
            hint="Standard deviation of what is added to each gradient, as mini-batches do"
            onChange={(noise) => descent.set({ noise: noise <= MIN_NOISE ? 0 : noise })}
          />
          <Slider label="Steps" value={state.steps} min={20} max={1000} step={10} onChange={(steps) => descent.set({ steps })} />
          <Slider label="Arrived within" value={state.epsilon} min={1e-6} max={1} log onChange={(epsilon) => descent.set({ epsilon })} />
        </Panel>
        <Panel title="Racers">
          <ol class="racers">
            {state.racers.map(({ method, rate, options }, i) => {
              const change = (changes: object) => descent.set({ racers: state.racers.map((r, k) => (k === i ? { ...r, ...changes } : r)) })
              const { label, rate: usual, says, hasEpsilon } = methodOf(method)
              return (
                // Not by its method: whoever chooses one by key stays in the list.
                <li key={i} title={says}>
                  <RowHead
                    look={looks[i]}
                    remove={`Remove ${label}`}
                    onRemove={() => descent.set({ racers: state.racers.filter((_, k) => k !== i) })}
                  >
                    <MethodChoice
                      label={`Optimizer ${i + 1}`}
                      value={method}
                      onChange={(id) => descent.set({ racers: state.racers.map((r, k) => (k === i ? racer(id, surface) : r)) })}
                    />
                  </RowHead>
                  {usual !== null && (
                    <Slider
                      label={rateLabel(method, rate, options)}
                      value={rate}
                      min={1e-5}
                      max={3}
                      log
                      onChange={(value) => change({ rate: value })}
                    />
                  )}
                  <Decays method={method} options={options} onChange={(options) => change({ options })} />
                  {hasEpsilon && (
                    <Slider
                      label="ε"
                      value={Number(options.epsilon ?? USUAL_EPSILON)}
                      min={1e-10}
                      max={1000}
                      log
                      hint="Is added to the root that it divides by"
                      onChange={(epsilon) => change({ options: { ...options, epsilon } })}
                    />
                  )}
                </li>
              )
            })}
          </ol>
          {state.racers.length < MAX_RACERS && (
            <MethodChoice
              label="Add an optimizer"
              value=""
              add
              onChange={(id) => {
                descent.set({ racers: [...state.racers, racer(id, surface)] })
                sweep('last')
              }}
            />
          )}
          <Button disabled={isSweeping.value} onClick={() => sweep('all')}>
            Each at its best rate
          </Button>
          <p class="says">Rates decide a race. The best of 37 is that with which the slowest of five starts around here arrives soonest.</p>
          <CopyButton text={async () => (await import('./code')).descentCode(state, await worker().ask('program', ground))}>
            Copy as code
          </CopyButton>
        </Panel>
        <Panel title="More" open={false}>
          <SeedSlider label="Seed of the noise" value={state.seed} onChange={(seed) => descent.set({ seed })} />
          <Slider label="Steps a second" value={state.speed} min={2} max={400} log onChange={(speed) => descent.set({ speed })} />
        </Panel>
      </Settings>
    </div>
  )
}

const raceKeyOf = (state: DescentState) => JSON.stringify([state.surface, raceOf(state)])
/** The best rates depend on ε as well. */
const fairKeyOf = (state: DescentState) => raceKeyOf(state) + state.epsilon

/** Of Momentum, whose velocity is a mean of gradients, with the rate of the form that adds them up. */
const rateLabel = (method: string, rate: number, { beta = 0.9 }: DescentRacer['options']) =>
  method === 'Momentum' ? `Learning rate (PyTorch ${short(rate * (1 - Number(beta)), 2)})` : 'Learning rate'

/** Two racers of a kind are distinguished by their rates. */
function nameOf(racers: readonly DescentRacer[], i: number): string {
  const { method, rate } = racers[i]
  const { label } = methodOf(method)
  return racers.some((other, k) => k !== i && other.method === method) ? `${label} ${short(rate)}` : label
}

const lastOf = ({ path, steps }: Track): [number, number] => [path[2 * steps], path[2 * steps + 1]]

function MapView({
  scene,
  surface,
  onAspect,
  onStart,
  onPoint,
  onLeave,
}: {
  scene: Parameters<typeof paintMap>[1]
  surface: Surface
  onAspect(aspect: number): void
  onStart(at: [number, number]): void
  onPoint(at: [number, number]): void
  onLeave(): void
}) {
  const isDragging = useRef(false)
  const at = (e: PointerEvent): [number, number] => {
    const canvas = e.currentTarget as HTMLCanvasElement
    const box = canvas.getBoundingClientRect()
    const to = projection(surface, box.width, box.height)
    return [rounded(to.x(e.clientX - box.left)), rounded(to.y(e.clientY - box.top))]
  }
  const nudge = (e: KeyboardEvent) => {
    const steps: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }
    const by = steps[e.key]
    if (!by) return
    e.preventDefault()
    const [[left, right], [bottom, top]] = surface.range
    const step = Math.max(right - left, top - bottom) / 50
    const [x, y] = scene.start
    const next: [number, number] = [rounded(x + by[0] * step), rounded(y + by[1] * step)]
    onStart(next)
    onPoint(next)
  }
  return (
    <Canvas
      class="map"
      tabIndex={0}
      label={`${surface.label} from above, with the ways of the optimizers. Arrow keys move the start.`}
      when={[
        scene.landscape,
        scene.starts,
        scene.trace,
        scene.tracks,
        scene.looks,
        scene.frame,
        scene.start,
        scene.showState,
        scene.verdict,
        scene.over,
        isDark.value,
      ]}
      paint={(painting) => {
        onAspect(Number((painting.width / painting.height).toFixed(2)))
        paintMap(painting, scene)
      }}
      onKeyDown={nudge}
      onPointerDown={(e) => {
        isDragging.current = true
        e.currentTarget.setPointerCapture(e.pointerId)
        onStart(at(e))
        onPoint(at(e))
      }}
      onPointerMove={(e) => {
        if (isDragging.current) onStart(at(e))
        onPoint(at(e))
      }}
      onPointerUp={() => (isDragging.current = false)}
      onPointerLeave={onLeave}
    />
  )
}

const rounded = (v: number) => Number(v.toFixed(3))

function Turnable({ scene, paintSurface }: { scene: Scene; paintSurface: typeof import('./surface').paintSurface }) {
  const { turn, tilt } = descent.state.value
  const from = useRef<{ x: number; y: number; turn: number; tilt: number } | null>(null)
  const set = (turn: number, tilt: number) => descent.set({ turn: rounded(turn), tilt: rounded(Math.min(Math.max(tilt, 0.15), 1.5)) })
  const key = (e: KeyboardEvent) => {
    const steps: Record<string, [number, number]> = {
      ArrowLeft: [-0.1, 0],
      ArrowRight: [0.1, 0],
      ArrowUp: [0, 0.08],
      ArrowDown: [0, -0.08],
    }
    if (!steps[e.key]) return
    e.preventDefault()
    set(turn + steps[e.key][0], tilt + steps[e.key][1])
  }
  return (
    <Canvas
      class="map"
      tabIndex={0}
      label={`${scene.surface.label} as a surface. Arrow keys turn it.`}
      when={[scene.landscape, scene.tracks, scene.frame, turn, tilt, isDark.value]}
      paint={(painting) => paintSurface(painting, scene, { turn, tilt })}
      onKeyDown={key}
      onPointerDown={(e) => {
        e.currentTarget.setPointerCapture(e.pointerId)
        from.current = { x: e.clientX, y: e.clientY, turn, tilt }
      }}
      onPointerMove={(e) => {
        const start = from.current
        if (start) set(start.turn + (e.clientX - start.x) / 150, start.tilt + (e.clientY - start.y) / 200)
      }}
      onPointerUp={() => (from.current = null)}
    />
  )
}

/** For a typed function: the lowest minimum at which a racer came to rest, unless a racer has been below it. */
function lowestFound(tracks: readonly (Track | null)[], stops: readonly (Verdict | null)[]): number | null {
  const least = Math.min(...stops.flatMap((stop) => (stop?.kind === 'minimum' ? [stop.value] : [])))
  const isLowest = tracks.every((track) => !track?.values.some((value) => value < least - 1e-9))
  return Number.isFinite(least) && isLowest ? least : null
}

/** Values above the lowest, on a logarithmic axis where the lowest is known. */
function valuesChart(tracks: readonly (Track | null)[], { lowest }: Surface) {
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

function verdictText({ at: [x, y], verdict }: { at: readonly [number, number]; verdict: Verdict }): string {
  const { kind, value, gradient, eigenvalues } = verdict
  const norm = Math.hypot(...gradient)
  const negative = eigenvalues.filter((v) => v < 0)
  const curvature =
    negative.length === 0
      ? `curved up both ways (${short(eigenvalues[0], 2)} and ${short(eigenvalues[1], 2)})`
      : negative.length === 1
        ? `one negative eigenvalue, ${short(negative[0], 2)}`
        : `curved down both ways (${short(eigenvalues[0], 2)} and ${short(eigenvalues[1], 2)})`
  const word = kind !== 'slope' ? kind : isNearMinimum(verdict) ? 'near a minimum' : norm < 1e-2 ? 'plateau' : 'slope'
  return `(${short(x)}, ${short(y)}): ${word}, f = ${short(value)}, gradient ${short(norm, 2)}, ${curvature}`
}
