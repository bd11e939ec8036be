/** Name of the processor, for figures. */
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** Generations of AMD processors by family number: in virtual machines they all have the same name. */
const FAMILIES: Readonly<Record<string, string>> = { '23': 'Zen 1 or 2', '25': 'Zen 3 or 4', '26': 'Zen 5' }

/** The processor's name, with the generation of an AMD processor if Linux reports it. */
export function cpuName(): string {
  const name = cpus()[0]?.model ?? 'unknown'
  const generation = /^AMD/.test(name) && FAMILIES[familyOf() ?? '']
  return generation ? `${name}, ${generation}` : name
}

function familyOf(): string | undefined {
  try {
    return /^cpu family\s*: (\d+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]
  } catch {
    return undefined
  }
}
