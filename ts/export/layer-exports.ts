/** What exports know of the layers of rooms: a room gives it with the kind of each layer (files/kinds.ts), so that this folder knows no room. */
import type { Activation } from '../backend/kernels.js'
import type { Shape } from '../common/shape.js'
import type { BufferTensor } from '../nn/buffer.js'
import type { Module } from '../nn/module.js'
import type { Parameter } from '../parameter.js'
import type { Float } from './protobuf.js'

/** A tensor of a layer by its names in the state of PyTorch and in Keras. */
export interface TensorNames {
  torch: string
  keras: string
  tensor: Parameter | BufferTensor | null
  /** The order of the axes in PyTorch, if it is another. */
  torchAxes?: readonly number[]
  /** The order of the axes in Keras, if it is another. */
  kerasAxes?: readonly number[]
}

/** Attributes of an ONNX node, by name: whole numbers, lists of them, floats, or texts. */
export type OnnxAttributes = Readonly<Record<string, number | readonly number[] | Float | string>>

/** The graph that a layer adds its nodes to. */
export interface OnnxGraph {
  /** Adds a node. @param place of the output among those of the operation. Default 0 @returns the name of its output */
  node(type: string, inputs: readonly string[], attributes?: OnnxAttributes, place?: number): string
  /** Adds numbers. @returns their name */
  constant(name: string, values: ArrayLike<number>, shape: Shape): string
  /** Adds whole numbers under a name of their own. @returns the name */
  list(values: readonly number[]): string
  activation(name: Activation, x: string, at: string): string
  /** Adds layers, one after the other. @param rank of the first one's input */
  layers(layers: readonly Module[], x: string, rank: number): string
}

/** A product x·W + b, such as that of a dense layer. */
export interface Product {
  weight: Parameter
  bias: Parameter | null
  inputs: number
  outputs: number
  activation: Activation
}

/** The source of a function that a layer adds its expression to. */
export interface FunctionSource {
  /** Number of members of the ensemble whose layers are being written. */
  members: number
  /** Adds weights, once. @returns the name of their array */
  constant(values: ArrayLike<number>): string
  /** The same with all bits, for numbers such as a bias, which x·W may nearly cancel. */
  wholes(values: ArrayLike<number>): string
  /** Adds a helper function, once: lines that declare it, indented by two. */
  helper(lines: string): void
  /** @param x an expression @returns that of the product along the last axis */
  dense(product: Product, x: string): string
  /** @param x an expression @returns that of the activation of each number */
  activation(name: Activation, x: string): string
  /** @returns the function of layers, one after the other */
  layers(layers: readonly Module[]): string
}

/** How other programs have a layer. Images here are [rows, height, width, channels], in PyTorch and ONNX [rows, channels, height, width]. */
export interface LayerExports<L extends Module = Module> {
  /** The layer's tensors, in the order of Keras' `get_weights`. Default none. */
  tensors?(layer: L): TensorNames[]
  /** The modules of `nn.Sequential` that replace the layer, the first with its tensors. @param axes 1 for signals, 2 for images. @throws RangeError */
  torch?(layer: L, axes: number): string[]
  /** The layers of Keras that replace it. @throws RangeError */
  keras?(layer: L, axes: number): string[]
  /** Adds the layer to a graph, whose values have channels last as here. @param at its path, for names @returns the name of its output */
  onnx(layer: L, graph: OnnxGraph, x: string, rank: number, at: string): string
  /**
   * The expression for its output, in JavaScript, from its input x: the numbers of one row, in a flat Float64Array. Default: it has none.
   * @throws RangeError naming the layer and the option
   */
  source?(layer: L, source: FunctionSource, at: string): string
  /** Numbers along the last axis of its input. Default: any. */
  width?(layer: L): number
  /** Numbers along the last axis of its result. Default: as many as in its input, or unknown. */
  outputs?(layer: L): number
  /** Refuses options that ONNX has no words for, before the model runs. @throws RangeError naming the layer and the option */
  check?(layer: L): void
  /** Directions of the images that it takes, if it takes those of one number alone. */
  axes?: 1 | 2
  /** The shape of one row of its input, the longest that it takes. Default: any. */
  inputShape?(layer: L): Shape
  /** True if its inputs are whole numbers, such as tokens. */
  takesIndices?: boolean
  /** Number of axes of its result, if it is another than that of its input. */
  rank?(layer: L, rank: number): number
  /** Channels of its result, if they are not those of its input; 0 for rows without directions. */
  channels?(layer: L): number
  /** The layers inside. */
  parts?(layer: L): readonly Module[]
}

/** Of layers that keep the number of columns. */
export const ofWidth = { width: ({ width }: { width: number }) => width, outputs: ({ width }: { width: number }) => width }

/** A layer as JavaScript. */
export type LayerFunction<L extends Module = Module> = Pick<LayerExports<L>, 'width' | 'outputs'> &
  Required<Pick<LayerExports<L>, 'source'>>

/** @internal {@link LayerExports} of one kind of layer, as a room gives it */
export function exports<L extends Module>(how: LayerExports<L>): LayerExports {
  return how as unknown as LayerExports
}
