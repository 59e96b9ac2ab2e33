//! A build of an image from a Dockerfile, which comes from a repository or is given as text.
//!
//! The tag of an image is derived from the commit and a hash of everything else that affects the build, so an image
//! that is on the engine already can be reused.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bollard::Docker;
use bollard::query_parameters::{BuildImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptions};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinHandle;

use super::build_context::{context, inside};
use super::buildkit::{self, NotBuilt, Request};
use super::dockerfile_images::Dockerfile as ParsedDockerfile;
use super::engine::Engine;
use super::engine_reply::text;
use crate::clock::Clock;
use crate::git;
use crate::git::{Commit, TempFolder};
use crate::runner::archive_file::ArchiveFile;
use crate::runner::built_name;
use crate::runner::image_build::{Build, Dockerfile};
use crate::runner::line::{Line, Stream};
use crate::runner::line_splitter::{LineSplitter, Piece};
use crate::runner::memory::MemoryStep;
use crate::runner::step_spec::Image;

/// How many images of one job are kept on the engine.
const KEPT: usize = 3;

/// What a log says if the engine cannot do better.
const NO_BUILDKIT: &str = "this Docker engine has no BuildKit: its classic builder is used, which does not know RUN --mount, \
    COPY --chmod and the like, and builds all stages";

/// The file name of a Dockerfile that is given as text (defined by the official API).
const RAW: &str = "Dockerfile.qovery";

pub(super) struct BuildStep {
    pub(super) memory: MemoryStep,
    pub(super) task: Mutex<Option<JoinHandle<()>>>,
    pub(super) output: Mutex<Option<Vec<u8>>>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One build.
pub(super) struct ImageBuild {
    pub(super) engine: Arc<Engine>,
    pub(super) step: Arc<BuildStep>,
    pub(super) clock: Clock,
    pub(super) build: Build,
}

impl ImageBuild {
    pub(super) async fn say(&self, stream: Stream, text: &str) {
        let mut splitter = LineSplitter::default();
        let pieces = splitter.add(text.as_bytes()).into_iter().chain(splitter.finish());
        let at = self.clock.now();
        let line = |Piece { text, open }| Line { at, stream, text: text.trim_end().to_owned(), open };
        self.step.memory.lines.push(pieces.map(line)).await;
    }

    pub(super) async fn run(&self) -> Result<Value, String> {
        let build = &self.build;
        let (folder, commit) = match &build.source {
            Some(wanted) => {
                self.say(Stream::Stdout, &format!("fetching {}", without_login(&wanted.url))).await;
                let (folder, commit) = git::checkout(wanted).await?;
                self.say(Stream::Stdout, &format!("commit {} by {}: {}", commit.id, commit.author, commit.message))
                    .await;
                (folder, Some(commit))
            }
            None => (TempFolder::new()?, None),
        };
        let root = inside(folder.path(), &build.root_path)?;
        let dockerfile = self.dockerfile(&root)?;
        let images = self.images(&root, &dockerfile)?;
        let image = format!("{}:{}", build.image, tag(build, commit.as_ref()));
        let commit = commit.map(
            |commit| json!({"id": commit.id, "at": commit.at, "author": commit.author, "message": commit.message}),
        );
        let built = json!({"image": image, "commit": commit});
        let client = self.engine.client().await.map_err(|e| e.0)?;
        if build.cache && client.inspect_image(&image).await.is_ok() {
            self.say(Stream::Stdout, &format!("{image} is up to date: nothing has changed since it was built")).await;
            return Ok(built);
        }
        let context = {
            let (root, dockerfile) = (root.clone(), dockerfile.clone());
            tokio::task::spawn_blocking(move || context(&root, &dockerfile)).await
        };
        let context = context.map_err(|error| error.to_string())??;
        self.say(Stream::Stdout, &format!("building {image}")).await;
        self.fetch_bases(client, &images).await;
        let arguments = self.arguments();
        let request = Request {
            image: &image,
            dockerfile: &dockerfile,
            arguments: arguments.iter().map(|(name, value)| (*name, *value)).collect(),
            target: build.target_stage.as_deref(),
            cache: build.cache,
        };
        match self.build_with_buildkit(request, &context).await {
            Ok(()) => {}
            Err(NotBuilt::Failed(reason)) => return Err(reason),
            Err(NotBuilt::NoBuildKit) => {
                self.say(Stream::Stdout, NO_BUILDKIT).await;
                self.build_without_buildkit(&image, &dockerfile, &context).await?;
            }
        }
        self.remove_older(&image).await;
        Ok(built)
    }

    /// Makes sure that the Dockerfile is in the build context, and returns its path there.
    fn dockerfile(&self, root: &Path) -> Result<String, String> {
        let name = match &self.build.dockerfile {
            Dockerfile::Path(path) => path.trim_start_matches('/').to_owned(),
            Dockerfile::Text(content) => {
                git::write_inside(root, RAW, content)
                    .map_err(|e| format!("the Dockerfile could not be written: {e}"))?;
                RAW.to_owned()
            }
        };
        let path = inside(root, &name).map_err(|_| format!("there is no Dockerfile at {name}"))?;
        let content = std::fs::read_to_string(path).map_err(|_| format!("there is no Dockerfile at {name}"))?;
        let from = |line: &str| line.trim_start().get(..5).is_some_and(|word| word.eq_ignore_ascii_case("from "));
        if content.lines().any(from) { Ok(name) } else { Err(format!("the Dockerfile {name} has no FROM")) }
    }

