// Tests the official TypeScript SDK: every operation of its Job* classes, and related operations. Responses are compared
// with their types field by field. Runs once for each kind of credential.

import { deepStrictEqual, ok } from 'node:assert/strict'
import { exit } from 'node:process'
import * as sdk from 'qovery-typescript-axios'

import { aNumber, aText, aTime, anId, answer, type Expected, refused, same, until } from './check'
import { type GitHost, gitHost } from './githost'

const { WINDLASS_URL, WINDLASS_TOKEN, WINDLASS_JWT } = process.env as Record<string, string>
const IMAGE = 'busybox'
const TAG = '1.36.1'

type Class<T> = new (configuration: sdk.Configuration) => T

/** The operations that were called. */
const called = new Set<string>()

class Tour {
  constructor(private readonly configuration: sdk.Configuration) {}

  api<T extends object>(of: Class<T>): T {
    const name = of.name
    return new Proxy<T>(new of(this.configuration), {
      get(target: object, key) {
        called.add(`${name}.${String(key)}`)
        return (Reflect.get(target, key) as Function).bind(target)
      },
    })
  }

  jobs = this.api(sdk.JobsApi)
  job = this.api(sdk.JobMainCallsApi)
  actions = this.api(sdk.JobActionsApi)
  environments = this.api(sdk.EnvironmentMainCallsApi)
  variables = this.api(sdk.VariableMainCallsApi)

  status(id: string) {
    return answer(200, this.job.getJobStatus(id))
  }

  /** Waits until the last action on a job has ended in this state. */
  async ended(id: string, state: sdk.StateEnum): Promise<sdk.Status> {
    const status = await until(
      `waiting for ${state}`,
      () => this.status(id),
      (status) => status.state === state || status.state.endsWith('ERROR'),
    )
    deepStrictEqual(status.state, state)
    return status
  }
}

interface Place {
  organization: string
  project: string
  environment: string
  registry: sdk.ContainerRegistryResponse
}

async function place(tour: Tour, name: string): Promise<Place> {
  const organizations = tour.api(sdk.OrganizationMainCallsApi)
  const known = (await answer(200, organizations.listOrganization())).results ?? []
  const organization =
    known[0] ?? (await answer(201, organizations.createOrganization({ name: `of ${name}`, plan: sdk.PlanEnum.FREE })))
  same(await answer(200, organizations.getOrganization(organization.id)), organization as Expected<sdk.Organization>)
  const registries = tour.api(sdk.ContainerRegistriesApi)
  const registry = await answer(
    201,
    registries.createContainerRegistry(organization.id, {
      name: `hub of ${name}`,
      kind: sdk.ContainerRegistryKindEnum.DOCKER_HUB,
      url: 'https://docker.io',
      config: {},
    }),
  )
  const listed = (await answer(200, registries.listContainerRegistry(organization.id))).results ?? []
  ok(listed.some((row) => row.id === registry.id))
  const projects = tour.api(sdk.ProjectsApi)
  const project = await answer(200, projects.createProject(organization.id, { name: `project of ${name}` }))
  same(project, {
    id: anId,
    created_at: aTime,
    updated_at: aTime,
    name: `project of ${name}`,
    description: '',
    organization: { id: organization.id },
    associated_environments_count: 0,
  } as Expected<sdk.Project>)
  const environment = await answer(
    201,
    tour.api(sdk.EnvironmentsApi).createEnvironment(project.id, { name: 'staging', mode: 'STAGING' }),
  )
  deepStrictEqual([environment.name, environment.mode, environment.project.id], ['staging', 'STAGING', project.id])
  ok(anId(environment.cluster_id) && aText(environment.cluster_name) && aTime(environment.updated_at))
  return { organization: organization.id, project: project.id, environment: environment.id, registry }
}

function image(place: Place): sdk.JobRequestAllOfSource {
  return { image: { image_name: IMAGE, tag: TAG, registry_id: place.registry.id } }
}

