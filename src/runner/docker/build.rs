//! Images built from a Dockerfile, of a repository or as a text, by the engine.
//!
//! The name of an image says all that decides what is in it: the commit and a hash of the rest. One that is there is used
//! again. A build is a part of this server: one that a killed server was at is begun again by the next.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bollard::query_parameters::{BuildImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptions};
use futures_util::StreamExt as _;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinHandle;

use super::Engine;
use super::wire::text;
use crate::clock::Clock;
use crate::git::{self, Commit, TempFolder};
use crate::liveness::wake::Wake;
use crate::runner::memory::MemoryStep;
use crate::runner::{Build, Dockerfile, LINE_BYTES, Lines, StepState, Stream, Times};

/// The largest folder that is sent to the engine, in bytes (official limit).
const LARGEST: u64 = 5 * 1024 * 1024 * 1024;
/// How many images of one job stay on the engine.
const KEPT: usize = 3;
/// The file that a Dockerfile given as a text becomes (official name).
const RAW: &str = "Dockerfile.qovery";

/// The builds of this server.
pub(super) struct Builds {
    steps: Mutex<HashMap<String, Arc<BuildStep>>>,
    clock: Clock,
    wake: Wake,
}

struct BuildStep {
    memory: MemoryStep,
    task: Mutex<Option<JoinHandle<()>>>,
    output: Mutex<Option<Vec<u8>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Builds {
    pub(super) fn new(clock: Clock, wake: Wake) -> Self {
        Self { steps: Mutex::default(), clock, wake }
    }

    fn find(&self, name: &str) -> Option<Arc<BuildStep>> {
        lock(&self.steps).get(name).cloned()
    }

    pub(super) fn start(&self, engine: &Arc<Engine>, name: &str, build: &Build) {
        let mut steps = lock(&self.steps);
        if steps.contains_key(name) {
            return;
        }
        let memory = MemoryStep::new(StepState::Running, self.clock.now());
        let step = Arc::new(BuildStep { memory, task: Mutex::default(), output: Mutex::default() });
        let job = Work {
            engine: Arc::clone(engine),
            step: Arc::clone(&step),
            clock: self.clock.clone(),
            build: build.clone(),
        };
        let wake = self.wake.clone();
        #[expect(clippy::disallowed_methods, reason = "kept in its step, which ends it")]
        let task = tokio::spawn(async move {
            let progress = match job.run().await {
                Ok(built) => {
                    *lock(&job.step.output) = Some(built.to_string().into_bytes());
                    StepState::Exited { exit_code: 0, reason: None }
                }
                Err(reason) => {
                    job.say(Stream::Stderr, &reason).await;
                    StepState::Exited { exit_code: 1, reason: Some(reason) }
                }
            };
            job.step.memory.end(progress, job.clock.now());
            wake.here();
        });
        *lock(&step.task) = Some(task);
        steps.insert(name.to_owned(), step);
    }

    pub(super) fn progress(&self, name: &str) -> Option<StepState> {
        Some(self.find(name)?.memory.lock().progress.clone())
    }

    pub(super) fn times(&self, name: &str) -> Option<Times> {
        Some(self.find(name)?.memory.lock().times)
    }

    pub(super) fn take(&self, name: &str, skip: u64, limit: usize) -> Option<Lines> {
        Some(self.find(name)?.memory.take(skip, limit))
    }

    pub(super) fn output(&self, name: &str) -> Option<Option<Vec<u8>>> {
        Some(lock(&self.find(name)?.output).clone())
    }

    pub(super) fn stop(&self, name: &str) -> bool {
        let Some(step) = self.find(name) else { return false };
        if let Some(task) = lock(&step.task).take() {
            // The engine ends a build whose caller has gone.
            task.abort();
        }
        let running = step.memory.lock().progress == StepState::Running;
        if running {
            let reason = Some("the build was stopped".to_owned());
            step.memory.end(StepState::Exited { exit_code: 143, reason }, self.clock.now());
            self.wake.here();
        }
        true
    }

    pub(super) fn remove(&self, name: &str) -> bool {
        let there = self.stop(name);
        lock(&self.steps).remove(name);
        there
    }

    pub(super) fn close(&self) {
        let names: Vec<String> = lock(&self.steps).keys().cloned().collect();
        for name in names {
            self.stop(&name);
        }
    }
}

/// One build.
struct Work {
    engine: Arc<Engine>,
    step: Arc<BuildStep>,
    clock: Clock,
    build: Build,
}

impl Work {
    async fn say(&self, stream: Stream, text: &str) {
        for line in text.lines() {
            let mut rest = line.trim_end();
            loop {
                let end = rest.floor_char_boundary(LINE_BYTES);
                let (piece, behind) = rest.split_at(end);
                self.step.memory.push(self.clock.now(), stream, piece.to_owned()).await;
                rest = behind;
                if rest.is_empty() {
                    break;
                }
            }
        }
    }

