//! Pure: what a deployment means for one job.

use entity::deployment::{Action, Progress};
use entity::job;
use entity::job_spec::{Command, GitRepository, JobSpec, Schedule, Source};
use entity::run::Event;
use entity::run_spec::{BuildSpec, BuiltImage, PodSpec, Retention, RunSpec};

use super::advanced_settings::Settings;

/// What happens to the deployed configuration of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deployed {
    /// It stays.
    Kept,
    /// It becomes the present configuration.
    Replaced,
    /// The job is no longer deployed.
    Removed,
}

/// What a deployment does to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub deployed: Deployed,
    /// The command that runs once, and that the deployment waits for.
    pub run: Option<Event>,
}

/// What `action` means for a job of this schedule. A forced event runs its command and leaves the schedule alone.
#[must_use]
pub fn plan(action: Action, forced: Option<Event>, schedule: &Schedule) -> Plan {
    if forced.is_some() {
        return Plan { deployed: Deployed::Kept, run: forced };
    }
    let (deployed, event) = match action {
        Action::Deploy => (Deployed::Replaced, Event::Start),
        Action::Stop => (Deployed::Removed, Event::Stop),
        Action::Delete | Action::Uninstall => (Deployed::Removed, Event::Delete),
    };
    let runs = matches!(schedule, Schedule::Lifecycle { .. }) && command(schedule, event).is_some();
    Plan { deployed, run: runs.then_some(event) }
}

/// The events that a schedule has a command for.
#[must_use]
pub fn events(schedule: &Schedule) -> Vec<Event> {
    let all = [Event::Cron, Event::Start, Event::Stop, Event::Delete];
    all.into_iter().filter(|event| command(schedule, *event).is_some()).collect()
}

/// What is to begin next of the parts of a deployment, given stage positions and progress: the queued parts of the
/// earliest stage when nothing runs and nothing has failed.
#[must_use]
pub fn next_stage(parts: &[(i32, Progress)]) -> NextStage {
    if parts.iter().any(|(_, progress)| *progress == Progress::Running) {
        return NextStage::Wait;
    }
    let queued = parts.iter().filter(|(_, progress)| *progress == Progress::Queued).map(|(stage, _)| *stage).min();
    let failed = parts.iter().any(|(_, progress)| matches!(progress, Progress::Failed | Progress::Cancelled));
    match queued {
        None => NextStage::Done,
        Some(_) if failed => NextStage::GiveUp,
        Some(stage) => NextStage::Begin(stage),
    }
}

/// What follows in a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStage {
    /// A stage is under way.
    Wait,
    /// The parts of this stage begin.
    Begin(i32),
    /// A stage has failed: the parts behind it do not begin.
    GiveUp,
    /// All parts have ended.
    Done,
}

/// The command of an event; none when the job has no such event.
#[must_use]
pub fn command(schedule: &Schedule, event: Event) -> Option<&Command> {
    match (schedule, event) {
        (Schedule::Cron { command, .. }, Event::Cron) => Some(command),
        (Schedule::Lifecycle { on_start, .. }, Event::Start) => on_start.as_ref(),
        (Schedule::Lifecycle { on_stop, .. }, Event::Stop) => on_stop.as_ref(),
        (Schedule::Lifecycle { on_delete, .. }, Event::Delete) => on_delete.as_ref(),
        (Schedule::Cron { .. } | Schedule::Lifecycle { .. }, _) => None,
    }
}

