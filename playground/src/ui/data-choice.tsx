/** The choice of a data set and of a seed, in several tabs. */
import { Choice, Slider } from './controls'

const NAMES = {
  moons: 'Moons',
  circles: 'Circles',
  spirals: 'Spirals',
  blobs: 'Clouds',
  xor: 'Exclusive or',
  drawn: 'Draw your own',
  csv: 'A table (CSV)',
  digits: 'Handwritten digits',
}

type Name = keyof typeof NAMES

/** @param among the sets to choose from; by default all */
export function DataChoice({
  label = 'Data',
  value,
  among = Object.keys(NAMES) as Name[],
  onChange,
}: {
  label?: string
  value: string
  among?: readonly Name[]
  onChange(data: Name): void
}) {
  return <Choice label={label} value={value as Name} options={among.map((name) => [name, NAMES[name]] as const)} onChange={onChange} />
}

interface SeedProps {
  label?: string
  value: number
  hint?: string
  onChange(seed: number): void
}

export const SeedSlider = ({ label = 'Seed', ...props }: SeedProps) => <Slider label={label} min={1} max={50} step={1} {...props} />
