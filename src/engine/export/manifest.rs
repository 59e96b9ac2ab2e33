//! Pure: the files of an export.

use entity::environment::Mode;

use super::context::Context;
use super::exported::Exported;
use super::hcl::{Expression, argument, block, optional};
use super::job_block::job_block;
use super::job_parts::cannot_create;
use super::label::Labels;
use super::stage_blocks::{Anchor, stage_blocks};
use super::variable_blocks::variable_arguments;

const PROVIDERS: &str = r#"terraform {
  required_providers {
    qovery = {
      source = "qovery/qovery"
    }
  }
}

# The token is read from QOVERY_API_TOKEN, and the address of the server from TEST_QOVERY_HOST.
provider "qovery" {}
"#;
const IMPORT: &str = "#!/bin/sh\n# Adopts the exported resources instead of creating new ones.\nset -eu\n";
const NOTES: &str = "# The provider has no arguments for these; set them in the API:\n";

/// A text file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestFile {
    pub name: &'static str,
    pub text: String,
}

/// The files of an export. They contain no value of a secret.
#[must_use]
pub fn manifest(exported: &Exported) -> Vec<ManifestFile> {
    let mut context = Context::new(exported);
    let mut blocks = parents(&mut context);
    let mut labels = Labels::default();
    let mut jobs = Vec::new();
    let mut by_name: Vec<_> = exported.jobs.iter().collect();
    // Two exports of the same environment are the same text.
    by_name.sort_by(|one, other| one.job.name.cmp(&other.job.name));
    for job in by_name {
        match cannot_create(&job.job.spec.source) {
            Some(reason) => context.note(format!("job {}, which is left out: {reason}", job.job.name)),
            None => jobs.push((labels.give(&job.job.name), job)),
        }
    }
    let default_stage = exported.stages.iter().find(|stage| stage.name == entity::stage::JOBS).map(|stage| stage.id);
    let places = jobs.iter().filter_map(|(label, job)| Some((label, job.place.as_ref()?)));
    let anchors = places.filter(|(_, place)| Some(place.stage_id) == default_stage);
    let anchors = anchors.map(|(label, place)| Anchor { label, is_skipped: place.is_skipped });
    let anchor = anchors.min_by_key(|anchor| anchor.is_skipped);
    let environment = environment_address(exported);
    let stages = stage_blocks(&mut context, &environment, anchor);
    blocks.push_str(&stages.text);
    for (label, job) in jobs {
        blocks.push('\n');
        blocks.push_str(&job_block(&mut context, &environment, &label, job, &stages));
    }
    let notes: String = context.notes.iter().map(|note| format!("# - {note}\n")).collect();
    let notes = if notes.is_empty() { notes } else { format!("{NOTES}{notes}\n") };
    vec![
        ManifestFile { name: "main.tf", text: notes + &blocks },
        ManifestFile { name: "variables.tf", text: context.variables.join("\n") },
        ManifestFile { name: "providers.tf", text: PROVIDERS.to_owned() },
        ManifestFile { name: "import.sh", text: IMPORT.to_owned() + &context.imports.concat() },
    ]
}

fn environment_address(exported: &Exported) -> String {
    format!("qovery_environment.{}", Labels::default().give(&exported.environment.name))
}

/// The project and the environment.
fn parents(context: &mut Context<'_>) -> String {
    let Exported { project, environment, cluster, variables, .. } = context.exported;
    let label = Labels::default().give(&project.name);
    let organization = context.id(project.organization_id.0, "organization_id", "the organization");
    let cluster = context.id(cluster.id.0, "cluster_id", &format!("the cluster {}", cluster.name));
    let mut arguments = vec![argument("organization_id", organization), argument("name", project.name.as_str())];
    arguments.extend(optional("description", Some(project.description.as_str()).filter(|text| !text.is_empty())));
    let rows = variables.iter().filter(|row| row.project_id.is_some());
    arguments.extend(variable_arguments(context, rows, &format!("project {}", project.name), "project"));
    let project_block = block("resource", &["qovery_project", &label], &arguments);
    context.import(format!("qovery_project.{label}"), project.id.to_string());
    let mode = match environment.mode {
        Mode::Development => "DEVELOPMENT",
        Mode::Preview => "PREVIEW",
        Mode::Production => "PRODUCTION",
        Mode::Staging => "STAGING",
    };
    let mut arguments = vec![
        argument("project_id", Expression::Plain(format!("qovery_project.{label}.id"))),
        argument("cluster_id", cluster),
        argument("name", environment.name.as_str()),
        argument("mode", mode),
    ];
    let rows = variables.iter().filter(|row| row.environment_id.is_some());
    arguments.extend(variable_arguments(context, rows, &format!("environment {}", environment.name), "environment"));
    let address = environment_address(context.exported);
    context.import(address.clone(), environment.id.to_string());
    let label = address.trim_start_matches("qovery_environment.");
    format!("{project_block}\n{}", block("resource", &["qovery_environment", label], &arguments))
}