/// What a run of this configuration executes; none when the job has no such event.
#[must_use]
pub fn run_spec(spec: &JobSpec, built: Option<&BuiltImage>, event: Event) -> Option<RunSpec> {
    let Command { entrypoint, arguments } = command(&spec.schedule, event)?.clone();
    let settings = Settings(&spec.settings);
    let (image_name, image_tag, registry_id, built_image) = match &spec.source {
        Source::Image { image_name, tag, registry_id } => {
            (Some(image_name.clone()), Some(tag.clone()), Some(*registry_id), None)
        }
        Source::Docker { .. } => (None, None, None, built.map(|built| built.image.clone())),
    };
    Some(RunSpec {
        image_name,
        image_tag,
        registry_id,
        entrypoint,
        arguments: arguments.unwrap_or_default(),
        max_nb_restart: spec.max_nb_restart,
        max_duration_seconds: spec.max_duration_seconds,
        built_image,
        retry_backoff_seconds: chosen(spec, "job.retry_backoff_seconds"),
        success_exit_codes: settings.exit_codes("job.success_exit_codes"),
        fail_fast_exit_codes: settings.exit_codes("job.fail_fast_exit_codes"),
        stop_grace_seconds: chosen(spec, "deployment.termination_grace_period_seconds"),
        starting_deadline_seconds: settings.number("cronjob.starting_deadline_seconds"),
        read_only_root: settings.is_on("security.read_only_root_filesystem"),
        pod: pod_spec(spec),
        ..bare(spec)
    })
}

/// What only a cluster of Kubernetes acts on.
fn pod_spec(spec: &JobSpec) -> PodSpec {
    let settings = Settings(&spec.settings);
    PodSpec {
        gpu: spec.gpu,
        ephemeral_storage_gib: spec.ephemeral_storage_gib,
        cpu_architecture: spec.cpu_architecture,
        port: spec.port,
        healthchecks: spec.healthchecks.clone(),
        node_labels: settings.texts("deployment.affinity.node.required"),
        service_account: settings.text("security.service_account_name").unwrap_or_default(),
        automount_token: settings.is_on("security.automount_service_account_token"),
        ttl_seconds: settings.number("job.delete_ttl_seconds_after_finished"),
        annotations_groups: spec.annotations_groups.clone(),
        labels_groups: spec.labels_groups.clone(),
    }
}

/// A setting that is not at its default.
fn chosen(spec: &JobSpec, key: &str) -> Option<i32> {
    spec.settings.contains_key(key).then(|| Settings(&spec.settings).number(key)).flatten()
}

/// What every run of a configuration has.
fn bare(spec: &JobSpec) -> RunSpec {
    let settings = Settings(&spec.settings);
    let standard = Retention::default();
    RunSpec {
        cpu_milli: spec.cpu_milli,
        memory_mib: spec.memory_mib,
        keep: Retention {
            succeeded: settings.number("job.history_succeeded_count").unwrap_or(standard.succeeded),
            failed: settings.number("job.history_failed_count").unwrap_or(standard.failed),
            succeeded_days: settings.number("job.history_succeeded_days").unwrap_or(standard.succeeded_days),
            failed_days: settings.number("job.history_failed_days").unwrap_or(standard.failed_days),
        },
        ..RunSpec::default()
    }
}

/// Whether an image has to be built before the plan can be carried out: whatever is deployed is built anew (an image that
/// is there already is used again), and what runs without being deployed only when it never was built.
#[must_use]
pub fn needs_build(plan: Plan, spec: &JobSpec, job: &job::Model) -> bool {
    let from_git = matches!(spec.source, Source::Docker { .. });
    match plan.deployed {
        Deployed::Replaced => from_git,
        Deployed::Kept => from_git && plan.run.is_some() && job.built.is_none(),
        Deployed::Removed => false,
    }
}

/// What a build of this configuration starts from: of the commit that was asked for, else of the one that is deployed,
/// unless the job follows its branch or the repository is another one.
#[must_use]
pub fn build_spec(spec: &JobSpec, job: &job::Model, commit_id: Option<String>) -> RunSpec {
    let settings = Settings(&spec.settings);
    let build = match &spec.source {
        Source::Docker { git_repository, dockerfile_path, dockerfile_raw, docker_target_build_stage } => {
            let deployed = job.built.as_ref().and_then(|built| built.commit.as_ref()).map(|commit| commit.id.clone());
            let pinned = deployed.filter(|_| !spec.auto_deploy && follows_same(job, git_repository.as_ref()));
            Some(BuildSpec {
                git_repository: git_repository.clone(),
                commit_id: commit_id.or(pinned),
                dockerfile_path: dockerfile_path.clone(),
                dockerfile_raw: dockerfile_raw.clone(),
                target_stage: docker_target_build_stage.clone(),
                submodules: !settings.is_on("build.skip_git_submodules"),
                cache: !settings.is_on("build.disable_buildkit_cache"),
            })
        }
        Source::Image { .. } => None,
    };
    RunSpec { build, max_duration_seconds: settings.number("build.timeout_max_sec").unwrap_or(0), ..bare(spec) }
}

