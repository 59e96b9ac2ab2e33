// What the pages show: environments with jobs that run as processes, and a workspace.

import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { until } from './check.mjs'

/** What the images of jobs are named by. Processes use none, but the API asks for one. */
const image = { image_name: 'busybox', tag: '1.36.1', registry_id: undefined }

export async function registry(api, organization) {
  const body = { name: 'hub', kind: 'DOCKER_HUB', url: 'https://docker.io', config: {} }
  image.registry_id = (await api.post(`/organization/${organization}/containerRegistry`, body)).id
}

/** Ten minutes of each hour, of which the next one is twenty minutes away: no run of the schedule disturbs what is looked at. */
export function quietSchedule() {
  const first = new Date().getMinutes() + 20
  const minutes = Array.from({ length: 10 }, (_, more) => (first + more) % 60)
  return `${minutes.sort((one, other) => one - other).join(',')} * * * *`
}

/** A job that runs these lines as a process of the server. */
export function cron(name, at, script, more = {}) {
  const cronjob = { timezone: 'Europe/Berlin', scheduled_at: at, entrypoint: '/bin/sh', arguments: ['-c', script] }
  return { ...common(name), schedule: { cronjob }, ...more }
}

/** A job that runs these lines when its environment is started. */
export function lifecycle(name, script, more = {}) {
  const schedule = { on_start: { entrypoint: '/bin/sh', arguments: ['-c', script] }, lifecycle_type: 'GENERIC' }
  return { ...common(name), schedule, ...more }
}

export function common(name) {
  return { name, description: '', cpu: 100, memory: 128, max_nb_restart: 0, max_duration_seconds: 300, auto_preview: false, healthchecks: {}, source: { image } }
}

/** Makes an environment with jobs, deploys it, and waits for the outcome. */
export async function environment(api, project, name, jobs) {
  const { id } = await api.post(`/project/${project}/environment`, { name, mode: 'STAGING' })
  const made = {}
  for (const job of jobs) made[job.name] = (await api.post(`/environment/${id}/job`, job)).id
  return { id, jobs: made }
}

export async function deployed(api, id) {
  const { deployment_request_id: deployment } = await api.post(`/environment/${id}/deploy`)
  await until(`environment ${id} is deployed`, async () => {
    const { environment } = await api.get(`/environment/${id}/statuses`)
    return !/QUEUED|ING$/.test(environment.state)
  })
  return deployment
}

/** A workspace whose module is in a repository of this machine. */
export async function workspace(api, organization, folder, name) {
  const repository = join(folder, `module-${name}`)
  rmSync(repository, { recursive: true, force: true })
  mkdirSync(repository, { recursive: true })
  const module = 'variable "name" {\n  type = string\n  default = "world"\n}\nresource "terraform_data" "greeting" {\n  input = "hello ${var.name}"\n}\noutput "greeting" {\n  value = terraform_data.greeting.output\n}\n'
  writeFileSync(join(repository, 'main.tf'), module)
  const git = (...words) => execFileSync('git', ['-c', 'user.name=tour', '-c', 'user.email=tour@example.com', '-c', 'init.defaultBranch=main', ...words], { cwd: repository })
  for (const words of [['init', '--quiet'], ['add', '.'], ['commit', '--quiet', '--message', 'first']]) git(...words)
  const attributes = { name, source: `file://${repository}`, branch: 'main', folder: '/', iacType: 'tofu' }
  return api.create(`organization/${organization}/workspace`, 'workspace', attributes)
}

/** A template whose plan has to be approved. */
export async function reviewed(api, organization) {
  const flow = 'flow:\n- {type: terraformPlan, step: 100}\n- {type: approval, step: 150}\n- {type: terraformApply, step: 200}\n'
  const attributes = { name: 'reviewed', tcl: Buffer.from(flow).toString('base64') }
  return api.create(`organization/${organization}/template`, 'template', attributes)
}
