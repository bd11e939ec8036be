/** The weights of attention layers of PyTorch, read and written: other names, and transposed matrices. */

import { noGrad } from '../autograd.js'
import { plainError, typeError } from '../common/errors.js'
import { readOptions, type Schema, text } from '../common/options.js'
import { type Shape, sameShape } from '../common/shape.js'
import { show } from '../common/show.js'
import { checkNamed, noTensor, tensorOfShape } from '../export/torch-tensors.js'
import type { Dense } from '../nn/dense.js'
import { LayerNorm } from '../nn/layer-norm.js'
import type { Module } from '../nn/module.js'
import { transpose } from '../ops/shape.js'
import type { Parameter } from '../parameter.js'
import { Tensor, type TensorLike } from '../tensor.js'
import { GPT } from './gpt.js'
import { MultiHeadAttention } from './multi-head-attention.js'
import { LearnedPositions } from './positions.js'
import type { RMSNorm } from './rms-norm.js'
import { TransformerBlock } from './transformer-block.js'

/** The place of a layer's weights among named tensors of PyTorch. */
export interface TorchPlace {
  /** Text before the names, such as `encoder.layers.0.`. Default: none. */
  prefix?: string
}

export const TORCH_NAMES = { prefix: { is: text, default: '' } } satisfies Schema<TorchPlace>

/** A parameter and its name in PyTorch. */
interface Place {
  name: string
  parameter: Parameter
  /** PyTorch has the transpose. */
  isTurned: boolean
}

function denseAt(name: string, { weight, bias }: { weight: Parameter; bias: Parameter | null }): Place[] {
  const own = [{ name: `${name}weight`, parameter: weight, isTurned: true }]
  return bias === null ? own : [...own, { name: `${name}bias`, parameter: bias, isTurned: false }]
}

function normAt(name: string, norm: LayerNorm | RMSNorm): Place[] {
  const own = [{ name: `${name}weight`, parameter: norm.weight, isTurned: false }]
  return norm instanceof LayerNorm ? [...own, { name: `${name}bias`, parameter: norm.bias, isTurned: false }] : own
}

/** The names of `nn.MultiheadAttention`. */
function attentionAt(name: string, { weight, bias, outputWeight, outputBias }: MultiHeadAttention): Place[] {
  return [...denseAt(`${name}in_proj_`, { weight, bias }), ...denseAt(`${name}out_proj.`, { weight: outputWeight, bias: outputBias })]
}

/** The names of `nn.TransformerEncoderLayer`. */
function blockAt(name: string, { norm1, attention, norm2, expand, project }: TransformerBlock): Place[] {
  return [
    ...[...attentionAt(`${name}self_attn.`, attention), ...denseAt(`${name}linear1.`, expand as Dense)],
    ...[...denseAt(`${name}linear2.`, project as Dense), ...normAt(`${name}norm1.`, norm1), ...normAt(`${name}norm2.`, norm2)],
  ]
}

/** The names of GPT-2 in Hugging Face's `transformers` and of nanoGPT. */
function gptAt(name: string, model: GPT): Place[] {
  const { embedding, positions, blocks, norm, head } = model
  const at = `${name}transformer.`
  return [
    { name: `${at}wte.weight`, parameter: embedding.weight, isTurned: false },
    ...(positions instanceof LearnedPositions ? [{ name: `${at}wpe.weight`, parameter: positions.weight, isTurned: false }] : []),
    ...blocks.flatMap(({ norm1, attention, norm2, expand, project }, i) => [
      ...normAt(`${at}h.${i}.ln_1.`, norm1),
      ...denseAt(`${at}h.${i}.attn.c_attn.`, attention),
      ...denseAt(`${at}h.${i}.attn.c_proj.`, { weight: attention.outputWeight, bias: attention.outputBias }),
      ...normAt(`${at}h.${i}.ln_2.`, norm2),
      ...denseAt(`${at}h.${i}.mlp.c_fc.`, expand as Dense),
      ...denseAt(`${at}h.${i}.mlp.c_proj.`, project as Dense),
    ]),
    ...[...normAt(`${at}ln_f.`, norm), ...(head === null ? [] : denseAt(`${name}lm_head.`, head))],
  ]
}

function placesOf(who: string, layer: Module, prefix: string): Place[] {
  if (layer instanceof GPT) return gptAt(prefix, layer.build())
  if (layer instanceof TransformerBlock) return blockAt(prefix, layer.build())
  if (layer instanceof MultiHeadAttention) return attentionAt(prefix, layer.build())
  throw typeError(`${who}: layer wants a MultiHeadAttention, TransformerBlock or GPT, got ${show(layer)}`)
}

