/** The buttons above a net that trains. */
import type { ComponentChildren } from 'preact'
import { MAX_STEPS } from '../engine/max-steps'
import { Button, Choice, Problem } from '../ui/controls'

const SPEEDS = [0, 1000, 100, 20, 2]

interface Props {
  state: { at: number; isPlaying: boolean; speed: number }
  stepsPerSecond: number
  onChange(changes: { isPlaying?: boolean; speed?: number }): void
  onStep(): void
  onRestart(): void
}

export function TrainBar({ state: { at, isPlaying, speed }, stepsPerSecond, onChange, onStep, onRestart }: Props) {
  const isOver = at >= MAX_STEPS
  const isRunning = isPlaying && !isOver
  return (
    <div class="toolbar train-bar">
      <Button kind="primary" label={isRunning ? 'Pause' : 'Train'} disabled={isOver} onClick={() => onChange({ isPlaying: !isPlaying })}>
        {isRunning ? '❚❚' : '▶'}
      </Button>
      <Button
        label="+1 step"
        disabled={isOver}
        onClick={() => {
          onChange({ isPlaying: false })
          onStep()
        }}
      >
        +1
      </Button>
      <Button label="Start again with the present settings" onClick={onRestart}>
        ↺
      </Button>
      <Choice
        hideLabel
        label="Speed"
        value={String(speed)}
        options={SPEEDS.map((s) => [String(s), s === 0 ? 'As fast as it can' : `${s} steps a second`] as const)}
        onChange={(speed) => onChange({ speed: Number(speed) })}
      />
      <span class="count">
        <b>{at.toLocaleString('en')}</b> steps
        {isOver && ', which is as far as this page trains'}
        {isRunning && stepsPerSecond > 0 && ` · can do ${Math.round(stepsPerSecond).toLocaleString('en')} a second`}
      </span>
    </div>
  )
}

interface StageProps {
  label: string
  bar: Props
  problem: string
  /** What is shown of the net; null until there is one. */
  children: ComponentChildren
}

/** A net that trains, below its buttons. */
export const NetStage = ({ label, bar, problem, children }: StageProps) => (
  <section class="stage" aria-label={label}>
    <TrainBar {...bar} />
    <Problem text={problem} />
    {children ?? (problem === '' && <p class="says">Making the net…</p>)}
  </section>
)
