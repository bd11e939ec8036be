/** Regions: parameters of a net that lie end to end in memory, so that one copy moves all of them. */
import type { Parameter } from '../../parameter.js'

/** Parameters whose values lie end to end, and so do their gradients, if they have any. */
export interface Region {
  /** The index of the first parameter among the parameters of a net. */
  first: number
  members: Parameter[]
  size: number
}

/** The parameters of a net, in regions as large as can be. */
export function regionsOf(parameters: readonly Parameter[]): Region[] {
  const regions: Region[] = []
  const byAddress = parameters.map((_, i) => i).sort((a, b) => parameters[a].address - parameters[b].address)
  for (const i of byAddress) {
    const p = parameters[i]
    const last = regions.at(-1)
    if (last !== undefined && follows(last, p)) {
      last.members.push(p)
      last.size += p.size
    } else regions.push({ first: i, members: [p], size: p.size })
  }
  return regions
}

function follows({ members: [first], size }: Region, p: Parameter): boolean {
  if (first.requiresGrad !== p.requiresGrad || p.address !== first.address + 4 * size) return false
  return !p.requiresGrad || p.gradientAddress === first.gradientAddress + 4 * size
}