/** The transpose of a matrix, not recorded. */
const turned = (t: Tensor): Tensor => noGrad(() => transpose(t))

/** Names of PyTorch's parts of these layers. Causal masks, which GPT-2 keeps with its weights, are none of them. */
const PART = /^(in_proj_|bias_[kv]$|out_proj\.|self_attn\.|linear[12]\.|norm[12]\.|transformer\.(?!.*\.attn\.(masked_)?bias$))/

/** @throws Error for a part that the layer does not have: its result would be another without a word */
function checkParts(who: string, layer: Module, names: readonly string[], places: readonly Place[], prefix: string): void {
  const own = new Set(places.map(({ name }) => name))
  const other = names.find((name) => name.startsWith(prefix) && PART.test(name.slice(prefix.length)) && !own.has(name))
  if (other === undefined) return
  throw plainError(
    `${who}: ${show(layer)} has no place for '${other}'; make it with the bias, the normalization, the positions and blocks of the weights`,
  )
}

const shapeAt = ({ parameter: { shape }, isTurned }: Place): Shape => (isTurned ? [...shape].reverse() : shape)

/**
 * Sets the weights of a layer to those of PyTorch, by their names in its `state_dict`: of a {@link MultiHeadAttention} those of
 * `nn.MultiheadAttention`, of a {@link TransformerBlock} those of `nn.TransformerEncoderLayer` with `norm_first=True`, of a {@link GPT} those of nanoGPT,
 * or of GPT-2 in Hugging Face's `transformers`, whose matrices are not transposed. (Its activation is another approximation of gelu, so that its logits
 * differ in the third digit.)
 *
 * @example
 * const layer = new MultiHeadAttention(4, 2)
 * const named = { in_proj_weight: zeros([12, 4]), in_proj_bias: zeros([12]), 'out_proj.weight': zeros([4, 4]), 'out_proj.bias': zeros([4]) }
 * loadTorchWeights(layer, named)
 * @throws Error for a missing name, or a bias, a block or positions that the layer does not have; ShapeError for another size; nothing is changed then
 */
export function loadTorchWeights(layer: Module, tensors: Readonly<Record<string, TensorLike>>, place: TorchPlace = {}): void {
  const who = 'loadTorchWeights'
  const { prefix } = readOptions(who, place, TORCH_NAMES)
  checkNamed(who, tensors)
  const places = placesOf(who, layer, prefix)
  checkParts(who, layer, Object.keys(tensors), places, prefix)
  const ready = places.map((place) => {
    const { name, parameter, isTurned } = place
    if (!Object.hasOwn(tensors, name)) throw noTensor(who, name, tensors, 'prefix')
    const isConv1d = isTurned && layer instanceof GPT && isConv1dIn(tensors, prefix, layer) && !name.endsWith('lm_head.weight')
    const t = tensorOfShape(who, name, tensors[name], isConv1d ? parameter.shape : shapeAt(place), parameter)
    return [parameter, isTurned && !isConv1d ? turned(t) : t] as const
  })
  for (const [parameter, t] of ready) parameter.assign(t)
}

/** True for the weights of `transformers`, whose dense layers of blocks have matrices [inputs, outputs]. */
function isConv1dIn(tensors: Readonly<Record<string, TensorLike>>, prefix: string, { settings: { width } }: GPT): boolean {
  const first = tensors[`${prefix}transformer.h.0.attn.c_attn.weight`]
  return first instanceof Tensor && sameShape(first.shape, [width, 3 * width])
}

/**
 * The weights of a layer by PyTorch's names, for `encodeSafetensors`: see {@link loadTorchWeights}. Those of a {@link GPT} are nanoGPT's.
 *
 * @example Object.keys(torchWeights(new MultiHeadAttention(4, 2, { bias: false }))) // ['in_proj_weight', 'out_proj.weight']
 */
export function torchWeights(layer: Module, place: TorchPlace = {}): Record<string, Tensor> {
  const { prefix } = readOptions('torchWeights', place, TORCH_NAMES)
  return Object.fromEntries(
    placesOf('torchWeights', layer, prefix).map(({ name, parameter, isTurned }) => {
      return [name, isTurned ? turned(parameter) : Tensor.onHost(parameter.backend, parameter.shape, parameter.read().slice())]
    }),
  )
}
