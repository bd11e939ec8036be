/** A net that somebody watches while it learns, by Adam and from a seed: the same config gives the same weights at each step. */
import { Adam, createBackend, Generator, type Sequential, type Tensor } from 'gradus'

/**
 * The backend of these nets: plain JavaScript, as the page leaves out the kernels of WebAssembly for convolutions and GRUs, so that a program which
 * somebody copies can have the same bits.
 */
export const backend = createBackend({ backend: 'js' })

export abstract class WatchedNet {
  step = 0
  /** The reason why training cannot go on; empty if it can. */
  problem = ''
  protected readonly random: Generator
  private readonly optimizer: Adam

  constructor(
    readonly model: Sequential,
    { seed, rate }: { seed: number; rate: number },
  ) {
    this.optimizer = new Adam(model.parameters(), { learningRate: rate })
    this.random = new Generator(seed)
  }

  /** The loss of the next batch. */
  protected abstract nextLoss(): Tensor

  /** Is told of the loss of each batch, before its step. */
  protected abstract record(loss: number): void

  /** Steps until `until`, or until `deadline` (of `performance.now`) if that comes first. */
  advance(until: number, deadline: number): void {
    while (this.step < until && this.problem === '' && performance.now() < deadline) this.once()
  }

  private once(): void {
    const loss = this.nextLoss()
    const value = loss.item()
    if (!Number.isFinite(value)) {
      this.problem = `the loss became ${value} at step ${this.step}: the learning rate is too large`
      return
    }
    this.record(value)
    loss.backward()
    this.optimizer.step()
    this.step++
  }
}
