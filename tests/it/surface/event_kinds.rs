//! The audit log names what was changed by its kind, and not by what it belongs to.

use serde_json::Value;

use crate::harness::TestApp;
use crate::world::World;

/// Operations with the type and the kind of their event.
const EVENTS: [(&str, &str, &str); 70] = [
    ("editOrganization", "UPDATE", "ORGANIZATION"),
    ("editProject", "UPDATE", "PROJECT"),
    ("createProject", "CREATE", "PROJECT"),
    ("createEnvironment", "CREATE", "ENVIRONMENT"),
    ("editEnvironment", "UPDATE", "ENVIRONMENT"),
    ("createContainerRegistry", "CREATE", "CONTAINER_REGISTRY"),
    ("editContainerRegistry", "UPDATE", "CONTAINER_REGISTRY"),
    ("createOrganizationApiToken", "CREATE", "API_TOKEN"),
    ("deleteOrganizationApiToken", "DELETE", "API_TOKEN"),
    ("deleteOrganizationAccessToken", "DELETE", "API_TOKEN"),
    ("createCluster", "CREATE", "CLUSTER"),
    ("editCluster", "UPDATE", "CLUSTER"),
    ("editClusterKubeconfig", "UPDATE", "KUBERNETES_CREDENTIALS"),
    ("createClusterAgent", "CREATE", "API_TOKEN"),
    ("deleteClusterAgent", "DELETE", "API_TOKEN"),
    ("createOrganizationAnnotationsGroup", "CREATE", "ANNOTATIONS_GROUP"),
    ("editOrganizationAnnotationsGroup", "UPDATE", "ANNOTATIONS_GROUP"),
    ("deleteOrganizationAnnotationsGroup", "DELETE", "ANNOTATIONS_GROUP"),
    ("createOrganizationLabelsGroup", "CREATE", "LABELS_GROUP"),
    ("editOrganizationLabelsGroup", "UPDATE", "LABELS_GROUP"),
    ("deleteOrganizationLabelsGroup", "DELETE", "LABELS_GROUP"),
    ("createOrganizationCustomRole", "CREATE", "CUSTOM_ROLE"),
    ("editOrganizationCustomRole", "UPDATE", "CUSTOM_ROLE"),
    ("deleteOrganizationCustomRole", "DELETE", "CUSTOM_ROLE"),
    ("createGitToken", "CREATE", "GIT_TOKEN"),
    ("editGitToken", "UPDATE", "GIT_TOKEN"),
    ("deleteGitToken", "DELETE", "GIT_TOKEN"),
    ("postInviteMember", "CREATE", "INVITATION"),
    ("deleteInviteMember", "DELETE", "INVITATION"),
    ("createAlertReceiver", "CREATE", "ALERT_RECEIVER"),
    ("editAlertReceiver", "UPDATE", "ALERT_RECEIVER"),
    ("createAlertRule", "CREATE", "ALERT_RULE"),
    ("editAlertRule", "UPDATE", "ALERT_RULE"),
    ("createAlertSilence", "CREATE", "ALERT_SILENCE"),
    ("editAlertSilence", "UPDATE", "ALERT_SILENCE"),
    ("deleteAlertSilence", "DELETE", "ALERT_SILENCE"),
    ("deleteAlertRule", "DELETE", "ALERT_RULE"),
    ("deleteAlertReceiver", "DELETE", "ALERT_RECEIVER"),
    ("createOrganizationWebhook", "CREATE", "WEBHOOK"),
    ("editOrganizationWebhook", "UPDATE", "WEBHOOK"),
    ("deleteOrganizationWebhook", "DELETE", "WEBHOOK"),
    ("createPushHook", "CREATE", "WEBHOOK"),
    ("rotatePushHookSecret", "UPDATE", "WEBHOOK"),
    ("deletePushHook", "DELETE", "WEBHOOK"),
    ("createDeploymentRule", "CREATE", "DEPLOYMENT_RULE"),
    ("editProjectDeployemtnRule", "UPDATE", "DEPLOYMENT_RULE"),
    ("deleteProjectDeploymentRule", "DELETE", "DEPLOYMENT_RULE"),
    ("editEnvironmentDeploymentRule", "UPDATE", "DEPLOYMENT_RULE"),
    ("CreateEnvironmentDeploymentStage", "CREATE", "DEPLOYMENT_STAGE"),
    ("EditDeploymentStage", "UPDATE", "DEPLOYMENT_STAGE"),
    ("AttachServiceToDeploymentStage", "UPDATE", "JOB"),
    ("createProjectEnvironmentVariable", "CREATE", "VARIABLE"),
    ("editProjectEnvironmentVariable", "UPDATE", "VARIABLE"),
    ("deleteProjectEnvironmentVariable", "DELETE", "VARIABLE"),
    ("createEnvironmentSecret", "CREATE", "SECRET"),
    ("editEnvironmentSecret", "UPDATE", "SECRET"),
    ("deleteEnvironmentSecret", "DELETE", "SECRET"),
    ("createJobEnvironmentVariable", "CREATE", "VARIABLE"),
    ("editJobEnvironmentVariable", "UPDATE", "VARIABLE"),
    ("deleteJobEnvironmentVariable", "DELETE", "VARIABLE"),
    ("createJobDeploymentRestriction", "CREATE", "DEPLOYMENT_RESTRICTION"),
    ("editJobDeploymentRestriction", "UPDATE", "DEPLOYMENT_RESTRICTION"),
    ("deleteJobDeploymentRestriction", "DELETE", "DEPLOYMENT_RESTRICTION"),
    ("createJob", "CREATE", "JOB"),
    ("editJob", "UPDATE", "JOB"),
    ("editJobAdvancedSettings", "UPDATE", "JOB"),
    ("pauseJob", "UPDATE", "JOB"),
    ("cloneJob", "CLONE", "JOB"),
    ("cloneEnvironment", "CLONE", "ENVIRONMENT"),
    ("deleteCluster", "DELETE", "CLUSTER"),
];

/// What an operation answers in a world, and its event, if there is a new one.
async fn called(world: &World, name: &str) -> (u16, Value, Option<Value>) {
    let path = format!("/organization/{}/events?pageSize=1", world.it.organization);
    let newest = async || world.it.client.get(&path).await.expect(200)["events"][0].clone();
    let before = newest().await;
    let operation = world.operations().into_iter().find(|operation| operation.id == name).unwrap();
    let body = world.body(name).filter(|_| operation.has_body);
    let (status, answer) = operation.call(&world.it.client, body).await;
    let after = newest().await;
    (status, answer, Some(after).filter(|after| after["id"] != before["id"]))
}

#[tokio::test]
async fn each_change_names_the_kind_of_what_it_changed() {
    let app = TestApp::new().await;
    let world = World::new(&app).await;
    let mut broken = Vec::new();
    for (name, kind, target) in EVENTS {
        let (mut status, mut answer, mut event) = called(&world, name).await;
        if status >= 300 {
            // An earlier operation has taken its name, or deleted what it is about.
            (status, answer, event) = called(&World::new(&app).await, name).await;
        }
        assert!(status < 300, "{name}: {status} {answer}");
        let Some(event) = event else {
            broken.push(format!("{name} is in no event"));
            continue;
        };
        let told = (event["event_type"].as_str(), event["target_kind"].as_str());
        if told != (Some(kind), Some(target)) {
            broken.push(format!("{name}: {told:?}"));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
