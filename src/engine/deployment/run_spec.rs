//! Pure: the specification of a run.

use entity::job_spec::{Command, JobSpec, Source};
use entity::run::Event;
use entity::run_spec::{BuiltImage, PodSpec, ProcessSpec, Retention, RunSpec};

use super::plan::command;
use crate::engine::advanced_settings::Settings;

/// The specification of a run of this configuration; `None` if the job has no command for the event.
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
        // Clients read back an empty one as they have sent it.
        entrypoint: entrypoint.filter(|program| !program.is_empty()),
        arguments: arguments.unwrap_or_default(),
        max_nb_restart: spec.max_nb_restart,
        max_duration_seconds: spec.max_duration_seconds,
        built_image,
        no_image: spec.source.is_none(),
        process: process_spec(spec),
        retry_backoff_seconds: overridden(spec, "job.retry_backoff_seconds"),
        success_exit_codes: settings.exit_codes("job.success_exit_codes"),
        fail_fast_exit_codes: settings.exit_codes("job.fail_fast_exit_codes"),
        stop_grace_seconds: overridden(spec, "deployment.termination_grace_period_seconds"),
        starting_deadline_seconds: settings.number("cronjob.starting_deadline_seconds"),
        read_only_root: settings.is_on("security.read_only_root_filesystem"),
        pod: pod_spec(spec),
        ..base(spec)
    })
}

/// The part that only plain processes use.
fn process_spec(spec: &JobSpec) -> ProcessSpec {
    let text = |key| Settings(&spec.settings).text(key).unwrap_or_default();
    ProcessSpec {
        home: text("process.home"),
        path: text("process.path"),
        working_folder: text("process.working_folder"),
        user: text("process.user"),
    }
}

/// The part that only a Kubernetes cluster uses.
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

/// A setting, if it is not at its default.
fn overridden(spec: &JobSpec, key: &str) -> Option<i32> {
    spec.settings.contains_key(key).then(|| Settings(&spec.settings).number(key)).flatten()
}

/// The fields that all runs of a configuration have in common.
pub(super) fn base(spec: &JobSpec) -> RunSpec {
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
