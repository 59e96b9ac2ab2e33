//! Pure: a step as it is sent to an agent. It has no source: a workspace step fetches its files itself.

use serde::{Deserialize, Serialize};

use crate::runner::step_spec::{Credentials, Image, ProcessOptions, SourceTree, StepFile, StepSpec, StepTool};
use crate::secret::Secret;

/// `StepSpec`, as it is sent.
#[derive(Clone, Serialize, Deserialize)]
pub struct WireStep {
    image: Option<WireImage>,
    entrypoint: Option<String>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    files: Vec<WireFile>,
    cpu_milli: i32,
    memory_mib: i32,
    labels: Vec<(String, String)>,
    read_only_root: bool,
    /// Whether it needs an empty folder for its source.
    source: bool,
    interrupt: bool,
    process: WireProcess,
    tool: Option<(String, String)>,
}

impl std::fmt::Debug for WireStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Its variables and files may be secret.
        f.debug_struct("WireStep").finish_non_exhaustive()
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct WireImage {
    reference: String,
    /// The user name, the password and the host.
    login: Option<[String; 3]>,
}

#[derive(Clone, Serialize, Deserialize)]
struct WireFile {
    variables: Vec<String>,
    path: String,
    content: String,
}

#[derive(Clone, Serialize, Deserialize)]
struct WireProcess {
    home: Option<String>,
    path: Option<String>,
    working_folder: Option<String>,
    user: Option<String>,
    #[serde(default)]
    kept: Option<String>,
}

impl WireStep {
    /// Refused are the steps that no agent can run, with the reason.
    ///
    /// # Errors
    /// Why no agent can run it.
    pub fn of(step: &StepSpec) -> Result<Self, String> {
        if step.build.is_some() {
            return Err("an agent builds no images".into());
        }
        if step.image.as_ref().is_some_and(|image| image.local) {
            return Err(
                "the image was built on the server's engine and is in no registry that the agent can pull from".into(),
            );
        }
        let image = step.image.as_ref().map(|Image { reference, credentials, local: _ }| WireImage {
            reference: reference.clone(),
            login: credentials.as_ref().map(|Credentials { username, password, server }| {
                [username.clone(), password.expose().clone(), server.clone()]
            }),
        });
        let file = |StepFile { variables, path, content }: &StepFile| WireFile {
            variables: variables.clone(),
            path: path.clone(),
            content: content.expose().clone(),
        };
        let ProcessOptions { home, path, working_folder, user, kept } = step.process.clone();
        Ok(Self {
            image,
            entrypoint: step.entrypoint.clone(),
            arguments: step.arguments.clone(),
            environment: step.environment.iter().map(|(key, value)| (key.clone(), value.expose().clone())).collect(),
            files: step.files.iter().map(file).collect(),
            cpu_milli: step.cpu_milli,
            memory_mib: step.memory_mib,
            labels: step.labels.clone(),
            read_only_root: step.read_only_root,
            source: step.source.is_some(),
            interrupt: step.interrupt,
            process: WireProcess { home, path, working_folder, user, kept },
            tool: step.tool.clone().map(|StepTool { name, version }| (name, version)),
        })
    }

    /// The step, under its name.
    #[must_use]
    pub fn step(self, name: &str) -> StepSpec {
        let image = self.image.map(|WireImage { reference, login }| Image {
            reference,
            credentials: login.map(|[username, password, server]| Credentials {
                username,
                password: Secret::new(password),
                server,
            }),
            local: false,
        });
        let file = |WireFile { variables, path, content }| StepFile { variables, path, content: Secret::new(content) };
        let WireProcess { home, path, working_folder, user, kept } = self.process;
        StepSpec {
            name: name.to_owned(),
            image,
            entrypoint: self.entrypoint,
            arguments: self.arguments,
            environment: self.environment.into_iter().map(|(key, value)| (key, Secret::new(value))).collect(),
            files: self.files.into_iter().map(file).collect(),
            cpu_milli: self.cpu_milli,
            memory_mib: self.memory_mib,
            labels: self.labels,
            read_only_root: self.read_only_root,
            permit: None,
            build: None,
            source: self.source.then_some(SourceTree::Empty),
            interrupt: self.interrupt,
            process: ProcessOptions { home, path, working_folder, user, kept },
            pod: None,
            tool: self.tool.map(|(name, version)| StepTool { name, version }),
        }
    }
}