    fn arguments(&self) -> BTreeMap<&str, &str> {
        self.build.arguments.iter().map(|(name, value)| (name.as_str(), value.expose().as_str())).collect()
    }

    /// The images that the build needs. Images that were built for other organizations are refused, in all stages.
    fn images(&self, root: &Path, name: &str) -> Result<Vec<String>, String> {
        let text = inside(root, name).and_then(|path| std::fs::read_to_string(path).map_err(|e| e.to_string()))?;
        let dockerfile = ParsedDockerfile::parse(&text, &self.arguments());
        let tenant = built_name::of_tenant(&self.build.image);
        if let Some(image) = dockerfile.images().into_iter().find(|image| built_name::is_foreign(image, tenant)) {
            return Err(format!(
                "the image {image} was not built for this organization, and cannot be used by its jobs"
            ));
        }
        Ok(dockerfile.needed(self.build.target_stage.as_deref()).into_iter().map(str::to_owned).collect())
    }

    /// Pulls the images that are not on the engine yet: without a session, BuildKit cannot log in to registries that hand out
    /// tokens. If one cannot be pulled, the build says why, unless it can do without.
    async fn fetch_bases(&self, client: &Docker, images: &[String]) {
        for image in images {
            let wanted = Image { reference: tagged(image), credentials: None, local: false };
            if let Err(reason) = self.engine.ensure_image(client, &wanted).await {
                tracing::debug!(image, reason, "image of a build not pulled beforehand");
            }
        }
    }

    async fn build_with_buildkit(&self, request: Request<'_>, context: &ArchiveFile) -> Result<(), NotBuilt> {
        let mut answer = buildkit::begin(&self.engine.address, request, context).await?;
        while let Some(lines) = answer.next().await? {
            for line in lines {
                self.say(Stream::Stdout, &line).await;
            }
        }
        Ok(())
    }

    async fn build_without_buildkit(&self, image: &str, dockerfile: &str, context: &ArchiveFile) -> Result<(), String> {
        let client = self.engine.client().await.map_err(|e| e.0)?;
        let arguments: HashMap<&str, &str> = self.arguments().into_iter().collect();
        let mut options = BuildImageOptionsBuilder::default()
            .t(image)
            .dockerfile(dockerfile)
            .buildargs(&arguments)
            .nocache(!self.build.cache)
            .rm(true)
            .forcerm(true);
        if let Some(stage) = &self.build.target_stage {
            options = options.target(stage);
        }
        let mut steps = client.build_image(options.build(), None, Some(bollard::body_try_stream(context.pieces())));
        let mut line = String::new();
        while let Some(step) = steps.next().await {
            let step = step.map_err(|error| text(&error))?;
            if let Some(piece) = step.stream.or(step.status) {
                line.push_str(&piece);
                if let Some((whole, rest)) = line.rsplit_once('\n') {
                    self.say(Stream::Stdout, whole).await;
                    line = rest.to_owned();
                }
            }
            if let Some(message) = step.error_detail.and_then(|detail| detail.message) {
                return Err(message);
            }
        }
        self.say(Stream::Stdout, &line).await;
        Ok(())
    }

    /// Removes images of earlier builds except the newest ones. The engine refuses to remove those in use.
    async fn remove_older(&self, image: &str) {
        let Ok(client) = self.engine.client().await else { return };
        let older = built_name::older_name(&self.build.image);
        let filters = HashMap::from([("reference", vec![self.build.image.as_str(), older.as_str()])]);
        let options = ListImagesOptionsBuilder::default().filters(&filters).build();
        let Ok(mut images) = client.list_images(Some(options)).await else { return };
        images.sort_by_key(|image| std::cmp::Reverse(image.created));
        let names: Vec<String> = images.into_iter().flat_map(|image| image.repo_tags).collect();
        for name in names.iter().filter(|name| *name != image).skip(KEPT - 1) {
            if let Err(error) = client.remove_image(name, None::<RemoveImageOptions>, None).await {
                tracing::debug!(image = name, error = text(&error), "cannot remove older image");
            }
        }
    }
}

/// A reference with a tag, without which the engine would pull all tags.
fn tagged(image: &str) -> String {
    let name = image.rsplit('/').next().unwrap_or_default();
    if name.contains([':', '@']) { image.to_owned() } else { format!("{image}:latest") }
}

/// The tag: the commit and a hash of everything else that affects the content of the image.
fn tag(build: &Build, commit: Option<&Commit>) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    };
    add(&build.root_path);
    match &build.dockerfile {
        Dockerfile::Path(path) => add(path),
        Dockerfile::Text(content) => {
            add("");
            add(content);
        }
    }
    add(build.target_stage.as_deref().unwrap_or_default());
    add(build.source.as_ref().map_or("", |source| source.url.as_str()));
    add(if build.source.as_ref().is_some_and(|source| source.submodules) { "submodules" } else { "" });
    for (name, value) in &build.arguments {
        add(name);
        add(value.expose());
    }
    let rest: String = hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let commit = commit.and_then(|commit| commit.id.get(..12)).unwrap_or("raw");
    format!("{commit}-{rest}")
}

/// The URL without its credentials.
fn without_login(url: &str) -> String {
    match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('@')?.1))) {
        Some((scheme, rest)) => format!("{scheme}://{rest}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_login;

    #[test]
    fn logins_are_not_shown() {
        assert_eq!(without_login("https://me:secret@host/x.git"), "https://host/x.git");
        assert_eq!(without_login("https://host/x.git"), "https://host/x.git");
    }
}