fn follows_same(job: &job::Model, repository: Option<&GitRepository>) -> bool {
    let deployed = match job.deployed.as_ref().map(|spec| &spec.source) {
        Some(Source::Docker { git_repository, .. }) => git_repository.as_ref(),
        _ => None,
    };
    let same = |one: &GitRepository, other: &GitRepository| one.url == other.url && one.branch == other.branch;
    deployed.zip(repository).is_some_and(|(one, other)| same(one, other))
}

/// Whether two configurations run the same: what only people read does not count.
#[must_use]
pub fn runs_alike(one: &JobSpec, other: &JobSpec) -> bool {
    let bare = |spec: &JobSpec| JobSpec {
        description: String::new(),
        icon_uri: String::new(),
        auto_preview: false,
        auto_deploy: false,
        ..spec.clone()
    };
    bare(one) == bare(other)
}

/// Whether what is configured of a job, or what it sees, is not what is deployed; or what is deployed was changed by
/// somebody else.
#[must_use]
pub fn is_outdated(job: &job::Model) -> bool {
    let same = job.deployed.as_ref().is_some_and(|deployed| runs_alike(deployed, &job.spec));
    !same || job.variables_changed_at > job.deployed_at || job.drifted_at.is_some()
}

#[cfg(test)]
mod tests {
    use super::{Action, Command, Deployed, Event, NextStage, Plan, Progress, Schedule, next_stage, plan};

    #[test]
    fn stages_follow_one_another() {
        use Progress::{Cancelled, Failed, Queued, Running, Succeeded};
        let cases = [
            (vec![], NextStage::Done),
            (vec![(1, Queued), (0, Queued)], NextStage::Begin(0)),
            (vec![(1, Queued), (0, Running)], NextStage::Wait),
            (vec![(1, Queued), (0, Succeeded)], NextStage::Begin(1)),
            (vec![(1, Queued), (0, Failed)], NextStage::GiveUp),
            (vec![(1, Queued), (0, Failed), (0, Running)], NextStage::Wait),
            (vec![(1, Queued), (0, Cancelled)], NextStage::GiveUp),
            (vec![(1, Succeeded), (0, Failed)], NextStage::Done),
        ];
        for (parts, expected) in cases {
            assert_eq!(next_stage(&parts), expected, "{parts:?}");
        }
    }

    #[test]
    fn plans() {
        let cron =
            Schedule::Cron { scheduled_at: "* * * * *".into(), timezone: "UTC".into(), command: Command::default() };
        let start_only = Schedule::Lifecycle {
            on_start: Some(Command::default()),
            on_stop: None,
            on_delete: None,
            lifecycle_type: Default::default(),
        };
        let cases = [
            (Action::Deploy, None, &cron, Deployed::Replaced, None),
            (Action::Stop, None, &cron, Deployed::Removed, None),
            (Action::Delete, None, &cron, Deployed::Removed, None),
            (Action::Uninstall, None, &cron, Deployed::Removed, None),
            (Action::Deploy, Some(Event::Cron), &cron, Deployed::Kept, Some(Event::Cron)),
            (Action::Deploy, None, &start_only, Deployed::Replaced, Some(Event::Start)),
            (Action::Stop, None, &start_only, Deployed::Removed, None),
            (Action::Deploy, Some(Event::Start), &start_only, Deployed::Kept, Some(Event::Start)),
        ];
        for (action, forced, schedule, deployed, run) in cases {
            assert_eq!(plan(action, forced, schedule), Plan { deployed, run }, "{action:?} {forced:?}");
        }
    }
}
