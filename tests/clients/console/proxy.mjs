// A connection to the server that can be cut.

import { connect, createServer } from 'node:net'

export async function startProxy(url) {
  const { hostname, port } = new URL(url)
  const open = new Set()
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    for (const [one, other] of [[near, far], [far, near]]) {
      open.add(one)
      one.on('error', () => {}).on('close', () => { open.delete(one); other.destroy() })
      one.pipe(other)
    }
  })
  const listen = (at) => new Promise((ready) => server.listen(at, '127.0.0.1', ready))
  await listen(0)
  const own = server.address().port
  return {
    url: `http://127.0.0.1:${own}`,
    /** Ends all connections, and accepts no new ones. */
    cut() {
      server.close()
      for (const one of open) one.destroy()
    },
    mend: () => listen(own),
    close() {
      this.cut()
    },
  }
}