/** The fields that all jobs in this test have in common. */
function common(place: Place, name: string) {
  return {
    id: anId,
    created_at: aTime,
    updated_at: aTime,
    environment: { id: place.environment },
    name,
    description: '',
    cpu: 500,
    memory: 512,
    gpu: 0,
    maximum_cpu: aNumber,
    maximum_memory: aNumber,
    maximum_gpu: aNumber,
    max_nb_restart: 0,
    max_duration_seconds: 0,
    auto_preview: false,
    auto_deploy: false,
    port: null,
    healthchecks: {},
    icon_uri: aText,
    service_type: sdk.ServiceTypeEnum.JOB,
    annotations_groups: [],
    labels_groups: [],
  }
}

function imageAnswer(place: Place) {
  const { id, name, url, kind } = place.registry
  return { image: { image_name: IMAGE, tag: TAG, registry_id: id, registry: { id, name, url, kind } } }
}

async function createCron(tour: Tour, place: Place): Promise<sdk.CronJobResponse> {
  const created = await answer(
    201,
    tour.jobs.createJob(place.environment, {
      name: 'nightly',
      healthchecks: {},
      source: image(place),
      schedule: {
        cronjob: {
          scheduled_at: '30 2 * * *',
          timezone: 'Europe/Paris',
          entrypoint: '/bin/sh',
          arguments: ['-c', 'echo "$GREETING"'],
        },
      },
    }),
  )
  const expected = {
    ...common(place, 'nightly'),
    job_type: sdk.JobTypeEnum.CRON,
    source: imageAnswer(place),
    schedule: {
      cronjob: {
        scheduled_at: '30 2 * * *',
        timezone: 'Europe/Paris',
        entrypoint: '/bin/sh',
        arguments: ['-c', 'echo "$GREETING"'],
      },
    },
  }
  same<unknown>(created, expected)
  const read = await answer(200, tour.job.getJob(created.id))
  same<unknown>(read, expected)
  // The discriminator narrows the union: after this line the compiler knows the type.
  if (read.job_type !== 'CRON') throw new Error(`a job of type ${read.job_type}`)
  deepStrictEqual(read.schedule.cronjob.timezone, 'Europe/Paris')
  return read
}

async function createLifecycle(tour: Tour, place: Place): Promise<sdk.LifecycleJobResponse> {
  const step = (text: string) => ({ entrypoint: '/bin/sh', arguments: ['-c', text] })
  const output = `echo '{"HOST":{"value":"db.example","sensitive":false},"PASSWORD":{"value":"a secret","sensitive":true}}'`
  const schedule = {
    on_start: step(`${output} > /qovery-output/qovery-output.json`),
    on_stop: step('echo stopped'),
    on_delete: step('echo deleted'),
    lifecycle_type: sdk.JobLifecycleTypeEnum.GENERIC,
  }
  const request: sdk.JobRequest = { name: 'seed', healthchecks: {}, source: image(place), schedule }
  const created = await answer(201, tour.jobs.createJob(place.environment, request))
  const expected = {
    ...common(place, 'seed'),
    job_type: sdk.JobTypeEnum.LIFECYCLE,
    source: imageAnswer(place),
    schedule,
  }
  same<unknown>(created, expected)
  const read = await answer(200, tour.job.getJob(created.id))
  same<unknown>(read, expected)
  if (read.job_type !== 'LIFECYCLE') throw new Error(`a job of type ${read.job_type}`)
  deepStrictEqual(read.schedule.on_stop?.arguments, ['-c', 'echo stopped'])
  return read
}

async function edit(tour: Tour, place: Place, cron: sdk.CronJobResponse) {
  // Send the whole response back, as the console does.
  const body = { ...cron, description: 'every night', memory: 256 } as unknown as sdk.JobRequest
  const edited = await answer(200, tour.job.editJob(cron.id, body))
  deepStrictEqual({ ...edited, updated_at: '' }, { ...cron, description: 'every night', memory: 256, updated_at: '' })
  const listed = (await answer(200, tour.jobs.listJobs(place.environment))).results ?? []
  deepStrictEqual(listed.map((job) => [job.name, job.job_type]).sort(), [['nightly', 'CRON'], ['seed', 'LIFECYCLE']])
  const wrong = await refused(400, tour.job.editJob(cron.id, { ...body, memory: -1 }))
  ok(JSON.stringify(wrong).includes('memory'), 'the error must name the field')
}

