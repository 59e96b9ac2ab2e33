//! The connection to a Docker engine, and the start of containers.

use std::time::Duration;

use bollard::auth::DockerCredentials;
use bollard::models::{ContainerState, ContainerStateStatusEnum};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, CreateImageOptionsBuilder, InspectContainerOptions, StartContainerOptions,
    UploadToContainerOptionsBuilder,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use futures_util::StreamExt as _;
use tokio::sync::OnceCell;

use super::container_spec::{container, uploads};
use super::engine_reply::{status, text, unavailable};
use crate::runner::interface::Unavailable;
use crate::runner::source_archive;
use crate::runner::step_spec::{Image, StepSpec};
use crate::runner::terraform::layout::SOURCE_FOLDER;

/// The time limit of one request, in seconds.
const TIMEOUT_SECONDS: u64 = 60;

const PULL_PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

pub(super) struct Engine {
    pub(super) address: String,
    pub(super) client: OnceCell<Docker>,
    pub(super) id: OnceCell<String>,
}

impl Engine {
    /// The client, with the API version of the engine. Connects on first use.
    pub(super) async fn client(&self) -> Result<&Docker, Unavailable> {
        self.client
            .get_or_try_init(|| async {
                let path = self.address.strip_prefix("unix://").unwrap_or(&self.address);
                let client = if self.address.starts_with("tcp://") || self.address.starts_with("http://") {
                    Docker::connect_with_http(&self.address, TIMEOUT_SECONDS, API_DEFAULT_VERSION)
                } else {
                    Docker::connect_with_unix(path, TIMEOUT_SECONDS, API_DEFAULT_VERSION)
                };
                client.map_err(unavailable)?.negotiate_version().await.map_err(unavailable)
            })
            .await
    }

    pub(super) async fn state(&self, name: &str) -> Result<Option<ContainerState>, Unavailable> {
        match self.client().await?.inspect_container(name, None::<InspectContainerOptions>).await {
            Ok(container) => Ok(container.state),
            Err(error) if status(&error) == Some(404) => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Creates and starts a container, unless it was started before. The error is shown as the reason of the run.
    pub(super) async fn start(&self, step: &StepSpec) -> Result<(), String> {
        let image = step.image.as_ref().ok_or("the job has no image")?;
        let client = self.client().await.map_err(|e| e.0)?;
        if client.inspect_container(&step.name, None::<InspectContainerOptions>).await.is_err() {
            self.ensure_image(client, image).await?;
            if !step.may_start() {
                // Not a failure: the next tick checks again whether to start the step.
                return Ok(());
            }
            let options = CreateContainerOptionsBuilder::default().name(&step.name).build();
            match client.create_container(Some(options), container(step, image)).await {
                Err(error) if status(&error) != Some(409) => {
                    return Err(format!("the Docker engine rejected the container: {}", text(&error)));
                }
                _ => {}
            }
        }
        let state = self.state(&step.name).await.map_err(|e| e.0)?;
        let created = state.and_then(|state| state.status) == Some(ContainerStateStatusEnum::CREATED);
        if created && let Some(source) = &step.source {
            let archive = source_archive::pack(source, SOURCE_FOLDER.trim_start_matches('/')).await?;
            let options = UploadToContainerOptionsBuilder::default().path("/").build();
            let body = bollard::body_try_stream(archive.pieces());
            let sent = client.upload_to_container(&step.name, Some(options), body);
            sent.await.map_err(|e| format!("the files could not be copied into the container: {}", text(&e)))?;
        }
        if created {
            let uploads = uploads(step).map_err(|e| format!("the files could not be packed: {e}"))?;
            for (folder, archive) in uploads {
                let options = UploadToContainerOptionsBuilder::default().path(&folder).build();
                let sent = client.upload_to_container(&step.name, Some(options), bollard::body_full(archive.into()));
                sent.await.map_err(|e| format!("the files could not be copied into the container: {}", text(&e)))?;
            }
        }
        let state = self.state(&step.name).await.map_err(|e| e.0)?;
        if state.and_then(|state| state.status) != Some(ContainerStateStatusEnum::CREATED) {
            return Ok(());
        }
        if !step.may_start() {
            return Ok(());
        }
        match client.start_container(&step.name, None::<StartContainerOptions>).await {
            Err(error) if status(&error) != Some(304) => {
                Err(format!("the container could not be started: {}", text(&error)))
            }
            _ => Ok(()),
        }
    }

    /// Pulls the image unless it is on the engine. Tags are assumed to be immutable.
    pub(super) async fn ensure_image(&self, client: &Docker, image: &Image) -> Result<(), String> {
        if client.inspect_image(&image.reference).await.is_ok() {
            return Ok(());
        }
        if image.local {
            let name = &image.reference;
            return Err(format!(
                "the image {name} is no longer on this Docker engine; deploy the job to build it again"
            ));
        }
        let mut pauses = PULL_PAUSES.into_iter();
        loop {
            let Err(error) = pull(client, image).await else { return Ok(()) };
            let lower = error.to_lowercase();
            let final_answers = ["not found", "denied", "unauthorized", "manifest unknown", "no basic auth"];
            let pause = pauses.next().filter(|_| !final_answers.iter().any(|answer| lower.contains(answer)));
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(format!("the image {} could not be pulled: {error}", image.reference)),
            }
        }
    }
}

async fn pull(client: &Docker, image: &Image) -> Result<(), String> {
    let options = CreateImageOptionsBuilder::default().from_image(&image.reference).build();
    let credentials = image.credentials.as_ref().map(|login| DockerCredentials {
        username: Some(login.username.clone()),
        password: Some(login.password.expose().clone()),
        serveraddress: Some(login.server.clone()),
        ..DockerCredentials::default()
    });
    let mut steps = client.create_image(Some(options), None, credentials);
    while let Some(step) = steps.next().await {
        let step = step.map_err(|error| text(&error))?;
        if let Some(message) = step.error_detail.and_then(|detail| detail.message) {
            return Err(message);
        }
    }
    Ok(())
}
