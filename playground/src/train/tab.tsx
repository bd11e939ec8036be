/** The Train tab: a net that learns while one watches. */
import { useSignal } from '@preact/signals'
import type { TargetedPointerEvent } from 'preact'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { engineOnDemand } from '../engine/client'
import { useSession } from '../engine/use-session'
import { methodOf } from '../methods'
import { SCHEDULES, type ScheduleChoice, type ScheduleKind, scheduleFacts } from '../schedules/choice'
import { Canvas } from '../ui/canvas'
import { Button, Choice, CopyButton, Panel, Problem, Segments, Settings, Slider, short, Toggle } from '../ui/controls'
import { DataChoice, SeedSlider } from '../ui/data-choice'
import { LineChart } from '../ui/line-chart'
import { looksOf } from '../ui/looks'
import { Decays, MethodChoice, Named, RowHead } from '../ui/methods'
import { colour, isDark } from '../ui/palette'
import { usePart } from '../ui/use-part'
import type { Backprop } from './backprop'
import { TrainBar } from './bar'
import type { Change } from './config'
import type { Examples } from './examples'
import type { Noise } from './noise'
import { classColour, paintBoundary, paintHistogram, paintNet } from './pictures'
import type { Pointed } from './pointed'
import type { Frame } from './session'
import { configOf, LARGEST_TABLE, present, remember, run, startAfresh, type TrainState, train } from './state'
import type { Curve } from './trainer'
import type { NetView } from './view'

const worker = engineOnDemand()

const TOO_LARGE = `a table of this page wants at most ${LARGEST_TABLE / 1e6} MB; gradus/data reads larger ones`
/** Steps before the first picture for people who want less motion. */
const STILL = 300
const MAX_LAYERS = 4
const MAX_UNITS = 10
const MAX_RUNS = 4
/** Drawn points to begin with, so that there is something to learn. */
const DRAWN = [-0.5, 0.4, 0, -0.6, 0.1, 0, -0.3, 0.6, 0, -0.7, 0.3, 0, 0.5, -0.4, 1, 0.4, -0.1, 1, 0.6, -0.6, 1, 0.3, -0.5, 1]