    async fn run(&self) -> Result<Value, String> {
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
        let image = format!("{}:{}", build.image, tag(build, commit.as_ref()));
        let commit = commit.map(
            |commit| json!({"id": commit.id, "at": commit.at, "author": commit.author, "message": commit.message}),
        );
        let built = json!({"image": image, "commit": commit});
        let client = self.engine.client().await.map_err(|e| e.0)?;
        if build.cache && client.inspect_image(&image).await.is_ok() {
            self.say(Stream::Stdout, &format!("{image} is there already: nothing has changed since it was built"))
                .await;
            return Ok(built);
        }
        let context = {
            let (root, dockerfile) = (root.clone(), dockerfile.clone());
            tokio::task::spawn_blocking(move || context(&root, &dockerfile)).await
        };
        let context = context.map_err(|error| error.to_string())??;
        self.say(Stream::Stdout, &format!("building {image}")).await;
        self.build(&image, &dockerfile, context).await?;
        self.remove_older(&image).await;
        Ok(built)
    }

    /// The path of the Dockerfile inside the folder of the build, where it is now.
    fn dockerfile(&self, root: &Path) -> Result<String, String> {
        let name = match &self.build.dockerfile {
            Dockerfile::Path(path) => path.trim_start_matches('/').to_owned(),
            Dockerfile::Text(content) => {
                std::fs::write(root.join(RAW), content)
                    .map_err(|e| format!("the Dockerfile cannot be written: {e}"))?;
                RAW.to_owned()
            }
        };
        let path = inside(root, &name).map_err(|_| format!("there is no Dockerfile at {name}"))?;
        let content = std::fs::read_to_string(path).map_err(|_| format!("there is no Dockerfile at {name}"))?;
        let from = |line: &str| line.trim_start().get(..5).is_some_and(|word| word.eq_ignore_ascii_case("from "));
        if content.lines().any(from) { Ok(name) } else { Err(format!("the Dockerfile {name} has no FROM")) }
    }

    async fn build(&self, image: &str, dockerfile: &str, context: Vec<u8>) -> Result<(), String> {
        let client = self.engine.client().await.map_err(|e| e.0)?;
        let arguments: HashMap<&str, &str> =
            self.build.arguments.iter().map(|(name, value)| (name.as_str(), value.expose().as_str())).collect();
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
        let mut steps = client.build_image(options.build(), None, Some(bollard::body_full(context.into())));
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

    /// Removes the images of earlier builds but the newest; those that a container uses stay.
    async fn remove_older(&self, image: &str) {
        let Ok(client) = self.engine.client().await else { return };
        let filters = HashMap::from([("reference", vec![self.build.image.as_str()])]);
        let options = ListImagesOptionsBuilder::default().filters(&filters).build();
        let Ok(mut images) = client.list_images(Some(options)).await else { return };
        images.sort_by_key(|image| std::cmp::Reverse(image.created));
        let names: Vec<String> = images.into_iter().flat_map(|image| image.repo_tags).collect();
        for name in names.iter().filter(|name| *name != image).skip(KEPT - 1) {
            if let Err(error) = client.remove_image(name, None::<RemoveImageOptions>, None).await {
                tracing::debug!(image = name, error = text(&error), "an older image stays");
            }
        }
    }
}

/// What decides the content of an image beside the commit, as a part of its tag.
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

/// A path inside a folder, links followed; nothing outside of it is touched.
fn inside(folder: &Path, path: &str) -> Result<PathBuf, String> {
    let missing = || format!("the repository has no {path}");
    let found = folder.join(path.trim_start_matches('/')).canonicalize().map_err(|_| missing())?;
    let folder = folder.canonicalize().map_err(|_| missing())?;
    if found.starts_with(&folder) { Ok(found) } else { Err(format!("{path} leads out of the repository")) }
}

/// The address as it may be shown.
fn without_login(url: &str) -> String {
    match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('@')?.1))) {
        Some((scheme, rest)) => format!("{scheme}://{rest}"),
        None => url.to_owned(),
    }
}

