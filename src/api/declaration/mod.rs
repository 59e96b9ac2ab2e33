//! Declarations: /organization/{organizationId}/declaration and /environment/{environmentId}/declaration.

mod declared;
mod declared_change;
mod declared_check;
mod declared_job;
mod declared_variable;
mod job_source;
mod names;
mod renamed;

use std::collections::BTreeMap;
use std::sync::Arc;

use entity::environment::Mode;
use entity::id::{EnvironmentId, OrganizationId};
use entity::job;
use entity::job_spec::Source;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use uuid::Uuid;

use self::declared::{Declaration, DeclarationResult, DeclaredCheck, DeclaredJob, DeclaredStage};
use self::declared_change::changes;
use self::names::Names;
use super::caller::Auth;
use super::environment::EnvironmentModeEnum;
use super::tag::Tag;
use super::wire::{Body, Json, Success};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::declaration::{
    self as engine, Label, Step, Target, VariableOwner, WantedEnvironment, WantedJob, WantedStage, WantedVariables,
};
use crate::engine::definition::{check_git_token, check_image, check_limits};
use crate::engine::environment_rows::{self, MOST_JOBS};
use crate::engine::export::Exported;
use crate::engine::faults::Faults;
use crate::error::{Error, Result};

const PROJECT_VARIABLES: &str =
    "project_variables, project_secrets: your role does not allow this for variables of the project";

pub(super) struct DeclarationApi(pub(super) Arc<App>);

#[OpenApi]
impl DeclarationApi {
    #[oai(path = "/organization/:organizationId/declaration", method = "post", operation_id = "applyDeclaration", tag = Tag::Declarations)]
    async fn apply_declaration(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "dryRun", default)] dry_run: Query<bool>,
        prune: Query<Option<String>>,
        body: Body<Declaration, 8, true>,
    ) -> Result<Success<DeclarationResult>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::View, id).await?;
        let given = body.0;
        let mode = given.mode.map(Mode::from);
        let place = (given.project.as_str(), given.environment.as_str());
        let target = Target::find(&self.0, id, place, mode, given.cluster.as_deref()).await?;
        self.authorize(&auth, id, &target).await?;
        let names = Names::load(&self.0.db, id).await?;
        let prune = prune.0.as_deref().map(label).transpose()?;
        let mut wanted = self.wanted(&given, &target, &names, prune).await?;
        self.authorize_project(&auth, &target, &mut wanted).await?;
        let steps = if dry_run.0 {
            engine::preview(&self.0, &target, &wanted).await?
        } else {
            engine::apply(&self.0, &auth.requester(), &target, &wanted).await?
        };
        let is_stored = !dry_run.0 || !target.environment_is_new;
        Ok(Json(DeclarationResult {
            applied: !dry_run.0,
            environment_id: Some(target.environment.id.0).filter(|_| is_stored),
            changes: changes(&target, &steps, &names),
        }))
    }

    #[oai(path = "/environment/:environmentId/declaration", method = "get", operation_id = "exportDeclaration", tag = Tag::Declarations)]
    async fn export_declaration(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Success<Declaration>> {
        let id = EnvironmentId(environment_id.0);
        let row = access::environment(&self.0.db, &auth.0, Action::View, id).await?;
        let names = Names::load(&self.0.db, row.organization_id).await?;
        let stored = environment_rows::load(&self.0.db, row).await?;
        Ok(Json(exported(&stored, &names)))
    }
}

impl DeclarationApi {
    /// Whoever creates a project or an environment must be allowed to; so must whoever changes one.
    async fn authorize(&self, auth: &Auth, organization: OrganizationId, target: &Target) -> Result<()> {
        if target.project_is_new {
            access::organization(&self.0.db, &auth.0, Action::CreateProject, organization).await?;
        }
        if target.environment_is_new {
            let environment = &target.environment;
            return access::new_environment(&auth.0, &target.project, environment.mode, environment.cluster_id);
        }
        let id = target.environment.id;
        let row = access::environment(&self.0.db, &auth.0, Action::Manage, id).await?;
        access::environment_mode(&auth.0, &row, Some(target.environment.mode))
    }

    /// Variables of the project may be declared by whoever may change only the environment, as long as they are as they are stored.
    async fn authorize_project(&self, auth: &Auth, target: &Target, wanted: &mut WantedEnvironment) -> Result<()> {
        let WantedVariables { are_all_variables, are_all_secrets, .. } = wanted.project_variables;
        if target.project_is_new || !(are_all_variables || are_all_secrets) {
            return Ok(());
        }
        let refused = match access::project(&self.0.db, &auth.0, Action::Manage, target.project.id).await {
            Ok(_) => return Ok(()),
            Err(Error::Forbidden(_)) => Error::Forbidden(PROJECT_VARIABLES),
            Err(error) => error,
        };
        let steps = engine::preview(&self.0, target, wanted).await?;
        if steps.iter().any(|step| matches!(step, Step::Variable { owner: VariableOwner::Project, .. })) {
            return Err(refused);
        }
        wanted.project_variables = WantedVariables::default();
        Ok(())
    }