export function TrainTab() {
  const state = train.state.value
  const examples = useSignal<Examples | null>(null)
  const backend = useSignal('')
  const verdict = useSignal('')
  const digit = useSignal<number[] | null>(null)
  const refused = useSignal('')
  const furthest = useRef(0)

  // A new start needs a new session; changes of settings go to the running session.
  const { changes: _, ...start } = configOf(state)
  const table = tableNumber(state.csv)
  const startKey = JSON.stringify({ ...start, data: { ...start.data, csv: table } })
  // The last picture stays until the next one comes, unless it is of other inputs or another net.
  const shape = JSON.stringify([state.data, state.hidden, table, state.target])
  const shownShape = useRef(shape)
  const isFirst = useRef(true)
  useEffect(() => {
    if (!isFirst.current) furthest.current = 0
    isFirst.current = false
    ghosts.value = []
    pointed.value = held.value = null
    if (shape !== shownShape.current) {
      frame.value = null
      looked.value = {}
    }
    shownShape.current = shape
    verdict.value = ''
  }, [startKey])
  const { frame, problem, tell, begin, bar } = useSession({
    ...{ worker, task: 'session', tab: train, still: STILL, key: startKey },
    input: () => {
      const { chosen, across, upwards, xray, sharpness } = train.state.value
      return { config: configOf(train.state.value), chosen, axes: [across, upwards] as const, xray, sharpness }
    },
    onUpdate: (update) => {
      if (update.type === 'frame') furthest.current = Math.max(furthest.current, update.frame.step)
      else if (update.type === 'data') {
        examples.value = update.examples
        backend.value = update.backend
      } else if (update.type === 'changed') remember(update.change)
      else if (update.type === 'inspection') verdict.value = update.text
      else if (update.type === 'digit') digit.value = update.outputs
      else looked.value = { ...looked.value, ...update }
    },
  })
  /** The part of the net under the pointer, and the weight that was clicked. */
  const [pointed, held] = [useSignal<Pointed | null>(null), useSignal<(Pointed & { kind: 'weight' }) | null>(null)]
  const hasPointer = useSignal(false)
  const parts = usePart(hasPointer.value, () => import('./part-text'))
  const csvChoice = usePart(state.data === 'csv', () => import('./csv-choice'))
  const pad = usePart(state.data === 'digits', () => import('./digit-pad'))
  const looked = useSignal<{ backprop?: Backprop; noise?: Noise }>({})
  const backpropPanel = usePart(state.backprop, () => import('./backprop-panel'))
  const noisePanel = usePart(state.variance, () => import('./noise-panel'))
  const row = useRef(0)
  // One row through the net of each step that is shown, and the noise whenever it stands still.
  const shownStep = frame.value ? `${frame.value.weights} ${frame.value.step}` : ''
  useEffect(() => {
    if (!state.backprop || shownStep === '') return
    tell({ type: 'backprop', row: row.current })
  }, [state.backprop, shownStep, state.chosen])
  useEffect(() => {
    if (!state.variance || shownStep === '' || (state.isPlaying && looked.value.noise)) return
    tell({ type: 'variance' })
    // While it plays, of the first picture; later ones would come faster than the noise is measured.
  }, [state.variance, state.isPlaying ? shownStep !== '' : shownStep, state.chosen])
  const xrayPanel = usePart(state.xray, () => import('./xray-panel'))
  const sharpnessPanel = usePart(state.sharpness, () => import('./sharpness-panel'))
  const watched = `${state.xray} ${state.sharpness}`
  const wasWatched = useRef(watched)
  useEffect(() => {
    // These look from the first step on: the run is taken again up to where it is, with the same bits.
    if (watched !== wasWatched.current) begin(train.state.value.at)
    wasWatched.current = watched
  }, [watched])
  const { across, upwards } = state
  useEffect(() => tell({ type: 'choose', chosen: state.chosen, axes: [across, upwards] }), [state.chosen, across, upwards])
  /** Changes a setting of a run: from the next step on if it is under way, from the start otherwise. */
  const turn = (index: number, what: Omit<Change, 'step' | 'run'>) => {
    const { at, runs } = train.state.value
    if (at === 0) train.set({ runs: runs.map((run, i) => (i === index ? { ...run, ...what } : run)), changes: [] })
    else tell({ type: 'change', change: { run: index, ...what } })
  }

  /** Trains on a table of the visitor. */
  const open = async (file: File | undefined) => {
    if (!file) return
    if (file.size > LARGEST_TABLE) {
      refused.value = TOO_LARGE
      return
    }
    refused.value = ''
    const { hidden } = train.state.value
    startAfresh({ data: 'csv', csv: await file.text(), target: '', across: 0, upwards: 1, hidden: hidden.length === 0 ? [8] : hidden })
  }
  useEffect(() => {
    const over = (e: DragEvent) => e.preventDefault()
    const drop = (e: DragEvent) => {
      e.preventDefault()
      open(e.dataTransfer?.files[0])
    }
    document.addEventListener('dragover', over)
    document.addEventListener('drop', drop)
    return () => {
      document.removeEventListener('dragover', over)
      document.removeEventListener('drop', drop)
    }
  }, [])

  /** Curves from before the last rewind, to compare with. */
  const ghosts = useSignal<readonly Curve[]>([])
  const rewind = (step: number) => {
    ghosts.value = frame.value?.runs.map(({ curve }) => curve) ?? []
    train.set({ isPlaying: false, at: step })
    begin(step)
  }
  const looks = runLooks(state)
  const shown = examples.value
  const view = frame.value?.view
  const unit = view && unitOf(view, pointed.value)
  /** What is pointed at now; while it is the same part as before, nothing is painted again. */
  const point = (part: Pointed | null) => {
    if (JSON.stringify(part) !== JSON.stringify(pointed.value)) pointed.value = part
  }
  const isDigits = state.data === 'digits'
  /** The run whose net is shown: words of a lesson may choose one that was removed. */
  const chosen = Math.min(state.chosen, state.runs.length - 1)
  const hint = refused.value || problem || frame.value?.runs[chosen]?.problem || ''

  return (
    <div class="tab">
      <section class="stage" aria-label="Net">
        <TrainBar
          {...bar}
          onRestart={() => {
            startAfresh()
            furthest.current = 0
            begin(0)
          }}
        />
        <Problem text={hint} />
        <div class={isDigits ? 'net wide' : 'net'}>
          {view && shown ? (
            <>
              {state.backprop && looked.value.backprop && backpropPanel && !isDigits ? (
                <backpropPanel.BackpropPanel
                  backprop={looked.value.backprop}
                  rows={shown.train.count}
                  activation={state.activation}
                  method={present(state, chosen).method}
                  onRow={(index) => {
                    row.current = index
                    tell({ type: 'backprop', row: index })
                  }}
                />
              ) : (
                <Canvas
                  class="net-picture"
                  label={`The net: ${[shown.features, ...state.hidden, shown.classes].join(', ')} units. Each unit is a picture of what it answers to.`}
                  when={[view, isDark.value, pointed.value, held.value]}
                  paint={(painting) => paintNet(painting, view, shown, held.value ?? pointed.value)}
                  onPointerEnter={() => {
                    hasPointer.value = true
                  }}
                  onPointerMove={(e) => {
                    point(parts?.partAt(e, view, shown) ?? null)
                  }}
                  onPointerLeave={() => {
                    pointed.value = null
                  }}
                  onPointerDown={(e) => {
                    const part = parts?.partAt(e, view, shown) ?? null
                    held.value = part?.kind === 'weight' ? part : null
                    point(part)
                  }}
                />
              )}
              {isDigits ? (
                pad && <pad.DigitPad outputs={digit.value} onDigit={(pixels) => tell({ type: 'digit', pixels })} />
              ) : (
                <Canvas
                  class="boundary"
                  label={`What the net says in the plane; test accuracy ${Math.round(100 * (frame.value?.runs[chosen]?.testAccuracy ?? 0))} percent`}
                  when={[view, isDark.value, unit]}
                  paint={(painting) => paintBoundary(painting, view, shown, unit)}
                  onPointerDown={(e) => draw(e, shown)}
                  onPointerMove={(e) => {
                    if (e.buttons === 1) draw(e, shown)
                  }}
                />
              )}
            </>
          ) : (
            hint === '' && <p class="says">Making the net…</p>
          )}
        </div>
        {view &&
          shown &&
          !isDigits &&
          !state.backprop &&
          (parts ? (
            <parts.PartText
              part={held.value ?? pointed.value}
              isHeld={held.value !== null}
              view={view}
              examples={shown}
              onWeight={(edit) => tell({ type: 'change', change: { run: chosen, weights: [edit] } })}
            />
          ) : (
            <p class="says part">Point at a unit to enlarge it, at a line to read its weight; click a line to change it.</p>
          ))}
        {shown && !isDigits && (
          <p class="legend">
            {shown.classNames.map((name, i) => (
              <span key={name}>
                <i style={{ background: classColour(i) }} /> class {name}
              </span>
            ))}
            <span>
              <i class="ring" /> for testing
            </span>
            {view && shown.featureNames.length > 2 && (
              <span>
                {shown.featureNames.map((name, i) => `${i + 1} ${name}`).join(', ')}; the map shows{' '}
                {view.axes.map((axis) => shown.featureNames[axis]).join(' and ')} (chosen in the settings), the rest at their mean
              </span>
            )}
            {shown.note && <span>{shown.note}</span>}
          </p>
        )}
        <div class="rewind">
          <label for="rewind">Rewind to step</label>
          <input
            id="rewind"
            type="range"
            min="0"
            max={Math.max(furthest.current, state.at, 1)}
            step="1"
            value={state.at}
            onChange={(e) => rewind(Number(e.currentTarget.value))}
          />
          <output>{state.at}</output>
        </div>
        <p class="says">
          {backend.value && `Runs in ${backend.value === 'js' ? 'plain JavaScript' : `WebAssembly (${backend.value})`}. `}
          {frame.value?.weights && `Weights of this step: ${frame.value.weights}${sameWhere(state, backend.value)}.`}
        </p>
      </section>
      <section class="results" aria-label="Results">
        {frame.value?.sharpness && state.sharpness && sharpnessPanel && (
          <sharpnessPanel.SharpnessPanel
            runs={frame.value.sharpness.slice(0, looks.length)}
            looks={looks.map((look, i) => ({ ...look, label: runName(present(state, i)) }))}
          />
        )}
        <Curves state={state} frame={frame.value} ghosts={ghosts.value} />
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th>Run</th>
                <th class="number">Train loss</th>
                <th class="number">Test loss</th>
                <th class="number">Test accuracy</th>
              </tr>
            </thead>
            <tbody>
              {frame.value?.runs.map(({ trainLoss, testLoss, testAccuracy }, i) => {
                const now = state.runs[i] && present(state, i)
                return (
                  now && (
                    <tr key={i}>
                      <td>
                        <Named look={looks[i]}>{runName(now)}</Named>
                      </td>
                      <td class="number">{short(trainLoss)}</td>
                      <td class="number">{short(testLoss)}</td>
                      <td class="number">{Math.round(1000 * testAccuracy) / 10} %</td>
                    </tr>
                  )
                )
              })}
            </tbody>
          </table>
        </div>
        <div class="inspect">
          {!isDigits && (
            <Toggle label="Backpropagation, phase by phase" value={state.backprop} onChange={(backprop) => train.set({ backprop })} />
          )}
          <Toggle label="How noisy are gradients of batches?" value={state.variance} onChange={(variance) => train.set({ variance })} />
          {state.variance && looked.value.noise && noisePanel && <noisePanel.NoisePanel noise={looked.value.noise} />}
          <Toggle label="X-ray: why does it stall?" value={state.xray} onChange={(xray) => train.set({ xray })} />
          {state.xray && frame.value?.xray && xrayPanel && <xrayPanel.XrayPanel report={frame.value.xray} />}
          <Toggle label="How sharp is the loss?" value={state.sharpness} onChange={(sharpness) => train.set({ sharpness })} />
          <Button onClick={() => tell({ type: 'inspect' })}>What kind of place is this?</Button>
          <p class="verdict" aria-live="polite">
            {verdict.value || 'The curvature of the loss at these weights, by Lanczos.'}
          </p>
        </div>
        {view && <Histograms view={view} />}
      </section>
      <Settings>
        <Panel title="Data">
          <DataChoice
            label="Data set"
            value={state.data}
            onChange={(data) =>
              startAfresh({
                data,
                ...(data === 'drawn' && state.points.length === 0 ? { points: DRAWN } : {}),
                ...(data === 'digits' ? { hidden: [24] } : state.data === 'digits' ? { hidden: [8, 8] } : {}),
              })
            }
          />
          {state.data === 'drawn' && (
            <>
              <Segments
                label="Class to draw"
                value={String(state.brush)}
                options={[
                  ['0', 'Draw class 0'],
                  ['1', 'Draw class 1'],
                ]}
                onChange={(brush) => train.set({ brush: Number(brush) })}
              />
              <Button onClick={() => startAfresh({ points: [] })}>Remove all points</Button>
            </>
          )}
          {state.data === 'csv' && csvChoice && (
            <csvChoice.CsvChoice
              worker={worker}
              state={state}
              names={shown?.featureNames ?? []}
              axes={view?.axes ?? [0, 1]}
              onFile={open}
            />
          )}
          {!['drawn', 'csv', 'digits'].includes(state.data) && (
            <>
              <Slider label="Points" value={state.count} min={40} max={1000} step={20} onChange={(count) => startAfresh({ count })} />
              <Slider label="Noise" value={state.noise} min={0} max={0.5} step={0.01} onChange={(noise) => startAfresh({ noise })} />
            </>
          )}
        </Panel>
        <Panel title="Net">
          <div class="layers">
            {state.hidden.map((units, i) => (
              <div class="stepper" key={i}>
                <Button
                  label={`Fewer units in layer ${i + 1}`}
                  disabled={units <= 1}
                  onClick={() => startAfresh({ hidden: state.hidden.map((u, k) => (k === i ? u - 1 : u)) })}
                >
                  −
                </Button>
                <span>{units} units</span>
                <Button
                  label={`More units in layer ${i + 1}`}
                  disabled={units >= (isDigits ? 48 : MAX_UNITS)}
                  onClick={() => startAfresh({ hidden: state.hidden.map((u, k) => (k === i ? u + 1 : u)) })}
                >
                  +
                </Button>
                <Button
                  kind="quiet"
                  label={`Remove layer ${i + 1}`}
                  onClick={() => startAfresh({ hidden: state.hidden.filter((_, k) => k !== i) })}
                >
                  ×
                </Button>
              </div>
            ))}
            {state.hidden.length < MAX_LAYERS && (
              <Button onClick={() => startAfresh({ hidden: [...state.hidden, state.hidden.at(-1) ?? 6] })}>Add a layer</Button>
            )}
          </div>
          <Choice
            label="Activation"
            value={state.activation}
            options={['tanh', 'relu', 'sigmoid', 'gelu', 'silu', 'linear'].map((name) => [name, name] as const)}
            onChange={(activation) => startAfresh({ activation })}
          />
          <Slider label="Weight decay" value={state.decay} min={0} max={0.1} step={0.001} onChange={(decay) => startAfresh({ decay })} />
          <Toggle label="Shuffle the rows" value={!state.sorted} onChange={(isShuffled) => startAfresh({ sorted: !isShuffled })} />
          <SeedSlider value={state.seed} hint="Of weights, data and order of batches" onChange={(seed) => startAfresh({ seed })} />
        </Panel>
        <Panel title="Runs, from one start">
          <ol class="racers">
            {state.runs.map((_, i) => (
              <RunControls key={i} index={i} state={state} turn={turn} />
            ))}
          </ol>
          {state.runs.length < MAX_RUNS && (
            <MethodChoice
              label="Add a run"
              value=""
              add
              firstOnly
              onChange={(id) => startAfresh({ runs: [...state.runs.map((_, i) => present(state, i)), run(id)] })}
            />
          )}
          {shown && (
            <CopyButton text={async () => (await import('./code')).trainCode(configOf(state), shown.train.count, state.at || 1000, shown)}>
              Copy as code
            </CopyButton>
          )}
        </Panel>
      </Settings>
    </div>
  )
}

