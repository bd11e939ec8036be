/** For workerd: bundled by wrangler, trains in the request. */
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
