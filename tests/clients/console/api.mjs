// The API, to make what the pages show.

import { check, until } from './check.mjs'

export class Api {
  constructor(url, token) {
    this.url = url
    this.token = token
  }

  async call(method, path, body) {
    const json = path.startsWith('/api/v1') ? 'application/vnd.api+json' : 'application/json'
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.token}`, 'Content-Type': json },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    const text = await response.text()
    check(response.ok, `${method} ${path}: ${response.status} ${text}`)
    return text.startsWith('{') ? JSON.parse(text) : text
  }

  get(path) {
    return this.call('GET', path)
  }

  post(path, body = {}) {
    return this.call('POST', path, body)
  }

  put(path, body) {
    return this.call('PUT', path, body)
  }

  /** Sends the bytes of a file. */
  async upload(path, body) {
    const headers = { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/octet-stream' }
    const response = await fetch(`${this.url}${path}`, { method: 'PUT', headers, body })
    check(response.ok, `PUT ${path}: ${response.status} ${await response.text()}`)
  }

  /** Creates a resource of the Terrakube-compatible API, and returns its ID. */
  async create(path, type, attributes, relationships) {
    return (await this.post(`/api/v1/${path}`, { data: { type, attributes, relationships } })).data.id
  }

  /** Waits until a run has ended, and returns it. */
  async ended(run) {
    return until(`run ${run} has ended`, async () => {
      const row = await this.get(`/run/${run}`)
      return row.finished_at && row
    })
  }

  /** Waits until a job of a workspace has a status. */
  async workspaceJob(organization, job, status) {
    return until(`job ${job} is ${status}`, async () => {
      const row = (await this.get(`/api/v1/organization/${organization}/job/${job}`)).data.attributes
      if (['failed', 'rejected', 'cancelled'].includes(row.status) && row.status !== status) {
        throw new Error(`job ${job} is ${row.status}: ${row.output}`)
      }
      return row.status === status
    })
  }
}
