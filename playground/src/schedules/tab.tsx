/** Each schedule above the loss that it causes. */
import { useSignal } from '@preact/signals'
import { engineOnDemand } from '../engine/client'
import { useTask } from '../engine/use-task'
import { methodOf } from '../methods'
import { Button, CopyButton, Panel, Problem, Settings, Slider, short } from '../ui/controls'
import { DataChoice, SeedSlider } from '../ui/data-choice'
import { LineChart } from '../ui/line-chart'
import { slotLooks } from '../ui/looks'
import { MethodChoice, Named, RowHead } from '../ui/methods'
import { colour } from '../ui/palette'
import { usePart } from '../ui/use-part'
import { CONSTANT, SCHEDULES, type ScheduleChoice, type ScheduleKind, scheduleFacts } from './choice'
import type { RateFinding } from './find-rate'
import { configOf, schedulesTab, TRAIN_ROWS } from './state'

const worker = engineOnDemand()
const MOST = 5
/** Thresholds of plateaus, from the least to the largest. */
const THRESHOLDS = [0.0001, 0.5] as const
export function SchedulesTab() {
  const state = schedulesTab.state.value
  /** The result of the finder, with its net. */
  const latest = useSignal<{ netKey: string; finding: RateFinding } | null>(null)
  const isFinding = useSignal(false)
  const finder = usePart(isFinding.value, () => import('./finder'))
  const problem = useSignal('')
  /** A threshold that is being dragged. */
  const held = useSignal<{ index: number; threshold: number } | null>(null)
  const { set } = schedulesTab
  const comparison = useTask(worker, 'compareSchedules', { config: configOf(state), steps: state.steps })
  const netKey = JSON.stringify([state.data, state.method, state.batch, state.seed])
  const finding = latest.value?.netKey === netKey ? latest.value.finding : null
  const suggested = finding?.slope ? finding.rates[finding.slope.middle] : null
  const change = (i: number, changes: Partial<ScheduleChoice>) =>
    set({ choices: state.choices.map((c, k) => (k === i ? { ...c, ...changes } : c)) })
  const { steps = [], courses = [] } = comparison.result ?? {}
  const looks = slotLooks(state.choices.length)
  const lines = state.choices.map(({ kind, steps: length }, i) => ({
    label: state.choices.some((other, k) => k !== i && other.kind === kind)
      ? `${scheduleFacts(kind).label}, ${length} steps`
      : scheduleFacts(kind).label,
    ...looks[i],
  }))
  const x = steps.length > 1 ? steps : [0, 1]
  const shown = (values: readonly number[]) => values.map((v) => (Number.isFinite(v) ? v : null))
  const plateaus = courses.flatMap((_, i) => (state.choices[i]?.kind === 'plateau' ? [i] : []))
  const range = [0, state.steps] as const
  // A threshold that is dragged on the curve holds once it is let go; until then its line alone moves.
  const thresholdOf = (i: number) => (held.value?.index === i ? held.value.threshold : state.choices[i].threshold)
  const goals = plateaus.map((i) => {
    const scale = (1 - thresholdOf(i)) / (1 - state.choices[i].threshold)
    return shown(courses[i].goal).map((v) => (v === null ? v : v * scale))
  })
  const knobs = plateaus.flatMap((i, k) => {
    const goal = courses[i].goal.at(-1) ?? Number.NaN
    if (!Number.isFinite(goal)) return []
    const best = goal / (1 - state.choices[i].threshold)
    return {
      line: state.choices.length + k,
      label: `Threshold τ of ${lines[i].label}`,
      text: `τ ${short(thresholdOf(i), 2)}`,
      range: [best * (1 - THRESHOLDS[1]), best * (1 - THRESHOLDS[0])] as const,
      onMove: (value: number) => {
        held.value = { index: i, threshold: Number((1 - value / best).toPrecision(2)) }
      },
      onRelease: () => {
        if (held.value) change(i, { threshold: held.value.threshold })
        held.value = null
      },
    }
  })
  return (
    <div class="tab">
      <section class="stage two-wide" aria-label="Schedules and losses">
        <Problem text={comparison.problem} />
        <LineChart
          title="Learning rate"
          xLabel=""
          height={170}
          data={[x, ...courses.map(({ rate }) => rate)]}
          lines={lines}
          xRange={range}
        />
        <LineChart
          title="Loss, running mean of the batches"
          xLabel="steps"
          height={280}
          log
          data={[x, ...courses.map(({ mean }) => shown(mean)), ...goals]}
          lines={[
            ...lines,
            ...plateaus.map((i) => ({ label: 'to be better', colour: colour(i), dash: [1, 3], width: 1, isUnnamed: true })),
          ]}
          knobs={knobs}
          xRange={range}
        />
        <LineChart
          title="Loss of each batch: how much it fluctuates"
          xLabel="steps"
          height={170}
          log
          data={[x, ...courses.map(({ batch }) => batch.map((v) => (Number.isFinite(v) ? Math.max(v, 1e-6) : null)))]}
          lines={lines.map((line) => ({ ...line, width: 0.8, isUnnamed: true }))}
          xRange={range}
        />
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th>Schedule</th>
                <th class="number">Last rate</th>
                <th class="number">Loss at the end</th>
                <th class="number">Test loss</th>
              </tr>
            </thead>
            <tbody>
              {courses.slice(0, looks.length).map(({ rate, mean, test, problem }, i) => (
                <tr key={i}>
                  <td>
                    <Named look={looks[i]}>{lines[i]?.label}</Named>
                  </td>
                  <td class="number">{short(rate.at(-1) ?? Number.NaN)}</td>
                  <td class="number">{problem ? 'diverged' : short(mean.at(-1) ?? Number.NaN)}</td>
                  <td class="number">{Number.isNaN(test) ? '' : short(test)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <div class="finder">
          <Button
            onClick={() => {
              isFinding.value = true
              worker()
                .ask('findRate', { config: configOf(state) })
                .then((result) => {
                  latest.value = { netKey, finding: result }
                  problem.value = ''
                })
                .catch((error: Error) => {
                  problem.value = error.message
                })
            }}
          >
            Find a learning rate
          </Button>
          <Problem text={problem.value} />
          <p class="says">
            The rate grows from step to step until the loss explodes: choose one on the slope.
            {suggested !== null && ` Suggested: ${short(suggested, 2)}, where half of the fall is behind.`}
          </p>
          {finding && finder && <finder.FinderView finding={finding} suggested={suggested} onUse={(rate) => set({ rate })} />}
        </div>
      </section>
      <Settings>
        <Panel title="Training">
          <MethodChoice
            label="Optimizer"
            value={state.method}
            firstOnly
            onChange={(method) => set({ method, rate: methodOf(method).netRate })}
          />
          <Slider label="Learning rate η₀" value={state.rate} min={1e-4} max={3} log onChange={(rate) => set({ rate })} />
          <Slider
            label="Rows a step"
            value={state.batch}
            min={1}
            max={64}
            step={1}
            hint="Fewer rows, more noise"
            onChange={(batch) => set({ batch })}
          />
          <Slider label="Steps" value={state.steps} min={200} max={6000} step={100} onChange={(value) => set({ steps: value })} />
          <DataChoice value={state.data} among={['moons', 'circles', 'spirals', 'blobs']} onChange={(data) => set({ data })} />
          <SeedSlider value={state.seed} onChange={(seed) => set({ seed })} />
        </Panel>
        <Panel title="Schedules">
          <ol class="racers">
            {state.choices.map((choice, i) => {
              const facts = scheduleFacts(choice.kind)
              return (
                <li key={i}>
                  <RowHead
                    look={looks[i]}
                    remove={`Remove ${facts.label}`}
                    isLast={state.choices.length === 1}
                    onRemove={() => set({ choices: state.choices.filter((_, k) => k !== i) })}
                  >
                    <select
                      aria-label={`Schedule ${i + 1}`}
                      value={choice.kind}
                      onChange={(e) =>
                        change(i, {
                          kind: e.currentTarget.value as ScheduleKind,
                          ...(e.currentTarget.value === 'plateau' ? { steps: 80 } : {}),
                        })
                      }
                    >
                      {SCHEDULES.map(({ kind, label }) => (
                        <option key={kind} value={kind} selected={kind === choice.kind}>
                          {label}
                        </option>
                      ))}
                    </select>
                  </RowHead>
                  <p class="formula">{facts.formula}</p>
                  <p class="says">{facts.says}</p>
                  {facts.has.includes('steps') && (
                    <Slider
                      label={choice.kind === 'plateau' ? 'Patience s' : 'Steps s'}
                      value={choice.steps}
                      min={10}
                      max={6000}
                      log
                      onChange={(value) => change(i, { steps: Math.round(value) })}
                    />
                  )}
                  {facts.has.includes('factor') && (
                    <Slider
                      label="Factor f"
                      value={choice.factor}
                      min={0.05}
                      max={0.95}
                      step={0.05}
                      onChange={(factor) => change(i, { factor })}
                    />
                  )}
                  {facts.has.includes('threshold') && (
                    <Slider
                      label="Threshold τ"
                      value={thresholdOf(i)}
                      min={THRESHOLDS[0]}
                      max={THRESHOLDS[1]}
                      log
                      onChange={(threshold) => change(i, { threshold })}
                    />
                  )}
                </li>
              )
            })}
          </ol>
          {state.choices.length < MOST && (
            <Button onClick={() => set({ choices: [...state.choices, { ...CONSTANT, kind: 'onecycle', steps: state.steps }] })}>
              Add a schedule
            </Button>
          )}
          <CopyButton text={async () => (await import('../train/code')).trainCode(configOf(state), TRAIN_ROWS, state.steps)}>
            Copy as code
          </CopyButton>
        </Panel>
      </Settings>
    </div>
  )
}
