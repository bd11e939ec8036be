/**
 * Backpropagation over a directed graph of computations.
 *
 * Every operation goes through {@link apply}: it runs one kernel and, if a gradient may be needed, leaves a node with its inputs and its
 * vector-Jacobian product. {@link Node.backpropagate} walks the nodes back from the result, newest first, so that a node runs when its whole gradient
 * has arrived. Values used more than once receive the sum. The walk uses no recursion: chains may be as deep as memory allows.
 */
import { trapped } from './backend/crash.js'
import type { Backend } from './backend/index.js'
import type { Activation, Ptr } from './backend/kernels.js'
import { OutOfMemoryError, plainError, ShapeError, typeError } from './common/errors.js'
import { formatShape, type Shape, sameShape, sizeOf } from './common/shape.js'
import { show } from './common/show.js'
import {
  asTensor,
  type BackwardOptions,
  floatArray,
  type GraphNode,
  type HostCopy,
  inBackwardPass,
  Tensor,
  type TensorLike,
} from './tensor.js'

/**
 * The operations in which rules with a faster twin are written. Only gradients of gradients run these rules, and ops/gradients.ts brings the
 * operations along: a program that only trains does not contain them.
 */
export interface Operations {
  add(a: TensorLike, b: TensorLike): Tensor
  sub(a: TensorLike, b: TensorLike): Tensor
  mul(a: TensorLike, b: TensorLike): Tensor
  sum(x: Tensor, axis?: number, keepDims?: boolean): Tensor
  reshape(x: Tensor, shape: Shape): Tensor
  softmax(x: Tensor): Tensor
  sigmoid(x: Tensor): Tensor
  oneHot(labels: Tensor, classes: number): Tensor
  activationGradient(name: Activation, saved: Tensor, g: Tensor): Tensor
  /** Gradients of x, w and b of y = f(x·w + b). */
  denseGradients(x: Tensor, w: Tensor, b: Tensor | null, activation: Activation, y: Tensor, g: Tensor): (Tensor | null)[]
}

/**
 * Gradients of the inputs from the gradient of the output, written in operations, so that they can be differentiated again. A rule with a faster twin
 * gets the operations as an argument.
 */
export type Vjp = (gradient: Tensor, operations: Operations) => readonly (Tensor | null)[]

/** A leaf that keeps its gradient in its own memory (a Parameter). */
export interface GradientSink {
  /** Adds (or, if it holds none, stores) the gradient. */
  accumulate(gradient: Tensor): void
}

/**
 * A faster Vjp in kernels of its own. If `direct`, leaves receive their gradient in place; the result is null for an input whose gradient was written
 * in place. A result shares its memory with nothing but the gradient, if {@link StepArena.gradientPlace} gives it that.
 */
export type FusedVjp = (gradient: Tensor, direct: boolean) => readonly (Tensor | null)[]

export interface Differentiable {
  /** The name of the operation in messages. */
  operation?: string
  vjp: Vjp
  fused?: FusedVjp
}

let recordingEnabled = true
let nodeCounter = 0
/** The operation whose gradient is being computed. */
let running: Node | null = null
/** Backward passes running that are themselves recorded. */
let differentiating = 0

/**
 * Runs fn without recording: nothing made inside has a gradient, and results are ordinary arrays, which live as long as they are referenced.
 *
 * @example
 * const loss = noGrad(() => crossEntropy(model.forward(x), y).item())
 * @throws TypeError if fn is asynchronous (recording would come back on before it finished)
 */
export function noGrad<T>(fn: () => T): T {
  return withRecording(false, fn)
}

/** True while operations are being recorded. @example noGrad(() => isRecording()) // false */
export function isRecording(): boolean {
  return recordingEnabled
}

/** @internal runs fn with recording on or off, regardless of the surrounding mode */
export function withRecording<T>(enabled: boolean, fn: () => T): T {
  const before = recordingEnabled
  recordingEnabled = enabled
  try {
    const result = fn()
    if (result instanceof Promise)
      throw typeError('noGrad: wants a function that is not asynchronous, got a Promise; await outside, call noGrad inside')
    return result
  } finally {
    recordingEnabled = before
  }
}

