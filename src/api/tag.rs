//! The tags that group operations, under their official names.

use poem_openapi::Tags;

#[derive(Tags)]
pub(super) enum Tag {
    #[oai(rename = "Alert Receivers")]
    AlertReceivers,
    #[oai(rename = "Alert Rules")]
    AlertRules,
    #[oai(rename = "Organization Main Calls")]
    OrganizationMainCalls,
    #[oai(rename = "Organization Api Token")]
    OrganizationApiToken,
    Projects,
    #[oai(rename = "Project Main Calls")]
    ProjectMainCalls,
    Clusters,
    #[oai(rename = "Cloud Provider")]
    CloudProvider,
    Environments,
    #[oai(rename = "Environment Main Calls")]
    EnvironmentMainCalls,
    #[oai(rename = "Environment Actions")]
    EnvironmentActions,
    #[oai(rename = "Container Registries")]
    ContainerRegistries,
    Jobs,
    #[oai(rename = "Job Main Calls")]
    JobMainCalls,
    #[oai(rename = "Job Actions")]
    JobActions,
    #[oai(rename = "Job Run")]
    JobRun,
    #[oai(rename = "Account Info")]
    AccountInfo,
    #[oai(rename = "Deployment Queue Actions")]
    DeploymentQueueActions,
    #[oai(rename = "Deployment Stage Main Calls")]
    DeploymentStageMainCalls,
    Applications,
    Environment,
    Containers,
    Databases,
    Declarations,
    #[oai(rename = "Environment Deployment History")]
    EnvironmentDeploymentHistory,
    #[oai(rename = "Environment Deployment Rule")]
    EnvironmentDeploymentRule,
    #[oai(rename = "Environment Export")]
    EnvironmentExport,
    #[oai(rename = "Environment Variable")]
    EnvironmentVariable,
    Helms,
    #[oai(rename = "Environment Logs")]
    EnvironmentLogs,
    #[oai(rename = "Environment Secret")]
    EnvironmentSecret,
    Terraforms,
    #[oai(rename = "Job Configuration")]
    JobConfiguration,
    #[oai(rename = "Job Deployment History")]
    JobDeploymentHistory,
    #[oai(rename = "Job Deployment Restriction")]
    JobDeploymentRestriction,
    #[oai(rename = "Job Environment Variable")]
    JobEnvironmentVariable,
    #[oai(rename = "Job Secret")]
    JobSecret,
    #[oai(rename = "Organization Annotations Group")]
    OrganizationAnnotationsGroup,
    #[oai(rename = "Organization Custom Role")]
    OrganizationCustomRole,
    #[oai(rename = "Organization Event")]
    OrganizationEvent,
    Members,
    #[oai(rename = "Organization Labels Group")]
    OrganizationLabelsGroup,
    #[oai(rename = "Organization Calendar")]
    OrganizationCalendar,
    #[oai(rename = "Organization Webhook")]
    OrganizationWebhook,
    #[oai(rename = "Project Environment Variable")]
    ProjectEnvironmentVariable,
    #[oai(rename = "Project Secret")]
    ProjectSecret,
    #[oai(rename = "Variable Main Calls")]
    VariableMainCalls,
    #[oai(rename = "Project Deployment Rule")]
    ProjectDeploymentRule,
}