async function settings(tour: Tour, cron: sdk.CronJobResponse) {
  const api = tour.api(sdk.JobConfigurationApi)
  const defaults = await answer(200, tour.jobs.getDefaultJobAdvancedSettings())
  const before = await answer(200, api.getJobAdvancedSettings(cron.id))
  deepStrictEqual(before, defaults)
  const wanted = { ...before, 'cronjob.concurrency_policy': 'Allow', 'job.delete_ttl_seconds_after_finished': 60 }
  deepStrictEqual(await answer(201, api.editJobAdvancedSettings(cron.id, wanted)), wanted)
  deepStrictEqual(await answer(200, api.getJobAdvancedSettings(cron.id)), wanted)
}

async function variables(tour: Tour, cron: sdk.CronJobResponse) {
  const api = tour.api(sdk.JobEnvironmentVariableApi)
  const greeting = await answer(201, api.createJobEnvironmentVariable(cron.id, { key: 'GREETING', value: 'hello' }))
  deepStrictEqual(
    [greeting.key, greeting.value, greeting.scope, greeting.variable_type],
    ['GREETING', 'hello', 'JOB', 'VALUE'],
  )
  ok(anId(greeting.id) && aTime(greeting.created_at) && aTime(greeting.updated_at))
  const changed = await answer(
    200,
    api.editJobEnvironmentVariable(cron.id, greeting.id, { key: 'GREETING', value: 'good evening' }),
  )
  deepStrictEqual([changed.id, changed.value], [greeting.id, 'good evening'])
  const alias = await answer(201, api.createJobEnvironmentVariableAlias(cron.id, greeting.id, { key: 'WORDS' }))
  deepStrictEqual([alias.variable_type, alias.aliased_variable?.key], ['ALIAS', 'GREETING'])
  const wide = await answer(
    201,
    tour.variables.createVariable({
      key: 'REGION',
      value: 'north',
      is_secret: false,
      variable_scope: 'ENVIRONMENT',
      variable_parent_id: cron.environment.id,
    }),
  )
  const override = await answer(201, api.createJobEnvironmentVariableOverride(cron.id, wide.id, { value: 'south' }))
  deepStrictEqual([override.key, override.value, override.overridden_variable?.id], ['REGION', 'south', wide.id])
  const imported = await answer(
    201,
    api.importJobEnvironmentVariable(cron.id, {
      overwrite: false,
      vars: [{ name: 'EXTRA', value: '1', scope: 'JOB', is_secret: false }],
    }),
  )
  deepStrictEqual(imported.total_variables_to_import, 1)
  deepStrictEqual(imported.successful_imported_variables.map(({ name, value }) => [name, value]), [['EXTRA', '1']])
  const listed = (await answer(200, api.listJobEnvironmentVariable(cron.id))).results ?? []
  for (const key of ['GREETING', 'WORDS', 'REGION', 'EXTRA']) ok(listed.some((row) => row.key === key), key)
  await answer(204, api.deleteJobEnvironmentVariable(cron.id, alias.id))
  const all = (await answer(200, tour.variables.listVariables(cron.id, 'JOB'))).results ?? []
  ok(!all.some((row) => row.key === 'WORDS') && all.some((row) => row.key === 'EXTRA'))
}

