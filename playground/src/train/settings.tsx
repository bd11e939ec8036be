/** The settings of the Train tab: data, net and runs. */
import type { engineOnDemand } from '../engine/client'
import { methodOf } from '../methods'
import { SCHEDULES, type ScheduleChoice, type ScheduleKind, scheduleFacts } from '../schedules/choice'
import { Button, Choice, CopyButton, Panel, Segments, Settings, Slider, Toggle } from '../ui/controls'
import { DataChoice, SeedSlider } from '../ui/data-choice'
import { Decays, MethodChoice, RowHead } from '../ui/methods'
import { usePart } from '../ui/use-part'
import type { Change } from './config'
import type { Examples } from './examples'
import { rowsText, runLooks } from './runs'
import { configOf, present, run, startAfresh, type TrainState, train } from './state'

const MAX_LAYERS = 4
const MAX_UNITS = 10
const MAX_RUNS = 4
/** Drawn points to begin with, so that there is something to learn. */
const DRAWN = [-0.5, 0.4, 0, -0.6, 0.1, 0, -0.3, 0.6, 0, -0.7, 0.3, 0, 0.5, -0.4, 1, 0.4, -0.1, 1, 0.6, -0.6, 1, 0.3, -0.5, 1]

export function TrainSettings({
  worker,
  examples,
  axes = [0, 1],
  tell,
  onFile,
}: {
  worker: ReturnType<typeof engineOnDemand>
  examples: Examples | null
  axes?: readonly [number, number]
  tell: (request: { type: 'change'; change: Omit<Change, 'step'> }) => void
  onFile: (file: File | undefined) => void
}) {
  const state = train.state.value
  const isDigits = state.data === 'digits'
  const csvChoice = usePart(state.data === 'csv', () => import('./csv-choice'))
  /** Changes a setting of a run: from the next step on if it is under way, from the start otherwise. */
  const turn = (index: number, what: Omit<Change, 'step' | 'run'>) => {
    const { at, runs } = train.state.value
    if (at === 0) train.set({ runs: runs.map((run, i) => (i === index ? { ...run, ...what } : run)), changes: [] })
    else tell({ type: 'change', change: { run: index, ...what } })
  }

  return (
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
          <csvChoice.CsvChoice worker={worker} state={state} names={examples?.featureNames ?? []} axes={axes} onFile={onFile} />
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
        {examples && (
          <CopyButton
            text={async () => (await import('./code')).trainCode(configOf(state), examples.train.count, state.at || 1000, examples)}
          >
            Copy as code
          </CopyButton>
        )}
      </Panel>
    </Settings>
  )
}

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