/// The folder as a tape archive, without what `.dockerignore` leaves out.
fn context(root: &Path, dockerfile: &str) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| format!("the files cannot be packed: {error}");
    let ignored = ignored(root);
    let mut archive = tar::Builder::new(Vec::new());
    archive.follow_symlinks(false);
    let (mut folders, mut size) = (vec![root.to_owned()], 0_u64);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(failed)?);
            let name = path.strip_prefix(root).map_err(|e| e.to_string())?.to_owned();
            if name == Path::new(".git") {
                continue;
            }
            let needed = name == Path::new(dockerfile) || name == Path::new(".dockerignore");
            let left_out = !needed && ignored.matched_path_or_any_parents(&name, kind.is_dir()).is_ignore();
            if kind.is_dir() {
                // A later rule may take back in what is in a folder that is left out.
                folders.push(path.clone());
            }
            if left_out {
                continue;
            }
            size += entry.metadata().map_err(failed)?.len();
            if size > LARGEST {
                return Err(format!("the files are larger than {LARGEST} bytes"));
            }
            if kind.is_dir() {
                archive.append_dir(&name, &path).map_err(failed)?;
            } else if kind.is_file() || kind.is_symlink() {
                archive.append_path_with_name(&path, &name).map_err(failed)?;
            }
        }
    }
    archive.into_inner().map_err(failed)
}

/// The rules of `.dockerignore`: as those of git, but from the root of the folder.
fn ignored(root: &Path) -> Gitignore {
    let mut rules = GitignoreBuilder::new("");
    for line in std::fs::read_to_string(root.join(".dockerignore")).unwrap_or_default().lines() {
        let line = line.trim();
        let (sign, pattern) = match line.strip_prefix('!') {
            Some(rest) => ("!", rest),
            None => ("", line),
        };
        if pattern.is_empty() || line.starts_with('#') {
            continue;
        }
        let rooted = format!("{sign}/{}", pattern.trim_start_matches("./").trim_start_matches('/'));
        if let Err(error) = rules.add_line(None, &rooted) {
            tracing::debug!(%error, line, "a rule of .dockerignore is not understood");
        }
    }
    rules.build().unwrap_or_else(|_| Gitignore::empty())
}

#[cfg(test)]
mod tests {
    use super::{context, inside, without_login};

    #[test]
    fn the_context_has_what_is_not_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in ["Dockerfile", "a.txt", "b.log", "deep/c.log", "deep/keep.log", "target/x", ".git/config"] {
            std::fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            std::fs::write(root.join(name), "x").unwrap();
        }
        std::fs::write(root.join(".dockerignore"), "# rules\n**/*.log\n!deep/keep.log\ntarget\nDockerfile\n").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", root.join("link")).unwrap();
        let bytes = context(root, "Dockerfile").unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut names: Vec<String> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap())
            .inspect(|entry| assert!(entry.size() < 200))
            .map(|entry| entry.path().unwrap().display().to_string())
            .collect();
        names.sort();
        assert_eq!(names, [".dockerignore", "Dockerfile", "a.txt", "deep", "deep/keep.log", "link"]);
    }

    #[test]
    fn nothing_outside_is_reached() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc", folder.path().join("out")).unwrap();
        assert!(inside(folder.path(), "/").is_ok());
        for path in ["../", "out", "/out/passwd", "nowhere"] {
            assert!(inside(folder.path(), path).is_err(), "{path}");
        }
    }

    #[test]
    fn logins_are_not_shown() {
        assert_eq!(without_login("https://me:secret@host/x.git"), "https://host/x.git");
        assert_eq!(without_login("https://host/x.git"), "https://host/x.git");
    }
}
