/** Controls with a label each, which keyboards and screen readers understand. */
import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useState } from 'preact/hooks'
import { store, stored } from './stored'

/** A number for people: 0.001, 1.5, 3.2e−7. */
export function short(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '−∞'
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) {
    const [mantissa, exponent] = value.toExponential(digits - 1).split('e')
    return `${String(Number(mantissa)).replace('-', '−')}e${exponent.replace('+', '').replace('-', '−')}`
  }
  return String(Number(value.toPrecision(digits))).replace('-', '−')
}

interface SliderProps {
  label: string
  value: number
  min: number
  max: number
  /** Step of a linear slider; a logarithmic slider has 20 steps per decade, each of which changes its two digits. */
  step?: number
  log?: boolean
  show?: (value: number) => string
  hint?: string
  /** If true, the value changes when the slider is released, not while it is dragged. */
  onRelease?: boolean
  onChange(value: number): void
}

export function Slider({
  label,
  value,
  min,
  max,
  step = (max - min) / 100,
  log = false,
  show = short,
  hint,
  onRelease = false,
  onChange,
}: SliderProps) {
  const id = useId()
  /** Where it is dragged to, until the value has followed. */
  const [held, setHeld] = useState<number | null>(null)
  useEffect(() => setHeld(null), [value])
  const shown = held ?? value
  const to = (v: number) => (log ? Math.log10(v) : v)
  const from = (v: number) => (log ? Number((10 ** v).toPrecision(2)) : v)
  return (
    <div class="field" title={hint}>
      <label for={id}>
        <span>{label}</span>
        <output for={id}>{show(shown)}</output>
      </label>
      <input
        id={id}
        type="range"
        min={to(min)}
        max={to(max)}
        step={log ? 0.05 : step}
        value={to(shown)}
        aria-valuetext={show(shown)}
        onInput={(e) => (onRelease ? setHeld : onChange)(from(Number(e.currentTarget.value)))}
        onChange={(e) => {
          const chosen = from(Number(e.currentTarget.value))
          if (onRelease && chosen !== value) onChange(chosen)
        }}
      />
    </div>
  )
}

interface ChoiceProps<T extends string> {
  label: string
  value: T
  options: readonly (readonly [value: T, text: string])[]
  onChange(value: T): void
  hideLabel?: boolean
}

export function Choice<T extends string>({ label, value, options, onChange, hideLabel }: ChoiceProps<T>) {
  const id = useId()
  return (
    <div class="field">
      <label for={id} class={hideLabel ? 'hidden' : ''}>
        {label}
      </label>
      <select id={id} value={value} onChange={(e) => onChange(e.currentTarget.value as T)}>
        {options.map(([name, text]) => (
          <option key={name} value={name} selected={name === value}>
            {text}
          </option>
        ))}
      </select>
    </div>
  )
}

/** A few options beside each other. */
export function Segments<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  const name = useId()
  return (
    <fieldset class="segments">
      <legend class="hidden">{label}</legend>
      {options.map(([option, text]) => (
        <label key={option} class={option === value ? 'on' : ''}>
          <input type="radio" name={name} checked={option === value} onChange={() => onChange(option)} />
          {text}
        </label>
      ))}
    </fieldset>
  )
}

export function Toggle({ label, value, onChange }: { label: string; value: boolean; onChange(value: boolean): void }) {
  return (
    <label class="toggle">
      <input type="checkbox" checked={value} onChange={(e) => onChange(e.currentTarget.checked)} />
      {label}
    </label>
  )
}

export function Button({
  children,
  onClick,
  kind = '',
  label,
  disabled,
}: {
  children: ComponentChildren
  onClick(): void
  kind?: string
  label?: string
  disabled?: boolean
}) {
  return (
    <button type="button" class={kind} aria-label={label} title={label} disabled={disabled} onClick={onClick}>
      {children}
    </button>
  )
}

/** Copies a text and says so. */
export function CopyButton({ text, children }: { text: () => string | Promise<string>; children: ComponentChildren }) {
  const [state, setState] = useState<'' | 'copied' | 'failed'>('')
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(await text())
      setState('copied')
    } catch {
      setState('failed')
    }
    setTimeout(() => setState(''), 1800)
  }
  return (
    <button type="button" onClick={copy} aria-live="polite">
      {state === '' ? children : state === 'copied' ? 'Copied' : 'Copying is not allowed here'}
    </button>
  )
}

/** An error message, if there is one. */
export function Problem({ text }: { text: string }) {
  return (
    text !== '' && (
      <p class="problem" role="alert">
        {text}
      </p>
    )
  )
}

/** A box of controls that one can fold away. */
export function Panel({
  title,
  children,
  open = true,
  onToggle,
}: {
  title: string
  children: ComponentChildren
  open?: boolean
  onToggle?(isOpen: boolean): void
}) {
  return (
    <details class="panel" open={open} onToggle={onToggle && ((e) => onToggle(e.currentTarget.open))}>
      <summary>{title}</summary>
      <div class="panel-body">{children}</div>
    </details>
  )
}

/** True while the settings of a tab are shown. */
const isOpen = signal(stored('settings') === 'open')

export function SettingsButton() {
  const toggle = () => {
    isOpen.value = !isOpen.value
    store('settings', isOpen.value ? 'open' : 'closed')
    // Below the picture on a narrow screen.
    if (isOpen.value) requestAnimationFrame(() => document.getElementById('settings')?.scrollIntoView({ block: 'nearest' }))
  }
  return (
    <button type="button" aria-expanded={isOpen.value} aria-controls="settings" onClick={toggle}>
      Settings
    </button>
  )
}

/** All settings of a tab. They come after its picture in the order of the keyboard. */
export const Settings = ({ children }: { children: ComponentChildren }) => (
  <aside class="controls" id="settings" aria-label="Settings" hidden={!isOpen.value}>
    {children}
  </aside>
)