/** What a unit answers, where one is pointed at. */
const unitOf = ({ units }: NetView, part: Pointed | null) => (part?.kind === 'unit' ? units[part.layer]?.[part.unit] : undefined)

/** The least distance of points that are drawn in one go. */
const APART = 0.09

/** Adds a point of the chosen class, unless the last point is nearly at the same place. */
function draw(e: TargetedPointerEvent<HTMLCanvasElement>, { range }: Examples): void {
  const { data, points, brush } = train.state.value
  if (data !== 'drawn') return
  const box = e.currentTarget.getBoundingClientRect()
  const [[left, right], [bottom, top]] = range
  const x = left + ((e.clientX - box.left) / box.width) * (right - left)
  const y = top - ((e.clientY - box.top) / box.height) * (top - bottom)
  const [beforeX = 9, beforeY = 9] = points.slice(-3)
  if (Math.hypot(x - beforeX, y - beforeY) < APART) return
  startAfresh({ points: [...points, Number(x.toFixed(2)), Number(y.toFixed(2)), brush] })
}

/** Where the weights are the same: not in plain JavaScript, whose functions differ from browser to browser. */
function sameWhere({ data }: TrainState, backend: string): string {
  if (backend === 'js') return ''
  return `; the same in every browser with this link${data === 'csv' ? ' and this file' : ''}`
}

