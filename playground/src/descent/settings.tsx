/** The settings of the Descent tab: the function, the racers and their rates. */
import type { engineOnDemand } from '../engine/client'
import { methodOf } from '../methods'
import { Button, Choice, CopyButton, Panel, Problem, Settings, Slider, short } from '../ui/controls'
import { SeedSlider } from '../ui/data-choice'
import type { Look } from '../ui/looks'
import { Decays, MethodChoice, RowHead } from '../ui/methods'
import { SURFACES, surfaceOf } from './functions'
import { chooseSurface, type DescentRacer, descent, groundOf, racer } from './state'

const MAX_RACERS = 12
/** The ε of Adam and RMSProp, where none is chosen. */
const USUAL_EPSILON = 1e-8
/** The left end of the slider, which stands for no noise. */
const MIN_NOISE = 0.01

export function DescentSettings({
  worker,
  problem,
  looks,
  isSweeping,
  sweep,
}: {
  worker: ReturnType<typeof engineOnDemand>
  problem: string
  looks: readonly Look[]
  isSweeping: boolean
  sweep: (which: 'all' | 'last') => void
}) {
  const state = descent.state.value
  const surface = surfaceOf(state)
  return (
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
        <Button disabled={isSweeping} onClick={() => sweep('all')}>
          Each at its best rate
        </Button>
        <p class="says">Rates decide a race. The best of 37 is that with which the slowest of five starts around here arrives soonest.</p>
        <CopyButton text={async () => (await import('./code')).descentCode(state, await worker().ask('program', groundOf(state)))}>
          Copy as code
        </CopyButton>
      </Panel>
      <Panel title="More" open={false}>
        <SeedSlider label="Seed of the noise" value={state.seed} onChange={(seed) => descent.set({ seed })} />
        <Slider label="Steps a second" value={state.speed} min={2} max={400} log onChange={(speed) => descent.set({ speed })} />
      </Panel>
    </Settings>
  )
}

/** Of Momentum, whose velocity is a mean of gradients, with the rate of the form that adds them up. */
const rateLabel = (method: string, rate: number, { beta = 0.9 }: DescentRacer['options']) =>
  method === 'Momentum' ? `Learning rate (PyTorch ${short(rate * (1 - Number(beta)), 2)})` : 'Learning rate'