async function secrets(tour: Tour, cron: sdk.CronJobResponse) {
  const api = tour.api(sdk.JobSecretApi)
  const secret = await answer(201, api.createJobSecret(cron.id, { key: 'PASSWORD', value: 'a long secret' }))
  ok(!JSON.stringify(secret).includes('a long secret'), 'the response contains the secret')
  deepStrictEqual([secret.key, secret.scope, secret.variable_type], ['PASSWORD', 'JOB', 'VALUE'])
  await answer(200, api.editJobSecret(cron.id, secret.id, { key: 'PASSWORD', value: 'another secret' }))
  const alias = await answer(201, api.createJobSecretAlias(cron.id, secret.id, { key: 'PASS' }))
  deepStrictEqual(alias.aliased_secret?.id, secret.id)
  const wide = await answer(
    201,
    tour.variables.createVariable({
      key: 'TOKEN',
      value: 'of the environment',
      is_secret: true,
      variable_scope: 'ENVIRONMENT',
      variable_parent_id: cron.environment.id,
    }),
  )
  const override = await answer(201, api.createJobSecretOverride(cron.id, wide.id, { value: 'of the job' }))
  deepStrictEqual([override.key, override.overridden_secret?.id], ['TOKEN', wide.id])
  const listed = (await answer(200, api.listJobSecrets(cron.id))).results ?? []
  deepStrictEqual(listed.map((row) => row.key).filter((key) => key === 'PASSWORD' || key === 'PASS').length, 2)
  await answer(204, api.deleteJobSecret(cron.id, alias.id))
}

async function restrictions(tour: Tour, cron: sdk.CronJobResponse) {
  const api = tour.api(sdk.JobDeploymentRestrictionApi)
  const request = { mode: 'EXCLUDE', type: 'PATH', value: 'docs/' } as const
  const created = await answer(201, api.createJobDeploymentRestriction(cron.id, request))
  same<unknown>(created, { id: anId, created_at: aTime, updated_at: aTime, ...request })
  const changed = await answer(
    200,
    api.editJobDeploymentRestriction(cron.id, created.id, { ...request, value: 'pages/' }),
  )
  deepStrictEqual(changed.value, 'pages/')
  const listed = (await answer(200, api.getJobDeploymentRestrictions(cron.id))).results ?? []
  deepStrictEqual(listed.map((row) => row.value), ['pages/'])
  await answer(204, api.deleteJobDeploymentRestriction(cron.id, created.id))
}

async function deploy(tour: Tour, place: Place, cron: sdk.CronJobResponse, lifecycle: sdk.LifecycleJobResponse) {
  same<unknown>(await tour.status(cron.id), {
    id: cron.id,
    state: 'READY',
    service_deployment_status: 'NEVER_DEPLOYED',
    is_part_last_deployment: false,
    status_details: { action: aText, status: aText, sub_action: 'NONE' },
    deployment_request_id: null,
    deployment_requests_count: 0,
  })
  await answer(202, tour.actions.deployJob(lifecycle.id, undefined, {}))
  const done = await tour.ended(lifecycle.id, 'DEPLOYED')
  deepStrictEqual([done.service_deployment_status, done.is_part_last_deployment], ['UP_TO_DATE', true])
  const outputs = (await answer(200, tour.variables.listVariables(lifecycle.id, 'JOB'))).results ?? []
  const host = outputs.find((row) => row.key.startsWith('QOVERY_OUTPUT_JOB_') && row.key.endsWith('_HOST'))
  deepStrictEqual([host?.value, host?.variable_type, host?.is_secret], ['db.example', 'BUILT_IN', false])
  const password = outputs.find((row) => row.key.startsWith('QOVERY_OUTPUT_JOB_') && row.key.endsWith('_PASSWORD'))
  deepStrictEqual([password?.value, password?.is_secret], [null, true])

  await answer(202, tour.actions.deployJob(cron.id, undefined, {}))
  await tour.ended(cron.id, 'DEPLOYED')
  await answer(202, tour.actions.deployJob(cron.id, sdk.JobForceEvent.CRON, {}))
  await tour.ended(cron.id, 'DEPLOYED')
  await answer(202, tour.actions.redeployJob(cron.id))
  await tour.ended(cron.id, 'DEPLOYED')
  await answer(200, tour.actions.cleanFailedJob(cron.id))

  const statuses = (await answer(200, tour.jobs.getEnvironmentJobStatus(place.environment))).results ?? []
  deepStrictEqual(statuses.map((row) => row.state), ['DEPLOYED', 'DEPLOYED'])
  const all = await answer(200, tour.environments.getEnvironmentStatuses(place.environment))
  deepStrictEqual([all.environment?.last_deployment_state, all.jobs?.length], ['DEPLOYED', 2])
  deepStrictEqual([all.applications, all.containers, all.databases, all.helms, all.terraforms], [[], [], [], [], []])
}