/** @internal true if an operation on these inputs will be recorded */
export function needsGradient(inputs: readonly Tensor[]): boolean {
  if (!recordingEnabled) return false
  for (let i = 0; i < inputs.length; i++) if (inputs[i].requiresGrad) return true
  return false
}

/**
 * Runs one operation: `compute` fills `shape` floats at `y`. All inputs must belong to one backend.
 * Recorded results and results inside a scope or a backward pass stay in the arena; all others are copied out to an
 * ordinary array. `compute` reads the addresses of its inputs itself, after `y` was allocated. `inputs` has every tensor that
 * `compute` reads, also those without a gradient, such as indices.
 */
export function apply(
  inputs: readonly Tensor[],
  shape: Shape,
  compute: (y: Ptr, backend: Backend) => void,
  gradient?: (y: Tensor) => Differentiable,
): Tensor {
  const { backend } = inputs[0]
  for (let i = 0; i < inputs.length; i++) {
    const input = inputs[i]
    if (input.backend !== backend) asTensor(input, backend, 'operation')
    input.forgetCopy()
  }
  if (gradient !== undefined && needsGradient(inputs)) return applyRecorded(backend, inputs, shape, compute, gradient)
  if (backend.arena.keepsResults) return applyInArena(backend, shape, compute)
  return scope(backend, () => applyInArena(backend, shape, compute))
}

/**
 * @internal x's elements as another node of the graph, with any shape of the same size. It shares x's memory; for a parameter it is a copy, since an
 *   optimizer may move and change the parameter.
 */
export function recordedView(x: Tensor, shape: Shape, vjp: (g: Tensor) => Tensor): Tensor {
  const back = (g: Tensor) => [vjp(g)]
  // `fused`, as the gradient goes on to one reader, which may write over it
  const gradient = () => ({ vjp: back, fused: back })
  if (x.isPermanent) return apply([x], shape, (y, { kernels }) => kernels.copy(x.address, y, x.size), gradient)
  x.forgetCopy()
  openStep(x.backend, [x])
  const y = Tensor.inArena(x.backend, shape, x.address, true)
  y.node = new Node(x.backend, [x], shape, gradient())
  return y
}

function applyInArena(backend: Backend, shape: Shape, compute: (y: Ptr, backend: Backend) => void): Tensor {
  const y = backend.arena.allocate(sizeOf(shape) * backend.heap.elementSize)
  try {
    compute(y, backend)
  } catch (error) {
    throw trapped(backend, error)
  }
  return Tensor.inArena(backend, shape, y)
}

function applyRecorded(
  backend: Backend,
  inputs: readonly Tensor[],
  shape: Shape,
  compute: (y: Ptr, backend: Backend) => void,
  gradient: (y: Tensor) => Differentiable,
): Tensor {
  openStep(backend, inputs)
  try {
    const y = applyInArena(backend, shape, compute)
    y.requiresGrad = true
    y.node = new Node(backend, inputs, shape, gradient(y))
    return y
  } catch (error) {
    // a step that ran out of memory gives its memory to the next one
    if (error instanceof OutOfMemoryError) backend.arena.fail()
    throw error
  }
}

/** @internal must precede every recorded allocation in the arena */
export function openStep(backend: Backend, inputs: readonly Tensor[]): void {
  let continues = false
  for (let i = 0; i < inputs.length && !continues; i++) continues = inputs[i].isInStep
  backend.arena.enter(continues)
}

/**
 * Runs fn in a scope of the arena: intermediate results cost nothing, the returned tensor is copied out.
 * @internal
 */
export function scope<T extends Tensor | readonly Tensor[]>(backend: Backend, fn: () => T): T {
  const mark = backend.arena.openScope()
  try {
    const result = fn()
    return (Array.isArray(result) ? result.map((t: Tensor) => t.keep()) : (result as Tensor).keep()) as unknown as T
  } finally {
    backend.arena.closeScope(mark)
  }
}

/** @internal the number of operations recorded so far, which serves as a clock for changes of parameters */
export function recordedOperations(): number {
  return nodeCounter
}

/**
 * @internal Called before a parameter's values are read; `changedAt`: {@link recordedOperations} when they last changed.
 * @throws Error if that was after the operation whose gradient is being computed had read them
 */
