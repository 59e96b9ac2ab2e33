//! The identity tokens of a step, and the variables and files by which its tools find them.

use entity::{organization, project, workspace, workspace_job};
use uuid::Uuid;

use super::identity_claims::{IdentityClaims, Phase, Place};
use super::token_signature::sign;
use super::wanted_token::wanted;
use crate::app::App;
use crate::engine::template::FlowType;
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::store;

/// A file with a token.
pub struct TokenFile {
    /// The variables that get its path.
    pub variables: Vec<String>,
    pub path: String,
    pub content: Secret<String>,
}

/// What a step gets to prove who it is.
#[derive(Default)]
pub struct StepIdentity {
    pub environment: Vec<(String, Secret<String>)>,
    pub files: Vec<TokenFile>,
    /// What is masked in its log.
    pub secrets: Vec<String>,
}

/// The tokens that the variables of a step ask for. The inner error says what is missing.
///
/// # Errors
/// Database errors, or a key that cannot be opened.
pub async fn of_step(
    app: &App,
    (workspace, job): (&workspace::Model, &workspace_job::Model),
    kind: FlowType,
    environment: &[(String, Secret<String>)],
) -> Result<Result<StepIdentity, String>> {
    let phase = match kind {
        FlowType::TerraformPlan | FlowType::TerraformPlanDestroy => Phase::Plan,
        FlowType::TerraformApply | FlowType::TerraformDestroy => Phase::Apply,
        FlowType::CustomScripts | FlowType::Approval | FlowType::DisableWorkspace | FlowType::ScheduleTemplates => {
            Phase::Script
        }
    };
    let pairs: Vec<(&str, &str)> =
        environment.iter().map(|(key, value)| (key.as_str(), value.expose().as_str())).collect();
    let wanted = match wanted(&pairs, phase) {
        Ok(wanted) => wanted,
        Err(reason) => return Ok(Err(reason)),
    };
    if wanted.tokens.is_empty() {
        return Ok(Ok(StepIdentity::default()));
    }
    if app.config.public_url.is_none() {
        let text = "identity tokens need --public-url: whoever checks them reads the keys of this server there";
        return Ok(Err(text.into()));
    }
    let (issuer, place, now) = (app.public_url(), place(app, workspace, job, phase).await?, app.clock.now());
    let mut found = StepIdentity::default();
    for (number, token) in wanted.tokens.into_iter().enumerate() {
        let jti = Uuid::now_v7().to_string();
        let claims = IdentityClaims::new(&issuer, &token.audience, &place, (jti, now.timestamp()));
        let signed = sign(app, &claims, now).await?;
        found.secrets.push(signed.expose().clone());
        if !token.files.is_empty() {
            let path = format!("/windlass/identity-{}", number + 1);
            found.files.push(TokenFile { variables: token.files, path, content: signed.clone() });
        }
        found.environment.extend(token.variables.into_iter().map(|name| (name, signed.clone())));
    }
    let is_new = |name: &String| !pairs.iter().any(|(key, _)| key == name);
    let more = wanted.variables.into_iter().filter(|(name, _)| is_new(name));
    found.environment.extend(more.map(|(name, value)| (name, Secret::new(value))));
    Ok(Ok(found))
}

async fn place(app: &App, of: &workspace::Model, job: &workspace_job::Model, phase: Phase) -> Result<Place> {
    let organization = store::row::by_id::<organization::Model>(&app.db, of.organization_id).await?;
    let organization = organization.ok_or(Error::NotFound("organization"))?;
    let project = match of.project_id {
        Some(id) => store::row::by_id::<project::Model>(&app.db, id).await?,
        None => None,
    };
    Ok(Place {
        organization: (organization.id.to_string(), organization.name),
        project: project.map(|row| (row.id.to_string(), row.name)).unwrap_or_default(),
        workspace: (of.id.to_string(), of.name.clone()),
        job: job.id,
        phase,
    })
}