    /// What is declared, checked against the organization and the cluster.
    async fn wanted(
        &self,
        given: &Declaration,
        target: &Target,
        names: &Names,
        prune: Option<Label>,
    ) -> Result<WantedEnvironment> {
        let (no_jobs, no_checks) = (BTreeMap::new(), BTreeMap::new());
        let declared = given.jobs.as_ref().unwrap_or(&no_jobs);
        let declared_checks = given.checks.as_ref().unwrap_or(&no_checks);
        for (list, length) in [("jobs", declared.len()), ("checks", declared_checks.len())] {
            if length > MOST_JOBS {
                return Err(Error::invalid(list, format!("must have at most {MOST_JOBS} entries")));
            }
        }
        let mut faults = Faults::default();
        let mut jobs = Vec::with_capacity(declared.len());
        for (name, job) in declared {
            let checked = match declared_job::job(name, job, names) {
                Ok(wanted) => self.fits(name, &wanted, target).await.map(|()| jobs.push(wanted)),
                Err(error) => Err(error),
            };
            faults.note(checked);
        }
        let mut checks = Vec::with_capacity(declared_checks.len());
        for (name, check) in declared_checks {
            faults.note(declared_check::check(name, check, names).map(|wanted| checks.push(wanted)));
        }
        let variables = declared_job::variables("", given.variables.as_ref(), given.secrets.as_ref());
        let variables = faults.note(variables);
        let (own, secrets) = (given.project_variables.as_ref(), given.project_secrets.as_ref());
        let project_variables = faults.note(declared_job::variables("project_", own, secrets));
        faults.result()?;
        let stages = given.stages.as_ref().map(|list| {
            let stage = |DeclaredStage { name, description }: &DeclaredStage| WantedStage {
                name: name.clone(),
                description: description.clone().unwrap_or_default(),
            };
            list.iter().map(stage).collect()
        });
        Ok(WantedEnvironment { stages, project_variables, variables, jobs, checks, prune })
    }

    async fn fits(&self, name: &str, wanted: &WantedJob, target: &Target) -> Result<()> {
        let spec = &wanted.state.spec;
        let checked = check_image(&self.0, spec, &target.cluster).and_then(|()| check_limits(spec, &target.cluster));
        checked.map_err(|error| renamed::below(&format!("jobs.{name}"), error))?;
        if let Source::Docker { git_repository: Some(repository), .. } = &spec.source {
            let field = format!("jobs.{name}.git");
            check_git_token(&self.0.db, target.project.organization_id, repository, &field).await?;
        }
        Ok(())
    }
}

/// A label that is written as KEY=VALUE.
fn label(text: &str) -> Result<Label> {
    let parts = text.split_once('=').filter(|(key, _)| !key.is_empty());
    let (key, value) = parts.ok_or_else(|| Error::invalid("prune", "must be a label, written as KEY=VALUE"))?;
    Ok(Label { key: key.to_owned(), value: value.to_owned() })
}

/// An environment as it would be declared.
fn exported(stored: &Exported, names: &Names) -> Declaration {
    let stage_names: Vec<&str> = stored.stages.iter().map(|row| row.name.as_str()).collect();
    let default_stage = engine::default_stage(&stage_names);
    let by_id = engine::stage_names(&stored.stages);
    let are_default =
        stage_names == entity::stage::DEFAULTS && stored.stages.iter().all(|row| row.description.is_empty());
    let stages = stored.stages.iter().map(|row| DeclaredStage {
        name: row.name.clone(),
        description: Some(row.description.clone()).filter(|text| !text.is_empty()),
    });
    let jobs = stored.jobs.iter().map(|of| {
        let own = stored.variables.iter().filter(|row| row.job_id == Some(of.job.id));
        let (variables, secrets) = declared_variable::declared(own);
        let job = declared_job::declared(&engine::state_of(of, &by_id), default_stage, names);
        (of.job.name.clone(), DeclaredJob { variables, secrets, ..job })
    });
    let own = stored.variables.iter().filter(|row| row.environment_id == Some(stored.environment.id));
    let (variables, secrets) = declared_variable::declared(own);
    let of_project = stored.variables.iter().filter(|row| row.project_id.is_some());
    let (project_variables, project_secrets) = declared_variable::declared(of_project);
    let check = |row: &job::Model| (row.name.clone(), declared_check::declared(&row.spec, names));
    let checks: BTreeMap<String, DeclaredCheck> = stored.checks.iter().map(check).collect();
    Declaration {
        project: stored.project.name.clone(),
        environment: stored.environment.name.clone(),
        mode: Some(EnvironmentModeEnum::from(stored.environment.mode)),
        cluster: Some(stored.cluster.name.clone()),
        stages: Some(stages.collect()).filter(|_| !are_default),
        project_variables,
        project_secrets,
        variables,
        secrets,
        jobs: Some(jobs.collect()),
        checks: Some(checks).filter(|checks| !checks.is_empty()),
    }
}
