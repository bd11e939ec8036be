/** The Pictures tab: a small convolutional net learns digits, with its filters, what they see, and where the evidence for a class is. */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { engineOnDemand } from '../engine/client'
import { useSession } from '../engine/use-session'
import { NetStage } from '../train/bar'
import { DigitPad } from '../train/digit-pad'
import { Button, Choice, CopyButton, Panel, Settings, Slider, short } from '../ui/controls'
import { SeedSlider } from '../ui/data-choice'
import { LineChart } from '../ui/line-chart'
import { colour } from '../ui/palette'
import { Grid, paintEvidence, paintMap } from './grid'
import type { Look } from './net'
import { configOf, picturesTab } from './state'
import './pictures.css'

const worker = engineOnDemand()
/** Steps before the first picture for people who want less motion. */
const STILL = 300
const CLASSES = Array.from({ length: 10 }, (_, c) => c)

export function PicturesTab() {
  const state = picturesTab.state.value
  const set = picturesTab.set
  const { digit, shift } = state
  const note = useSignal('')
  /** The map under the pointer. */
  const pointed = useSignal<{ layer: 'first' | 'second'; index: number } | null>(null)
  /** Counts what was asked for, so that the same digit can be asked for again after one was drawn. */
  const wishes = useSignal(0)
  const show = (changes: { digit?: number; shift?: number }) => {
    note.value = ''
    wishes.value++
    set(changes)
  }
  const session = useSession({
    ...{ worker, task: 'pictures', tab: picturesTab, still: STILL },
    ...{ input: () => ({ config: configOf(state), digit, shift }), key: JSON.stringify(configOf(state)) },
    onUpdate: (update) => {
      if (update.type !== 'mistake') return
      if (update.digit >= 0) show({ digit: update.digit, shift: 0 })
      else note.value = 'It names every test digit.'
    },
  })
  const { tell, bar } = session
  const frame = session.frame.value
  useEffect(() => tell({ type: 'digit', digit, shift }), [digit, shift, wishes.value])
  const look = frame?.look
  const answer = look ? look.scores.indexOf(Math.max(...look.scores)) : 0
  const asked = state.asked < 0 ? answer : state.asked
  const over = look && pointed.value ? look[pointed.value.layer][pointed.value.index] : null
  return (
    <div class="tab">
      <NetStage label="Net for pictures" bar={bar} problem={session.problem || (frame?.problem ?? '')}>
        {frame && look ? (
          <>
            <div class="pictures">
              <Grid
                title={over ? 'Where the map under the pointer is lit' : `Evidence for ${asked}: blue for it, orange against it`}
                pictures={[look.pixels]}
                columns={1}
                paint={(c, picture, box) => paintEvidence(c, picture, over ?? look.evidence[asked], box)}
                when={[look, asked, over]}
              />
              <Grid
                title={`${frame.filters.length} filters, ${state.kernel} × ${state.kernel}`}
                pictures={frame.filters}
                columns={4}
                paint={paintMap}
              />
              <Grid
                title="What each filter sees"
                pictures={look.first}
                columns={4}
                paint={paintMap}
                onPoint={(index) => {
                  pointed.value = index === null ? null : { layer: 'first', index }
                }}
              />
              <Grid
                title={`${look.second.length} maps of the second layer`}
                pictures={look.second}
                columns={8}
                paint={paintMap}
                onPoint={(index) => {
                  pointed.value = index === null ? null : { layer: 'second', index }
                }}
              />
            </div>
            <p class="verdict" aria-live="polite">
              {note.value || answerText(look, frame.label, asked)}
            </p>
            <div class="toolbar">
              <Button onClick={() => show({ digit: (digit + 1) % 500 })}>Next digit</Button>
              <Button onClick={() => tell({ type: 'mistake', after: frame.label < 0 ? -1 : digit })}>One that it gets wrong</Button>
              <Choice
                label="Evidence for"
                value={String(state.asked)}
                options={[['-1', "the net's answer"] as const, ...CLASSES.map((c) => [String(c), String(c)] as const)]}
                onChange={(asked) => set({ asked: Number(asked) })}
              />
            </div>
          </>
        ) : null}
      </NetStage>
      <section class="results" aria-label="Results">
        {frame && (
          <>
            <LineChart
              title="Share of the test digits that it names correctly"
              xLabel=""
              height={130}
              data={[frame.curve.steps, frame.curve.accuracy]}
              lines={[{ label: 'accuracy', colour: colour(0) }]}
            />
            <LineChart
              title="Loss of each batch"
              xLabel="steps"
              height={150}
              log
              data={[frame.curve.steps, frame.curve.loss]}
              lines={[{ label: 'loss', colour: colour(1) }]}
            />
            <DigitPad outputs={frame.label < 0 ? frame.look.shares : null} onDigit={(pixels) => tell({ type: 'drawn', pixels })} />
          </>
        )}
      </section>
      <Settings>
        <Panel title="Picture">
          <Slider label="Move the digit, pixels" value={shift} min={-4} max={4} step={1} onChange={(shift) => show({ shift })} />
        </Panel>
        <Panel title="Net">
          <Slider label="Filters" value={state.filters} min={1} max={16} step={1} onRelease onChange={(filters) => set({ filters })} />
          <Slider
            label="Pixels of a filter's side"
            value={state.kernel}
            min={1}
            max={7}
            step={2}
            onRelease
            onChange={(kernel) => set({ kernel })}
          />
          <Slider label="Learning rate of Adam" value={state.rate} min={1e-4} max={1} log onRelease onChange={(rate) => set({ rate })} />
          <SeedSlider value={state.seed} onChange={(seed) => set({ seed })} />
          <CopyButton text={async () => (await import('./code')).picturesCode(state, state.at || STILL)}>Copy as code</CopyButton>
        </Panel>
      </Settings>
    </div>
  )
}

/** The net's answer, and how the score of a class comes about. */
function answerText({ scores, shares, evidence }: Look, label: number, asked: number): string {
  const answer = scores.indexOf(Math.max(...scores))
  const mean = evidence[asked].reduce((sum, v) => sum + v, 0) / evidence[asked].length
  const of = label < 0 ? 'What you drew' : `A ${label} among the test digits`
  return (
    `${of}: the net says ${answer}, ${Math.round(100 * shares[answer])} % sure. ` +
    `The score of ${asked} is ${places(scores[asked])}: the mean of its evidence, ${places(mean)}, and a bias of ${places(scores[asked] - mean)}.`
  )
}

/** Numbers of one sum, with the same places behind the point. */
const places = (value: number) => (Math.abs(value) < 1e4 ? value.toFixed(2).replace('-', '−') : short(value))
