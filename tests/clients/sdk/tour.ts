// Tests the generated TypeScript SDK.

import { setTimeout as pause } from 'node:timers/promises'
import * as sdk from './sdk'

const configuration = new sdk.Configuration({
  basePath: process.env.WINDLASS_URL,
  apiKey: `Token ${process.env.WINDLASS_TOKEN}`,
})

function check(right: boolean, what: string, value: unknown): asserts right {
  if (!right) throw new Error(`${what}: ${JSON.stringify(value)}`)
}

async function until<T>(what: string, ask: () => Promise<T>, done: (value: T) => boolean) {
  for (let attempt = 0; ; attempt += 1) {
    const value = await ask()
    if (done(value)) return
    check(attempt < 300, what, value)
    await pause(200)
  }
}

async function main() {
  const jobs = new sdk.JobsApi(configuration)
  const job = new sdk.JobMainCallsApi(configuration)
  const registries = new sdk.ContainerRegistriesApi(configuration)
  const environments = new sdk.EnvironmentsApi(configuration)
  const organizations = (await new sdk.OrganizationMainCallsApi(configuration).listOrganization()).data.results ?? []
  const organization = organizations[0].id
  const hub = { name: 'hub of TypeScript', kind: sdk.ContainerRegistryKindEnum.DockerHub, config: {} }
  const registry = (await registries.createContainerRegistry(organization, hub)).data.id
  const project = (await new sdk.ProjectsApi(configuration).createProject(organization, { name: 'TypeScript' })).data.id
  const environment = (await environments.createEnvironment(project, { name: 'typescript' })).data.id
  const request = (name: string, schedule: sdk.JobRequestAllOfSchedule): sdk.JobRequest => ({
    name,
    healthchecks: {},
    source: { image: { image_name: 'busybox', tag: '1.36.1', registry_id: registry } },
    schedule,
  })
  const cron = (await jobs.createJob(environment, request('nightly', { cronjob: { scheduled_at: '@daily' } }))).data
  const read = (await job.getJob(cron.id)).data
  check(read.job_type === 'CRON', 'the type of a CRON job', read)
  check(read.schedule.cronjob.scheduled_at === '@daily', 'the schedule', read)
  const seed = (await jobs.createJob(environment, request('seed', { on_start: { entrypoint: '/bin/true' } }))).data
  const lifecycle = (await job.getJob(seed.id)).data
  check(lifecycle.job_type === 'LIFECYCLE', 'the type of a LIFECYCLE job', lifecycle)
  check(lifecycle.schedule.on_start?.entrypoint === '/bin/true', 'the command', lifecycle)

  await new sdk.JobActionsApi(configuration).deployJob(lifecycle.id, undefined, {})
  const state = async () => (await job.getJobStatus(lifecycle.id)).data.state
  await until('deployed', state, (state) => state === sdk.StateEnum.Deployed)
  await job.deleteJob(read.id)
  await new sdk.EnvironmentMainCallsApi(configuration).deleteEnvironment(environment)
  const left = async () => (await environments.listEnvironment(project)).data.results ?? []
  await until('deleted', left, (rows) => rows.length === 0)
  await new sdk.ProjectMainCallsApi(configuration).deleteProject(project)
  await registries.deleteContainerRegistry(organization, registry)
  console.log('generated TypeScript SDK: all calls succeeded')
}

main().catch((error) => {
  console.error(error.response?.data ?? error)
  process.exit(1)
})
