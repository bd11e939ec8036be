/** The colors of the page, light and dark. */
import { signal } from '@preact/signals'
import { LIGHT } from './hues'
import { store, stored } from './stored'

/** The colors of hues.ts on a dark ground. */
const DARK = ['#4aa8e0', '#ff8c42', '#2fc49a', '#e58bb9', '#e6c229', '#a29bfe', '#8fd3ff', '#b5b5b5']

export const THEMES = ['auto', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const system = matchMedia('(prefers-color-scheme: dark)')
/** The name under which the guides of the site (typedoc) keep their theme too, so that one choice holds everywhere. */
const KEY = 'tsd-theme'
const ofDocs = (value: string) => (value === 'auto' ? 'os' : value)
export const theme = signal<Theme>(THEMES.find((name) => ofDocs(name) === stored(KEY)) ?? 'auto')
export const isDark = signal(false)

function apply(): void {
  isDark.value = theme.value === 'auto' ? system.matches : theme.value === 'dark'
  document.documentElement.dataset.theme = isDark.value ? 'dark' : 'light'
}
system.addEventListener('change', apply)
apply()

export function chooseTheme(value: Theme): void {
  theme.value = value
  store(KEY, ofDocs(value))
  apply()
}

/** The color of the i-th of several things. */
export const colour = (i: number): string => (isDark.value ? DARK : LIGHT)[i % LIGHT.length]

type Rgb = readonly [number, number, number]
const between = (a: Rgb, b: Rgb, t: number): Rgb => [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t]
const along = (stops: readonly Rgb[], t: number): Rgb => {
  const at = Math.min(Math.max(t, 0), 1) * (stops.length - 1)
  const i = Math.min(Math.floor(at), stops.length - 2)
  return between(stops[i], stops[i + 1], at - i)
}

const DEPTHS_LIGHT: readonly Rgb[] = [
  [38, 84, 124],
  [88, 146, 176],
  [158, 200, 208],
  [222, 235, 226],
  [250, 246, 235],
]
const DEPTHS_DARK: readonly Rgb[] = [
  [86, 180, 233],
  [44, 116, 160],
  [30, 74, 104],
  [24, 46, 64],
  [20, 28, 38],
]

/** Height as a color: 0 is the lowest. */
export const depth = (share: number): Rgb => along(isDark.value ? DEPTHS_DARK : DEPTHS_LIGHT, share)

const SIGNED_LIGHT: readonly Rgb[] = [
  [213, 94, 0],
  [243, 178, 122],
  [250, 248, 245],
  [137, 190, 222],
  [0, 98, 158],
]
const SIGNED_DARK: readonly Rgb[] = [
  [240, 130, 50],
  [140, 78, 34],
  [28, 32, 38],
  [34, 88, 124],
  [86, 180, 233],
]

/** From −1 (orange) over 0 to 1 (blue). */
export const signed = (value: number): Rgb => along(isDark.value ? SIGNED_DARK : SIGNED_LIGHT, (value + 1) / 2)

const LOSS: readonly Rgb[] = [
  [253, 231, 37],
  [94, 201, 98],
  [33, 145, 140],
  [59, 82, 139],
  [68, 1, 84],
]

/** A loss as a color (viridis): 0, the best, is bright. */
export const lossColour = (share: number): Rgb => along(LOSS, share)

export const css = ([r, g, b]: Rgb, alpha = 1): string => `rgb(${r | 0} ${g | 0} ${b | 0} / ${alpha})`

/** A color of the style sheet. */
export const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
