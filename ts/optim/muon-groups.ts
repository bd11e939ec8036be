/** The usual division of a model between Muon and AdamW. */
import { typeError } from '../common/errors.js'
import { show } from '../common/show.js'
import { Dense } from '../nn/dense.js'
import { Module } from '../nn/module.js'
import type { GroupInput } from './base/input.js'
import type { MuonOptions } from './muon.js'

/**
 * Groups of a model's parameters for {@link Muon}: `hidden`, the weights of all `Dense` layers but the last, by Muon; `output`, the weights of the last
 * one, by AdamW; `others`, biases, embeddings and everything else, by AdamW without weight decay. A group without parameters is left out.
 *
 * Without it, Muon also takes the last layer and embeddings. Source: the authors' advice (Jordan et al. 2024).
 *
 * @example
 * const optimizer = new Muon(muonGroups(model), { learningRate: 0.02, companionLearningRate: 1e-3, companionWeightDecay: 0.01 })
 * @throws TypeError for anything but a model
 */
export function muonGroups(model: Module): GroupInput<MuonOptions>[] {
  if (!(model instanceof Module)) throw typeError(`muonGroups: wants a model, such as a Sequential, got ${show(model)}`)
  const parameters = model.parameters()
  const weights = [...model.modules()].filter((layer) => layer instanceof Dense).map(({ weight }) => weight)
  const output = weights.pop()
  const groups: (GroupInput<MuonOptions> & { parameters: typeof parameters })[] = [
    { name: 'hidden', parameters: parameters.filter((p) => weights.includes(p) && p !== output), method: 'muon' },
    { name: 'output', parameters: parameters.filter((p) => p === output), method: 'adamw' },
    {
      ...{ name: 'others', parameters: parameters.filter((p) => p !== output && !weights.includes(p)) },
      ...{ method: 'adamw', companionWeightDecay: 0 },
    },
  ]
  return groups.filter((group) => group.parameters.length > 0)
}