export function checkUnchanged(name: string, changedAt: number): void {
  if (running === null || running.id > changedAt) return
  throw plainError(
    `backward(): ${running.operation} needs the values of parameter '${name}' that its forward pass read, but they were changed since ` +
      '(optimizer.step(), loadState(), assign() or view()); run backward() before the change, or the forward pass again after it',
  )
}

/** One recorded operation. */
export class Node implements GraphNode {
  readonly id = ++nodeCounter
  /** Sum of the gradients that have arrived so far in the running backward pass. */
  gradient: Tensor | null = null
  /** Number of the last backward pass that has visited this node. */
  visit = 0
  /** True if the node was recorded while another graph was being differentiated. */
  readonly ofGradient = differentiating > 0
  /** True until another operation uses the result. */
  isLoose = true
  /** The copies of inputs on the host that the operation read. */
  private readonly copies: readonly (HostCopy | null)[] | null

  constructor(
    backend: Backend,
    readonly inputs: readonly Tensor[],
    readonly shape: Shape,
    private rules: Differentiable | null,
  ) {
    let copies: (HostCopy | null)[] | null = null
    let used = 0
    for (let i = 0; i < inputs.length; i++) {
      const node = inputs[i].node as Node | null
      if (node?.isLoose) {
        node.isLoose = false
        used++
      }
      if (!inputs[i].isOnHost) continue
      copies ??= inputs.map(() => null)
      copies[i] = inputs[i].copy
    }
    this.copies = copies
    backend.arena.nodeRecorded(used)
  }

  backpropagate(root: Tensor, seed: Tensor | undefined, options: BackwardOptions): void {
    backpropagate(root, seed, { retainGraph: options.retainGraph ?? false, operations: null, collector: null })
  }

  inputGradients(gradient: Tensor, operations: Operations | null, direct: boolean): readonly (Tensor | null)[] {
    if (this.rules === null)
      throw plainError(
        'backward(): the graph was already used by an earlier backward(); make the first one backward(undefined, { retainGraph: true }), or add the losses up',
      )
    const { vjp, fused } = this.rules
    this.restoreCopies()
    const outer = running
    running = this
    try {
      const isFused = fused !== undefined && operations === null
      // a rule without a faster twin does not use the operations
      const results = isFused ? fused(gradient, direct) : vjp(gradient, operations as Operations)
      if (operations === null && gradient.size > 1) {
        const at = gradient.address
        // a rule in operations may give its gradient on as it is, to several; a kernel may have written over it, for one reader
        const readers = isFused ? results.filter((result) => result?.address === at).length : 2
        if (readers !== 1) gradient.backend.arena.gradientRead(at, readers === 0)
      }
      return results
    } finally {
      running = outer
    }
  }

  private restoreCopies(): void {
    const { copies, inputs } = this
    if (copies === null) return
    for (let i = 0; i < copies.length; i++) {
      const copy = copies[i]
      if (copy !== null) inputs[i].useCopy(copy)
    }
  }

  /** The name of the operation for messages, if its rules have one. */
  get operation(): string {
    return this.rules?.operation ?? 'operation'
  }

  /** Lets go of everything that the operation kept for its gradient. */
  release(): void {
    this.rules = null
  }
}

interface PassOptions {
  retainGraph: boolean
  /** The operations in which the pass is recorded; null if it will not be differentiated. */
  operations: Operations | null
  /** Receives the gradients of tensors; null if they are added to leaves. */
  collector: Collector | null
}

/** Receives gradients of a pass that do not belong to leaves. @internal */
export interface Collector {
  /** Called first, when the root has its gradient; nodes come newest first. */
  begin(nodes: readonly Node[], root: Tensor): void
  /** True if a node has to run. */
  needs(node: Node): boolean
  take(input: Tensor, arriving: Tensor): void
}

let visits = 0

/** @internal one backward pass, see {@link gradients} and {@link Tensor.backward} */
export function backpropagate(root: Tensor, seed: Tensor | undefined, options: PassOptions): void {
  // the inputs of a result live as long as the result, so a stale one is refused here
  root.checkAlive()
  const { arena } = root.backend
  if (options.operations !== null) {
    arena.enter(root.isInStep)
    differentiating++
    try {
      withRecording(true, () => inBackwardPass(() => propagate(root, seed, options)))
    } finally {
      differentiating--
    }
  } else {
    const recycles = options.collector === null && !options.retainGraph
    arena.duringBackward(recycles, () => withRecording(false, () => inBackwardPass(() => propagate(root, seed, options))))
  }
}