async function histories(tour: Tour, place: Place, cron: sdk.CronJobResponse) {
  const api = tour.api(sdk.JobDeploymentHistoryApi)
  const first = await answer(200, api.listJobDeploymentHistory(cron.id))
  deepStrictEqual([first.page, first.results?.length], [1, 3])
  for (const row of first.results ?? []) {
    deepStrictEqual([row.name, row.status, row.image_name, row.tag], ['nightly', 'DEPLOYED', IMAGE, TAG])
  }
  const second = await answer(200, api.listJobDeploymentHistoryV2(cron.id, 2))
  deepStrictEqual([second.page_size, second.results?.length], [2, 2])
  for (const row of second.results ?? []) {
    deepStrictEqual([row.identifier.service_type, row.identifier.name, row.status], ['JOB', 'nightly', 'DEPLOYED'])
  }
  const environment = tour.api(sdk.EnvironmentDeploymentHistoryApi)
  const wide = await answer(200, environment.listEnvironmentDeploymentHistoryV2(place.environment))
  deepStrictEqual(wide.results?.length, 4)
  const logs = await answer(200, tour.api(sdk.EnvironmentLogsApi).listEnvironmentLogs(place.environment))
  ok(Array.isArray(logs) && logs.length > 0)
}

async function stages(tour: Tour, place: Place, cron: sdk.CronJobResponse) {
  const api = tour.api(sdk.DeploymentStageMainCallsApi)
  const stage = await answer(200, api.createEnvironmentDeploymentStage(place.environment, { name: 'last' }))
  await answer(200, api.attachServiceToDeploymentStage(stage.id, cron.id))
  const listed = (await answer(200, api.listEnvironmentDeploymentStage(place.environment))).results ?? []
  const last = listed.find((row) => row.id === stage.id)
  deepStrictEqual(last?.services?.map((row) => [row.service_id, row.service_type]), [[cron.id, 'JOB']])
  deepStrictEqual((await answer(200, api.getServiceDeploymentStage(cron.id))).name, 'last')
}

/** Builds a job from a repository, and deploys one of its commits. */
async function fromGit(tour: Tour, place: Place, host: GitHost) {
  const job = await answer(
    201,
    tour.jobs.createJob(place.environment, {
      name: 'built',
      healthchecks: {},
      source: {
        docker: {
          dockerfile_path: 'Dockerfile',
          git_repository: { provider: 'GITLAB', url: host.url, branch: 'main', root_path: '/' },
        },
      },
      schedule: { cronjob: { scheduled_at: '@hourly' } },
    }),
  )
  if (!('docker' in job.source)) throw new Error('no repository in the response')
  const repository = job.source.docker?.git_repository
  deepStrictEqual([repository?.url, repository?.branch, repository?.provider], [host.url, 'main', 'GITLAB'])
  const commits = (await answer(200, tour.job.listJobCommit(job.id))).results ?? []
  same<unknown>(commits[0], {
    created_at: aTime,
    git_commit_id: host.commit,
    tag: '',
    message: 'A first commit',
    author_name: 'Tester',
  })
  await answer(202, tour.actions.deployJob(job.id, undefined, { git_commit_id: host.commit }))
  await tour.ended(job.id, 'DEPLOYED')
  const deployed = await answer(200, tour.job.getJob(job.id))
  if (!('docker' in deployed.source)) throw new Error('no repository in the response')
  deepStrictEqual(deployed.source.docker?.git_repository?.deployed_commit_id, host.commit)
  await answer(204, tour.job.deleteJob(job.id))
}

