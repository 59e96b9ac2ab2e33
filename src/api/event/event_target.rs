//! The targets of events, under their official names.

use poem_openapi::Enum;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum OrganizationEventTargetType {
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum OrganizationEventSubTargetType {
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum OrganizationEventTargetLevel {
    Project,
    Environment,
}
