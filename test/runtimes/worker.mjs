/** The program for workerd: wrangler bundles it, and it trains while it answers a request. */
import * as gradus from 'gradus'
import * as pure from 'gradus/js'
import { smoke } from './program.mjs'

export default {
  async fetch(request) {
    // asks whether it runs; a warning is given once, and belongs to the answer
    if (request.method === 'HEAD') return new Response(null)
    try {
      return Response.json(await smoke(gradus, pure))
    } catch (error) {
      return Response.json({ error: String(error?.stack ?? error) })
    }
  },
}