async function copyAndMove(tour: Tour, place: Place, cron: sdk.CronJobResponse) {
  const copy = await answer(202, tour.jobs.cloneJob(cron.id, { name: 'copy', environment_id: place.environment }))
  deepStrictEqual([copy.name, copy.job_type, copy.id === cron.id], ['copy', 'CRON', false])
  await refused(400, tour.job.listJobCommit(copy.id))
  const request = { ...copy, auto_deploy: true } as unknown as sdk.JobRequest
  await answer(200, tour.job.editJob(copy.id, request))
  const moved = await answer(
    202,
    tour.jobs.autoDeployJobEnvironments(place.organization, { image_name: IMAGE, tag: TAG }),
  )
  ok(aText(moved.state), JSON.stringify(moved))
  await until('waiting for the deployment to end', () => tour.status(copy.id), (status) => !/ING$|QUEUED$/.test(status.state))
  await answer(204, tour.job.deleteJob(copy.id))
}

async function takeDown(tour: Tour, place: Place, cron: sdk.CronJobResponse, lifecycle: sdk.LifecycleJobResponse) {
  await answer(202, tour.actions.stopJob(cron.id))
  await tour.ended(cron.id, 'STOPPED')
  await tour.actions.uninstallJob(lifecycle.id)
  await until('uninstalled', () => tour.status(lifecycle.id), (status) => status.state === 'DELETED')
  await answer(204, tour.job.deleteJob(cron.id))
  await until(
    'waiting for the deletion of the job',
    async () => (await answer(200, tour.jobs.listJobs(place.environment))).results ?? [],
    (rows) => !rows.some((row) => row.id === cron.id),
  )
  await refused(404, tour.job.getJob(cron.id))
  await answer(204, tour.environments.deleteEnvironment(place.environment))
  const left = async () => (await answer(200, tour.api(sdk.EnvironmentsApi).listEnvironment(place.project))).results ?? []
  await until('waiting for the deletion of the environment', left, (rows) => rows.length === 0)
  await answer(204, tour.api(sdk.ProjectMainCallsApi).deleteProject(place.project))
  await answer(204, tour.api(sdk.ContainerRegistriesApi).deleteContainerRegistry(place.organization, place.registry.id))
}

async function run(name: string, configuration: sdk.Configuration, host: GitHost) {
  const tour = new Tour(configuration)
  const here = await place(tour, name)
  const cron = await createCron(tour, here)
  const lifecycle = await createLifecycle(tour, here)
  await edit(tour, here, cron)
  await settings(tour, cron)
  await variables(tour, cron)
  await secrets(tour, cron)
  await restrictions(tour, cron)
  await deploy(tour, here, cron, lifecycle)
  await histories(tour, here, cron)
  await stages(tour, here, cron)
  await fromGit(tour, here, host)
  await copyAndMove(tour, here, cron)
  await takeDown(tour, here, cron, lifecycle)
}

/** Checks that every operation of the Job* classes was called. */
function complete() {
  const missed: string[] = []
  for (const [name, of] of Object.entries(sdk)) {
    if (!/^Job\w*Api$/.test(name) || typeof of !== 'function') continue
    for (const operation of Object.getOwnPropertyNames(of.prototype)) {
      if (operation !== 'constructor' && !called.has(`${name}.${operation}`)) missed.push(`${name}.${operation}`)
    }
  }
  deepStrictEqual(missed, [], 'operations that were not called')
}

async function main() {
  const host = await gitHost()
  const basePath = WINDLASS_URL
  await run('a machine', new sdk.Configuration({ basePath, apiKey: `Token ${WINDLASS_TOKEN}` }), host)
  await run('a person', new sdk.Configuration({ basePath, accessToken: WINDLASS_JWT }), host)
  complete()
  await refused(401, new sdk.JobsApi(new sdk.Configuration({ basePath, accessToken: 'none' })).listJobs('none'))
  const operations = [...called].filter((name) => /^Job\w*Api\./.test(name)).length
  console.log(`official TypeScript SDK: ${operations} job operations and ${called.size - operations} others, each called twice`)
  host.close()
}

main().then(
  () => exit(0),
  (error) => {
    console.error(error)
    exit(1)
  },
)
