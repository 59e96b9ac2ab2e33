//! Deletes the namespaces of environments.

use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, ResourceExt as _};

use super::api_error::{unavailable, unless_gone};
use super::kubernetes_runner::{KubernetesRunner, in_the_foreground};
use super::object_labels::{ENVIRONMENT, MANAGED_BY, MANAGER};
use crate::runner::interface::Unavailable;

impl KubernetesRunner {
    /// Deletes the namespace of an environment, if this server created it. Returns true once it is gone.
    ///
    /// # Errors
    /// If the cluster does not answer or rejects the request.
    pub async fn delete_namespace(&self, name: &str, environment: &str) -> Result<bool, Unavailable> {
        self.ready()?;
        let api: Api<Namespace> = Api::all(self.client.clone());
        let Some(there) = api.get_opt(name).await.map_err(|e| unavailable(&e))? else { return Ok(true) };
        let labels = there.labels();
        let ours = labels.get(MANAGED_BY).is_some_and(|by| by == MANAGER)
            && labels.get(ENVIRONMENT).is_some_and(|id| id == environment);
        if !ours {
            return Ok(true);
        }
        if there.metadata.deletion_timestamp.is_none() {
            unless_gone(api.delete(name, &in_the_foreground()).await).map_err(|e| unavailable(&e))?;
        }
        Ok(false)
    }
}