/** A number for each table in turn, by which states are compared: a table may have megabytes. */
let [latestTable, tables] = ['', 0]
function tableNumber(csv: string): number {
  if (csv !== latestTable) [latestTable, tables] = [csv, tables + 1]
  return tables
}

const rowsText = (batch: number) => (batch === 0 ? 'all rows' : batch === 1 ? '1 row' : `${batch} rows`)
const runName = ({ method, batch, rate }: { method: string; batch: number; rate: number }) =>
  `${methodOf(method).label} ${short(rate, 2)}, ${rowsText(batch)}`

const runLooks = (state: TrainState) => looksOf(state.runs.map((_, i) => present(state, i).method))

type Turn = (index: number, what: Omit<Change, 'step' | 'run'>) => void

function RunControls({ index, state, turn }: { index: number; state: TrainState; turn: Turn }) {
  const now = present(state, index)
  const { schedule } = now
  const facts = scheduleFacts(schedule.kind)
  const setSchedule = (changes: Partial<ScheduleChoice>) => turn(index, { schedule: { ...schedule, ...changes } })
  return (
    <li>
      <RowHead
        look={runLooks(state)[index]}
        remove={`Remove run ${index + 1}`}
        isLast={state.runs.length === 1}
        onRemove={() => startAfresh({ runs: state.runs.flatMap((_, i) => (i === index ? [] : [present(state, i)])), chosen: 0 })}
      >
        <MethodChoice
          label={`Optimizer of run ${index + 1}`}
          value={now.method}
          firstOnly
          onChange={(method) => turn(index, { method, rate: methodOf(method).netRate })}
        />
      </RowHead>
      <Slider label="Learning rate" value={now.rate} min={1e-5} max={3} log onRelease onChange={(rate) => turn(index, { rate })} />
      <Decays
        method={now.method}
        options={now.options}
        onRelease
        onChange={(options) => {
          const runs = state.runs.map((_, i) => present(state, i))
          startAfresh({ runs: runs.map((run, i) => (i === index ? { ...run, options } : run)) })
        }}
      />
      <div class="pair">
        <Choice
          label="Rows a step"
          value={String(now.batch)}
          options={[0, 1, 4, 16, 50, 64].map((n) => [String(n), rowsText(n)] as const)}
          onChange={(batch) => turn(index, { batch: Number(batch) })}
        />
        <Choice
          label="Schedule"
          value={schedule.kind}
          options={SCHEDULES.map(({ kind, label }) => [kind, label] as const)}
          onChange={(kind: ScheduleKind) => setSchedule({ kind, steps: kind === 'plateau' ? 100 : schedule.steps })}
        />
      </div>
      {facts.has.includes('steps') && (
        <Slider
          label={schedule.kind === 'plateau' ? 'Patience' : 'Steps'}
          value={schedule.steps}
          min={10}
          max={10000}
          log
          onRelease
          onChange={(steps) => setSchedule({ steps: Math.round(steps) })}
        />
      )}
      {state.runs.length > 1 && (
        <label class="toggle">
          <input type="radio" name="chosen" checked={state.chosen === index} onChange={() => train.set({ chosen: index })} /> its net is
          shown
        </label>
      )}
    </li>
  )
}

