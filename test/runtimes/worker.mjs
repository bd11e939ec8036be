/** The program for workerd: wrangler bundles it, and it trains while it answers a request. */
import * as gradus from 'gradus'
import * as pure from 'gradus/js'
import { smoke } from './program.mjs'

export default {
  async fetch() {
    try {
      return Response.json(await smoke(gradus, pure))
    } catch (error) {
      return Response.json({ error: String(error?.stack ?? error) })
    }
  },
}
