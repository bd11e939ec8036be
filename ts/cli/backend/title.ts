/** Name of a backend in the output. */
import type { Backend } from '../../index.js'

/** `WebAssembly, relaxed SIMD` for a backend. */
export function backendTitle({ name, variant, widened }: Backend): string {
  if (name === 'js') return 'plain JavaScript'
  const title = variant === 'relaxed' ? 'WebAssembly, relaxed SIMD' : 'WebAssembly, SIMD'
  return widened ? `${title} widened to 256 bits (same bits, checked; --no-widen turns it off)` : title
}