function Curves({ state, frame, ghosts }: { state: TrainState; frame: Frame | null; ghosts: readonly Curve[] }) {
  const { axis, loss } = state
  const looks = runLooks(state)
  const { data, marks, range, ghostCount } = useMemo(() => {
    const runs = frame?.runs ?? []
    const places = runs.map(({ curve, samplesPerStep }) =>
      axis === 'seconds' ? curve.seconds : axis === 'samples' ? curve.steps.map((s) => s * samplesPerStep) : curve.steps,
    )
    const isCompared = axis === 'steps' && ghosts.length > 0
    const xs = [...new Set([...places.flat(), ...(isCompared ? ghosts.flatMap(({ steps }) => steps) : [])])].sort((a, b) => a - b)
    const before = isCompared ? ghosts.map((curve) => interpolated(curve.steps, curve[loss as 'test' | 'train' | 'batch'], xs)) : []
    // All lines of a chart have one list of places: between its own points a line is interpolated.
    const lines = runs.map(({ curve }, i) => interpolated(places[i], curve[loss as 'test' | 'train' | 'batch'], xs))
    const marks =
      axis === 'steps'
        ? state.changes.map(({ step, run, method, rate, batch, schedule, weights }) => ({
            x: step,
            text: [
              `${run + 1}:`,
              method && methodOf(method).label,
              rate !== undefined && short(rate),
              batch !== undefined && rowsText(batch),
              schedule && scheduleFacts(schedule.kind).label.toLowerCase(),
              weights && 'weight',
            ]
              .filter(Boolean)
              .join(' '),
          }))
        : []
    // Over samples or seconds the runs are compared as far as all of them have come.
    const end = Math.min(...places.map((list) => list[list.length - 1]))
    return {
      data: [xs.length > 0 ? xs : [0, 1], ...lines, ...before],
      ghostCount: before.length,
      marks,
      range: axis !== 'steps' && places.length > 1 && end > 0 ? ([0, end] as const) : undefined,
    }
  }, [frame, axis, loss, state.changes, ghosts])
  return (
    <div class="curves">
      <div class="toolbar">
        <Segments
          label="Loss"
          value={loss}
          options={[
            ['test', 'Test'],
            ['train', 'Train'],
            ['batch', 'Batch'],
          ]}
          onChange={(loss) => train.set({ loss })}
        />
        <Segments
          label="Axis"
          value={axis}
          options={[
            ['steps', 'Steps'],
            ['samples', 'Samples'],
            ['seconds', 'Seconds'],
          ]}
          onChange={(axis) => train.set({ axis })}
        />
      </div>
      <LineChart
        title={{ test: 'Loss on the test rows', train: 'Loss on all training rows', batch: 'Loss of each batch' }[loss] ?? 'Loss'}
        xLabel={axis === 'samples' ? 'samples seen' : axis}
        data={data}
        xRange={range}
        log
        marks={marks}
        lines={[
          ...looks.map((look, i) => ({ label: runName(present(state, i)), ...look })),
          ...looks
            .slice(0, ghostCount)
            .map(({ colour }, i) => ({ label: `before: run ${i + 1}`, colour: `${colour}66`, dash: [], width: 1.2, isUnnamed: true })),
        ]}
      />
    </div>
  )
}

