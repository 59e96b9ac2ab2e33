//! What was done in an organization, by whom: the newest first, page by page.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::deployment::Origin;
use entity::event::Model;
use entity::id::{EnvironmentId, EventId, OrganizationId, ProjectId};
use poem_openapi::param::{Path, Query};
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Tag;
use super::caller::Auth;
use super::limits;
use super::wire::{Answer, Found, Timestamp};
use crate::access::{self, Action};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;
use crate::store::event::{EventCursor, EventFilter};

const MOST: i32 = 100;
/// How many events targets are looked for in.
const SEARCHED: u64 = 1000;

/// By its official name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum OrganizationEventType {
    Create,
    Update,
    Delete,
    Accept,
    Export,
    Clone,
    DeployQueued,
    StopQueued,
    RestartQueued,
    DeleteQueued,
    UninstallQueued,
    Maintenance,
    DryRun,
    TriggerRedeploy,
    TriggerCancel,
    ForceRunQueued,
    ForceRunQueuedDeploy,
    ForceRunQueuedStop,
    ForceRunQueuedDelete,
    TriggerDeploy,
    TriggerStop,
    TriggerRestart,
    TriggerDelete,
    TriggerUninstall,
    TriggerDeployDryRun,
    TriggerTerraformForceUnlock,
    TriggerTerraformMigrateState,
    TriggerForceRun,
    TriggerForceRunDeploy,
    TriggerForceRunStop,
    TriggerForceRunDelete,
    Deployed,
    Stopped,
    Deleted,
    Uninstalled,
    Restarted,
    DeployedDryRun,
    ForceRunSucceeded,
    TerraformForceUnlockSucceeded,
    TerraformMigrateStateSucceeded,
    DeployFailed,
    StopFailed,
    DeleteFailed,
    UninstallFailed,
    RestartFailed,
    DeployedDryRunFailed,
    ForceRunFailed,
    TerraformForceUnlockFailed,
    TerraformMigrateStateFailed,
    Shell,
    PortForward,
    RemoteDebug,
    Mcp,
    Import,
    Lock,
    Unlock,
    PolicyFailed,
}

/// By its official name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum OrganizationEventTargetType {
    AgenticWorkflow,
    Application,
    Cluster,
    Container,
    ContainerRegistry,
    Database,
    EnterpriseConnection,
    Environment,
    Job,
    Helm,
    HelmRepository,
    MembersAndRoles,
    Organization,
    Project,
    Webhook,
    Terraform,
}

/// By its official name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum OrganizationEventSubTargetType {
    AdvancedSettings,
    AlertReceiver,
    AlertRule,
    AnnotationsGroup,
    ApiToken,
    ArgocdClusterMapping,
    ArgocdConfiguration,
    BillingInfo,
    BillingUsageReport,
    BlueprintMigration,
    CloudProviderCredentials,
    ClusterCredentials,
    ClusterRoutingTable,
    Config,
    CreditCard,
    CreditCode,
    CustomDomain,
    CustomRole,
    DeploymentRule,
    DeploymentStage,
    DnsProvider,
    GithubApp,
    GitRepository,
    GitToken,
    Invitation,
    JwtTokenForged,
    KubernetesConfiguration,
    KubernetesCredentials,
    LabelsGroup,
    McpServer,
    MemberRole,
    Plan,
    PolicyApiToken,
    RemoteAccess,
    Secret,
    Sso,
    Terraform,
    ToolCall,
    TransferOwnership,
    Variable,
}

/// By its official name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum OrganizationEventOrigin {
    Api,
    Cli,
    Console,
    Git,
    QoveryInternal,
    Skill,
    TerraformProvider,
}

/// By its official name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum OrganizationEventTargetLevel {
    Project,
    Environment,
}

/// The official name of a value, which is how it is stored.
fn name(value: impl Serialize) -> Option<String> {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned))
}

/// The value of a stored name.
fn value<T: for<'de> Deserialize<'de>>(name: &str) -> Option<T> {
    serde_json::from_value(name.into()).ok()
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct OrganizationEventResponse {
    id: Uuid,
    timestamp: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_type: Option<OrganizationEventType>,
    target_id: Option<Uuid>,
    target_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_type: Option<OrganizationEventTargetType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_target_type: Option<OrganizationEventSubTargetType>,
    change: String,
    origin: OrganizationEventOrigin,
    triggered_by: String,
    project_id: Option<Uuid>,
    project_name: String,
    environment_id: Option<Uuid>,
    environment_name: String,
    user_agent: Option<String>,
    original_change: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize, Object)]
struct Links {
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct OrganizationEventResponseList {
    links: Links,
    organization_max_limit_reached: bool,
    events: Vec<OrganizationEventResponse>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, Object)]
