/** Optimizers in several tabs: the line of each in pictures, a selection, and the head of a row in a list. */
import type { ComponentChildren } from 'preact'
import { FIRST_ORDER, methodOf, SECOND_ORDER } from '../methods'
import { Button, Slider, short } from './controls'
import type { Look } from './looks'

function Swatch({ look: { colour, dash } }: { look: Look }) {
  return (
    <svg class="swatch" width="18" height="12" aria-hidden="true">
      <line x1="0" y1="6" x2="18" y2="6" stroke={colour} stroke-width={dash.length === 0 ? 4 : 3} stroke-dasharray={dash.join(' ')} />
    </svg>
  )
}

/** A name beside its line, in a table. */
export function Named({ look, children }: { look: Look; children: ComponentChildren }) {
  return (
    <span class="named">
      <Swatch look={look} /> <span>{children}</span>
    </span>
  )
}

export function MethodChoice({
  label,
  value,
  onChange,
  add = false,
  firstOnly = false,
}: {
  label: string
  value: string
  onChange(id: string): void
  add?: boolean
  firstOnly?: boolean
}) {
  const option = ({ id, label }: { id: string; label: string }) => (
    <option key={id} value={id} selected={id === value}>
      {label}
    </option>
  )
  return (
    <select
      aria-label={label}
      value={value}
      onChange={(e) => {
        const id = e.currentTarget.value
        if (add) e.currentTarget.value = ''
        if (id) onChange(id)
      }}
    >
      {add && <option value="">Add an optimizer…</option>}
      <optgroup label="Gradients alone">{FIRST_ORDER.map(option)}</optgroup>
      {!firstOnly && <optgroup label="With curvature or line search">{SECOND_ORDER.map(option)}</optgroup>}
    </select>
  )
}

/** The head of a row of a list: its line, the selection, and a button that removes it, if it can be removed. */
export function RowHead({
  look,
  children,
  remove,
  isLast = false,
  onRemove,
}: {
  look: Look
  children: ComponentChildren
  remove: string
  isLast?: boolean
  onRemove(): void
}) {
  return (
    <div class="racer-head">
      <Swatch look={look} />
      {children}
      <Button kind="quiet" label={remove} disabled={isLast} onClick={onRemove}>
        ×
      </Button>
    </div>
  )
}

/** Approximate number of steps over which a mean with this decay averages, 1 / (1 − β): a slider of it has room for 0.9, 0.99 and 0.999. */
const memoryOf = (decay: number) => 1 / (1 - decay)
const decayOf = (memory: number) => Number((1 - 1 / memory).toPrecision(3))

/** A slider for each share of the past that an optimizer keeps. */
export function Decays<Value extends number | string | boolean>({
  method,
  options,
  onRelease,
  onChange,
}: {
  method: string
  options: Readonly<Record<string, Value>>
  onRelease?: boolean
  onChange(options: Record<string, Value | number>): void
}) {
  const all = Object.entries(methodOf(method).decays ?? {})
  return (
    <>
      {all.map(([name, usual], k) => (
        <Slider
          key={name}
          label={all.length > 1 ? `β${'₁₂'[k]}` : 'β'}
          value={memoryOf(Number(options[name] ?? usual))}
          min={1}
          max={1000}
          log
          onRelease={onRelease}
          show={(memory) => short(decayOf(memory))}
          hint="The share of the past that it keeps at each step"
          onChange={(memory) => onChange({ ...options, [name]: decayOf(memory) })}
        />
      ))}
    </>
  )
}