/** Values of a line at other places; null outside of it. */
function interpolated(places: readonly number[], values: readonly number[], at: readonly number[]): (number | null)[] {
  let k = 0
  return at.map((x) => {
    while (k + 1 < places.length && places[k + 1] <= x) k++
    if (x > places[places.length - 1] || x < places[0] || !Number.isFinite(values[k])) return null
    if (places[k] === x || k + 1 >= places.length || !Number.isFinite(values[k + 1])) return values[k]
    return values[k] + ((values[k + 1] - values[k]) * (x - places[k])) / (places[k + 1] - places[k])
  })
}

function Histograms({ view }: { view: Frame['view'] }) {
  const { weights, gradients, updates } = view.histograms
  return (
    <div class="scroll">
      <table class="histograms">
        <caption>Where the numbers of each layer lie</caption>
        <thead>
          <tr>
            <th />
            <th>Weights</th>
            <th>Gradients</th>
            <th>Next update</th>
          </tr>
        </thead>
        <tbody>
          {weights.map((_, i) => (
            <tr key={i}>
              <th scope="row">{i + 1}</th>
              {[weights[i], gradients[i], updates[i]].map(({ bins, limit }, k) => (
                <td key={k}>
                  <Canvas
                    class="histogram"
                    label={`from ${short(-limit, 2)} to ${short(limit, 2)}`}
                    when={[bins, isDark.value]}
                    paint={(painting) => paintHistogram(painting, bins, colour(k === 0 ? 0 : k === 1 ? 1 : 2))}
                  />
                  <small>±{short(limit, 2)}</small>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