struct EventTarget {
    id: Uuid,
    name: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct OrganizationEventTargetResponseList {
    targets: Vec<EventTarget>,
}

impl From<Origin> for OrganizationEventOrigin {
    fn from(origin: Origin) -> Self {
        match origin {
            Origin::Api => Self::Api,
            Origin::Cli => Self::Cli,
            Origin::Console => Self::Console,
            Origin::TerraformProvider => Self::TerraformProvider,
        }
    }
}

/// The stored origin; the others have no events here.
fn origin(of: OrganizationEventOrigin) -> Option<Origin> {
    match of {
        OrganizationEventOrigin::Api => Some(Origin::Api),
        OrganizationEventOrigin::Cli => Some(Origin::Cli),
        OrganizationEventOrigin::Console => Some(Origin::Console),
        OrganizationEventOrigin::TerraformProvider => Some(Origin::TerraformProvider),
        OrganizationEventOrigin::Git | OrganizationEventOrigin::QoveryInternal | OrganizationEventOrigin::Skill => None,
    }
}

impl From<Model> for OrganizationEventResponse {
    fn from(row: Model) -> Self {
        let Model {
            id,
            organization_id: _,
            created_at,
            kind,
            target,
            sub_target,
            target_id,
            target_name,
            project_id,
            project_name,
            environment_id,
            environment_name,
            before,
            after,
            origin,
            triggered_by,
            user_agent,
        } = row;
        Self {
            id: id.0,
            timestamp: Timestamp(created_at),
            event_type: value(&kind),
            target_id,
            target_name,
            target_type: value(&target),
            sub_target_type: sub_target.as_deref().and_then(value),
            change: after.map(|value| value.to_string()).unwrap_or_default(),
            origin: origin.into(),
            triggered_by,
            project_id: project_id.map(|id| id.0),
            project_name: project_name.unwrap_or_default(),
            environment_id: environment_id.map(|id| id.0),
            environment_name: environment_name.unwrap_or_default(),
            user_agent,
            original_change: before.map(|value| value.to_string()),
        }
    }
}

/// A time of a query: RFC 3339, or seconds since 1970.
fn time(field: &str, given: Option<String>) -> Result<Option<DateTime<Utc>>> {
    let Some(text) = given.filter(|text| !text.is_empty()) else { return Ok(None) };
    let seconds = text.parse::<i64>().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let read = seconds.or_else(|| text.parse::<DateTime<Utc>>().ok());
    // Years that a database takes.
    let read = read.filter(|time| time.timestamp().abs() < 253_402_300_800);
    read.map(Some).ok_or_else(|| Error::invalid(field, "is neither RFC 3339 nor seconds since 1970"))
}

fn uuid(field: &str, given: Option<String>) -> Result<Option<Uuid>> {
    let given = given.filter(|text| !text.is_empty());
    given.map(|text| text.parse().map_err(|_| Error::invalid(field, "is not a UUID"))).transpose()
}

/// The handlers.
pub(super) struct EventApi(pub(super) Arc<App>);

#[OpenApi]
impl EventApi {
    #[expect(clippy::too_many_arguments, reason = "the official operation has so many parameters")]
    #[oai(path = "/organization/:organizationId/events", method = "get", operation_id = "getOrganizationEvents", tag = Tag::OrganizationEvent)]
    async fn get_organization_events(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "pageSize", default = "page")] page_size: Query<i32>,
        #[oai(name = "fromTimestamp")] from_timestamp: Query<Option<String>>,
        #[oai(name = "toTimestamp")] to_timestamp: Query<Option<String>>,
        #[oai(name = "continueToken")] continue_token: Query<Option<String>>,
        #[oai(name = "stepBackToken")] step_back_token: Query<Option<String>>,
        #[oai(name = "eventType")] event_type: Query<Option<OrganizationEventType>>,
        #[oai(name = "targetType")] target_type: Query<Option<OrganizationEventTargetType>>,
        #[oai(name = "targetId")] target_id: Query<Option<Uuid>>,
        #[oai(name = "subTargetType")] sub_target_type: Query<Option<OrganizationEventSubTargetType>>,
        #[oai(name = "triggeredBy")] triggered_by: Query<Option<String>>,
        #[oai(name = "origin")] origin: Query<Option<OrganizationEventOrigin>>,
        #[oai(name = "serviceProjectId")] service_project_id: Query<Option<String>>,
        #[oai(name = "serviceEnvironmentId")] service_environment_id: Query<Option<String>>,
    ) -> Result<Found<OrganizationEventResponseList>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewEvents, id).await?;
        let limit = limits::between("pageSize", page_size.0, 1, MOST)?;
        let behind = uuid("continueToken", continue_token.0)?.map(EventId);
        let before = uuid("stepBackToken", step_back_token.0)?.map(EventId);
        let begin = match (behind, before) {
            (Some(id), _) => EventCursor::Behind(id),
            (None, Some(id)) => EventCursor::Before(id),
            (None, None) => EventCursor::Newest,
        };
        let wanted = EventFilter {
            from: time("fromTimestamp", from_timestamp.0)?,
            to: time("toTimestamp", to_timestamp.0)?,
            kind: event_type.0.and_then(name),
            target: target_type.0.and_then(name),
            target_id: target_id.0,
            sub_target: sub_target_type.0.and_then(name),
            triggered_by: triggered_by.0.map(|text| limits::text("triggeredBy", text)).transpose()?,
            origin: origin.0.and_then(self::origin),
            project: uuid("serviceProjectId", service_project_id.0)?.map(ProjectId),
            environment: uuid("serviceEnvironmentId", service_environment_id.0)?.map(EnvironmentId),
        };
        let unknown = origin.0.is_some() && wanted.origin.is_none();
        let size = u64::from(limit.unsigned_abs());
        let rows = match unknown {
            true => Vec::new(),
            false => store::event::list(&self.0.db, id, wanted, begin, size).await?,
        };
        let base = self.0.public_url();
        let link =
            |word: &str, row: &Model| format!("{base}/organization/{id}/events?{word}={}&pageSize={limit}", row.id);
        let full = rows.len() as u64 == size;
        let links = Links {
            previous: rows
                .first()
                .filter(|_| !matches!(begin, EventCursor::Newest))
                .map(|row| link("stepBackToken", row)),
            next: rows
                .last()
                .filter(|_| full || matches!(begin, EventCursor::Before(_)))
                .map(|row| link("continueToken", row)),
        };
        let events = rows.into_iter().map(OrganizationEventResponse::from).collect();
        Ok(Answer(OrganizationEventResponseList { links, organization_max_limit_reached: false, events }))
    }

    #[expect(clippy::too_many_arguments, reason = "the official operation has so many parameters")]
    #[oai(path = "/organization/:organizationId/targets", method = "get", operation_id = "getOrganizationEventTargets", tag = Tag::OrganizationEvent)]
    async fn get_organization_event_targets(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "fromTimestamp")] from_timestamp: Query<Option<String>>,
        #[oai(name = "toTimestamp")] to_timestamp: Query<Option<String>>,
        #[oai(name = "eventType")] event_type: Query<Option<OrganizationEventType>>,
        #[oai(name = "targetType")] target_type: Query<Option<OrganizationEventTargetType>>,
        #[oai(name = "triggeredBy")] triggered_by: Query<Option<String>>,
        #[oai(name = "origin")] origin: Query<Option<OrganizationEventOrigin>>,
        #[oai(name = "projectId")] project_id: Query<Option<Uuid>>,
        #[oai(name = "environmentId")] environment_id: Query<Option<Uuid>>,
        #[oai(name = "targetLevelToFetch")] target_level: Query<Option<OrganizationEventTargetLevel>>,
    ) -> Result<Found<OrganizationEventTargetResponseList>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewEvents, id).await?;
        let wanted = EventFilter {
            from: time("fromTimestamp", from_timestamp.0)?,
            to: time("toTimestamp", to_timestamp.0)?,
            kind: event_type.0.and_then(name),
            target: target_type.0.and_then(name),
            triggered_by: triggered_by.0.map(|text| limits::text("triggeredBy", text)).transpose()?,
            origin: origin.0.and_then(self::origin),
            project: project_id.0.map(ProjectId),
            environment: environment_id.0.map(EnvironmentId),
            ..EventFilter::default()
        };
        let rows = store::event::list(&self.0.db, id, wanted, EventCursor::Newest, SEARCHED).await?;
        let mut targets: Vec<EventTarget> = Vec::new();
        for row in rows {
            let found = match target_level.0 {
                None => row.target_id.map(|id| (id, row.target_name)),
                Some(OrganizationEventTargetLevel::Project) => row.project_id.map(|id| id.0).zip(row.project_name),
                Some(OrganizationEventTargetLevel::Environment) => {
                    row.environment_id.map(|id| id.0).zip(row.environment_name)
                }
            };
            // The newest name of a thing is the one it has.
            if let Some((id, name)) = found
                && !targets.iter().any(|target| target.id == id)
            {
                targets.push(EventTarget { id, name });
            }
        }
        Ok(Answer(OrganizationEventTargetResponseList { targets }))
    }
}

fn page() -> i32 {
    10
}
