//! Pure: the resource of a job.

use entity::deployment_restriction::{self, RestrictionKind, RestrictionMode};
use entity::job_spec::{CpuArchitecture, JobSpec};

use super::context::Context;
use super::exported::ExportedJob;
use super::hcl::{Arguments, Expression, argument, block, optional};
use super::job_parts::{healthchecks, schedule, source};
use super::stage_blocks::StageBlocks;
use super::variable_blocks::variable_arguments;

/// `label` is the label of the resource.
pub(super) fn job_block(
    context: &mut Context<'_>,
    environment: &str,
    label: &str,
    of: &ExportedJob,
    stages: &StageBlocks,
) -> String {
    let ExportedJob { job, place, restrictions } = of;
    let owner = format!("job {}", job.name);
    note_others(context, &owner, &job.spec);
    let mut arguments = vec![
        argument("environment_id", Expression::Plain(format!("{environment}.id"))),
        argument("name", job.name.as_str()),
    ];
    arguments.extend(sizes(&job.spec));
    if let Some(place) = place {
        let (reference, is_skipped) = stages.place(place);
        arguments.extend(optional("deployment_stage_id", reference.map(|id| Expression::Plain(id.to_owned()))));
        arguments.extend(optional("is_skipped", Some(true).filter(|_| is_skipped)));
        if place.is_skipped && !is_skipped {
            context.note(format!("{owner}: skipped, which the provider does only for a job with a stage of its own"));
        }
    }
    arguments.push(argument("schedule", schedule(context, &owner, &job.spec.schedule)));
    arguments.push(argument("source", source(context, &owner, &job.spec.source)));
    arguments.push(argument("healthchecks", healthchecks(context, &owner, &job.spec)));
    let rows = context.exported.variables.iter().filter(|row| row.job_id == Some(job.id));
    arguments.extend(variable_arguments(context, rows, &owner, label));
    if !restrictions.is_empty() {
        let entries = restrictions.iter().map(restriction).collect();
        arguments.push(argument("deployment_restrictions", Expression::List(entries)));
    }
    for (key, ids) in
        [("annotations_group_ids", &job.spec.annotations_groups), ("labels_group_ids", &job.spec.labels_groups)]
    {
        if !ids.is_empty() {
            let ids = ids.iter().map(|id| context.group(*id)).collect();
            arguments.push(argument(key, Expression::List(ids)));
        }
    }
    if !job.spec.settings.is_empty() {
        // Keys contain dots, so they are quoted.
        let settings = job.spec.settings.iter().map(|(key, value)| (format!("\"{key}\""), value.into())).collect();
        arguments.push(argument("advanced_settings_json", Expression::Json(settings)));
    }
    context.import(format!("qovery_job.{label}"), job.id.to_string());
    block("resource", &["qovery_job", label], &arguments)
}

fn sizes(spec: &JobSpec) -> Arguments {
    let mut arguments = Arguments::new();
    arguments.extend(optional("icon_uri", Some(spec.icon_uri.as_str()).filter(|uri| !uri.is_empty())));
    arguments.push(argument("cpu", spec.cpu_milli));
    arguments.push(argument("memory", spec.memory_mib));
    arguments.extend(optional("ephemeral_storage", spec.ephemeral_storage_gib));
    arguments.push(argument("max_duration_seconds", spec.max_duration_seconds));
    arguments.push(argument("max_nb_restart", spec.max_nb_restart));
    arguments.push(argument("auto_preview", spec.auto_preview));
    arguments.push(argument("auto_deploy", spec.auto_deploy));
    arguments.extend(optional("port", spec.port));
    arguments
}

/// Notes what the provider has no argument for.
fn note_others(context: &mut Context<'_>, owner: &str, spec: &JobSpec) {
    if !spec.description.is_empty() {
        context.note(format!("{owner}: description {:?}", spec.description));
    }
    if spec.gpu != 0 {
        context.note(format!("{owner}: gpu {}", spec.gpu));
    }
    match spec.cpu_architecture {
        Some(CpuArchitecture::Amd64) => context.note(format!("{owner}: CPU architecture AMD64")),
        Some(CpuArchitecture::Arm64) => context.note(format!("{owner}: CPU architecture ARM64")),
        None => {}
    }
}

fn restriction(row: &deployment_restriction::Model) -> Expression {
    let mode = match row.mode {
        RestrictionMode::Exclude => "EXCLUDE",
        RestrictionMode::Match => "MATCH",
    };
    let kind = match row.kind {
        RestrictionKind::Path => "PATH",
    };
    Expression::Object(vec![argument("mode", mode), argument("type", kind), argument("value", row.value.as_str())])
}