function propagate(root: Tensor, seed: Tensor | undefined, options: PassOptions): void {
  const { retainGraph, operations, collector } = options
  const nodes = reachable(root.node as Node)
  nodes[0].gradient = seedFor(root, seed)
  collector?.begin(nodes, root)
  const leaves: Tensor[] = []
  try {
    for (const node of nodes) if (collector?.needs(node) ?? true) propagateNode(node, options, leaves)
  } catch (error) {
    for (const leaf of leaves) leaf.grad = null
    if (error instanceof OutOfMemoryError) root.backend.arena.fail()
    throw trapped(root.backend, error)
  } finally {
    for (const node of nodes) node.gradient = null
  }
  if (retainGraph || operations !== null) return
  const { arena } = root.backend
  arena.nodesUsed(nodes.length, nodes[0].isLoose)
  nodes[0].isLoose = false
  // The graph of a gradient was used. Some of its nodes may be unused because they lie off the path, but the step is over all the same.
  if (nodes.some((node) => node.ofGradient)) arena.end()
  for (const node of nodes) node.release()
}

/** The nodes behind a result, newest first: an order in which every user of a value comes before the value. */
function reachable(root: Node): Node[] {
  const visit = ++visits
  root.visit = visit
  const nodes = [root]
  for (let i = 0; i < nodes.length; i++) {
    for (const input of nodes[i].inputs) {
      const node = input.node as Node | null
      if (node !== null && node.visit !== visit) {
        node.visit = visit
        nodes.push(node)
      }
    }
  }
  // a chain is already in order, and sorting even a few nodes would make as much garbage as the rest of the pass
  for (let i = 1; i < nodes.length; i++) if (nodes[i].id > nodes[i - 1].id) return nodes.sort((a, b) => b.id - a.id)
  return nodes
}

function propagateNode(node: Node, { operations, collector }: PassOptions, leaves: Tensor[]): void {
  if (node.gradient === null) return
  const gradients = node.inputGradients(node.gradient, operations, collector === null)
  for (let i = 0; i < node.inputs.length; i++) {
    const input = node.inputs[i]
    const arriving = gradients[i]
    if (!input.requiresGrad) continue
    if (collector === null && input.node === null) leaves.push(input)
    if (arriving === null) continue
    if (collector !== null) collector.take(input, arriving)
    else if (input.node !== null) addTo(input.node as Node, arriving)
    else if ('accumulate' in input) (input as unknown as GradientSink).accumulate(arriving)
    else input.grad = plus(input.grad, arriving).keep()
  }
}

/** @internal a gradient for a node of a running pass */
export function addTo(node: Node, arriving: Tensor): void {
  node.gradient = plus(node.gradient, arriving)
}

/** @internal a new tensor for the sum, as two users may hold the same gradient tensor */
export function plus(a: Tensor | null, b: Tensor): Tensor {
  if (a === null) return b
  return apply(
    [a, b],
    a.shape,
    (y, { kernels }) => kernels.add(a.address, b.address, y, 1, a.size, 0, 1, 0, 1),
    () => ({ vjp: (g) => [g, g] }),
  )
}

/** @internal */
export function seedFor(root: Tensor, seed: Tensor | undefined): Tensor {
  if (seed === undefined) {
    if (root.size !== 1)
      throw new ShapeError(
        `backward(): wants a single number, got shape ${formatShape(root.shape)}; reduce it (sum, mean) or pass a seed gradient`,
      )
    const one = Tensor.onHost(root.backend, root.shape, floatArray(root.backend, 1).fill(1))
    one.constant = 1
    return one
  }
  if (!(seed instanceof Tensor))
    throw typeError(`backward(): the seed gradient wants a tensor, got ${show(seed)}; options come second: backward(undefined, options)`)
  if (!sameShape(seed.shape, root.shape))
    throw new ShapeError(`backward(): the seed gradient has shape ${formatShape(seed.shape)}, the result ${formatShape(root.shape)}`)
  return seed
}
