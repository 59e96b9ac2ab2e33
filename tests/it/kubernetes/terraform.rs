//! Workspace steps as Jobs with the image of the tool.

use serde_json::{Value, json};

use super::limited;
use crate::terrakube::terraform::{APPLY, Site, whole_life};

/// The life of a workspace, as with other runners, and a server that is killed while a Job applies.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster; cargo xtask test --kubernetes runs it"]
async fn a_workspace_in_the_cluster() {
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    // Pods reach this machine at the address of their bridge, which is not public.
    let listener = std::net::TcpListener::bind((variable("WINDLASS_TEST_KUBERNETES_HOST"), 0)).unwrap();
    let listen = listener.local_addr().unwrap().to_string();
    drop(listener);
    let image = variable("WINDLASS_TEST_KUBERNETES_TOFU");
    let words = ["--runner", "process", "--workspaces-in-clusters", "--listen", &listen, "--opentofu-image", &image];
    let mut site = Site::with(None, "tofu", &words).await;
    let organization = site.organization.clone();
    let wanted = json!({"name": "k", "region": "here", "cloud_provider": "ON_PREMISE", "kubernetes": "SELF_MANAGED"});
    let cluster = site.main("POST", &format!("/organization/{organization}/cluster"), Some(wanted)).await;
    let path = format!("/organization/{organization}/cluster/{}/kubeconfig", cluster["id"].as_str().unwrap());
    site.main("PUT", &path, Some(Value::String(limited().await))).await;
    whole_life(&site).await;
    let workspace = site.workspace(&[("who", "someone", false), ("seconds", "6", true)]).await;
    let job = site.job(&workspace, APPLY).await;
    site.until_said(&job, "terraform_data.slow[0]: Provisioning").await;
    site.restart();
    let done = site.until(&job, &["completed"]).await;
    assert!(site.logs(&done).await.contains("Apply complete! Resources: 2 added"));
    assert!(site.is_free(&workspace).await);
}
