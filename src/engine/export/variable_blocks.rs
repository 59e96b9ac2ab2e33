//! Pure: the variables and secrets of a project, an environment or a job, as arguments of its resource.

use entity::variable::{Model, VariableKind};

use super::context::Context;
use super::hcl::{Arguments, Expression, argument, optional};
use crate::engine::variables::built_in::short_id;

/// The arguments, in the order of the provider's documentation.
const ARGUMENTS: [&str; 8] = [
    "environment_variables",
    "environment_variable_aliases",
    "environment_variable_overrides",
    "environment_variable_files",
    "secrets",
    "secret_aliases",
    "secret_overrides",
    "secret_files",
];

/// The arguments with the variables of a resource. `owner` is its name in comments, and `label` that in names of variables.
pub(super) fn variable_arguments<'a>(
    context: &mut Context<'_>,
    rows: impl Iterator<Item = &'a Model>,
    owner: &str,
    label: &str,
) -> Arguments {
    let mut rows: Vec<&Model> = rows.collect();
    rows.sort_by(|one, other| one.key.cmp(&other.key));
    let mut sets: Vec<(&str, Vec<Expression>)> = ARGUMENTS.iter().map(|name| (*name, Vec::new())).collect();
    for row in rows {
        if row.kind == VariableKind::BuiltIn {
            continue;
        }
        if let Some(reason) = cannot_export(context, row) {
            context.note(format!("{owner}: {} {reason}", row.key));
            continue;
        }
        if row.value.as_deref().is_some_and(|value| has_job_id(context, value)) {
            context.note(format!("{owner}: the value of {} contains the ID of a job", row.key));
        }
        let (name, entry) = entry(context, row, owner, label);
        if let Some((_, entries)) = sets.iter_mut().find(|(set, _)| *set == name) {
            entries.push(entry);
        }
    }
    let filled = sets.into_iter().filter(|(_, entries)| !entries.is_empty());
    filled.map(|(name, entries)| argument(name, Expression::List(entries))).collect()
}

/// Why a variable is left out.
fn cannot_export(context: &Context<'_>, row: &Model) -> Option<&'static str> {
    if row.output_of.is_some() {
        return Some("comes from the output of a job");
    }
    if row.kind == VariableKind::Override && row.project_id.is_some() {
        return Some("is an override in a project, which the provider does not have");
    }
    if row.kind == VariableKind::Alias && has_job_id(context, row.target_key.as_deref().unwrap_or_default()) {
        return Some("is an alias of a variable whose name contains the ID of a job");
    }
    None
}

/// Whether a text contains the name of a built-in variable of one of the jobs, which another server gives another ID.
fn has_job_id(context: &Context<'_>, text: &str) -> bool {
    let mut jobs = context.exported.jobs.iter();
    text.contains("_Z") && jobs.any(|job| text.contains(&format!("_Z{}_", short_id(job.job.id.0).to_uppercase())))
}

/// The argument that a variable belongs to, and its entry there.
fn entry(context: &mut Context<'_>, row: &Model, owner: &str, label: &str) -> (&'static str, Expression) {
    let [variables, aliases, overrides, files, secrets, secret_aliases, secret_overrides, secret_files] = ARGUMENTS;
    let name = match (row.kind, row.is_secret) {
        (VariableKind::Value | VariableKind::BuiltIn, false) => variables,
        (VariableKind::Alias, false) => aliases,
        (VariableKind::Override, false) => overrides,
        (VariableKind::File, false) => files,
        (VariableKind::Value | VariableKind::BuiltIn, true) => secrets,
        (VariableKind::Alias, true) => secret_aliases,
        (VariableKind::Override, true) => secret_overrides,
        (VariableKind::File, true) => secret_files,
    };
    let value = match (row.kind, row.is_secret) {
        (VariableKind::Alias, _) => row.target_key.as_deref().unwrap_or_default().into(),
        (_, true) => context.secret(&format!("secret_{label}_{}", row.key), &format!("{} of {owner}", row.key)),
        (_, false) => row.value.as_deref().unwrap_or_default().into(),
    };
    let mut fields = vec![argument("key", row.key.as_str()), argument("value", value)];
    fields.extend(optional("mount_path", row.mount_path.as_deref().filter(|_| row.kind == VariableKind::File)));
    fields.extend(optional("description", row.description.as_deref().filter(|text| !text.is_empty())));
    (name, Expression::Object(fields))
}
