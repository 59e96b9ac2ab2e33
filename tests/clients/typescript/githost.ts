// A Git server on loopback, with one repository, served by `git http-backend`.

import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface GitHost {
  url: string
  /** The newest commit. */
  commit: string
  close: () => void
}

/** Serves a repository with one commit on `main`: a Dockerfile that needs no base image. */
export async function gitHost(): Promise<GitHost> {
  const root = mkdtempSync(join(tmpdir(), 'windlass-tour-'))
  const work = join(root, 'work')
  mkdirSync(work)
  const git = (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=Tester', '-c', 'user.email=tester@example.invalid', ...words], { cwd: work })
  git('init', '-q', '-b', 'main')
  writeFileSync(join(work, 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /Dockerfile\n')
  git('add', '.')
  git('commit', '-q', '-m', 'A first commit')
  const commit = git('rev-parse', 'HEAD').toString().trim()
  git('clone', '-q', '--bare', work, join(root, 'jobs.git'))
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://host')
    const backend = spawn('git', ['http-backend'], {
      env: {
        ...process.env,
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        REQUEST_METHOD: request.method,
        PATH_INFO: pathname,
        QUERY_STRING: searchParams.toString(),
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      },
    })
    request.pipe(backend.stdin)
    const parts: Buffer[] = []
    backend.stdout.on('data', (part) => parts.push(part))
    backend.on('close', () => {
      const output = Buffer.concat(parts)
      const end = output.indexOf('\r\n\r\n')
      for (const line of output.subarray(0, end).toString().split('\r\n')) {
        const [name, value] = line.split(': ')
        if (name === 'Status') response.statusCode = Number.parseInt(value, 10)
        else response.setHeader(name, value)
      }
      response.end(output.subarray(end + 4))
    })
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/jobs.git`, commit, close: () => server.close() }
}
