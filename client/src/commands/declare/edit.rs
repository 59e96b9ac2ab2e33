//! `windlass job edit`: a job as a file, in an editor.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use serde_json::{Map, Value, json};

use super::files;
use super::outcome::tell;
use super::shown::show;
use super::written::yaml;
use crate::failure::{Failure, Result};
use crate::names::Place;
use crate::rows::Reference;
use crate::screen::Screen;

#[derive(Args)]
pub(crate) struct Edit {
    job: String,
    /// The program that edits files, with its arguments.
    #[arg(long, env = "EDITOR", default_value = "vi")]
    editor: String,
}

/// A job with the environment that it is in.
#[derive(serde::Deserialize)]
struct JobOf {
    environment: Reference,
}

/// Lets somebody edit a job, and stores it if it was changed. What was typed is kept in its file if it is refused.
pub(crate) async fn edit(place: &Place, wanted: Edit, screen: &mut Screen) -> Result<()> {
    let job = place.job(&wanted.job).await?;
    let of: JobOf = crate::api::shown(&place.api.get(&format!("/job/{}", job.id), &[]).await?)?;
    let path = format!("/environment/{}/declaration", of.environment.id);
    let declared = place.api.get(&path, &[]).await?;
    let text = yaml(only(&declared, &job.name)?)?;
    let file = TypedFile::create(&job.id.to_string(), &text)?;
    let changed = file.edited(&wanted.editor)?;
    if changed == text {
        file.remove();
        screen.say(&format!("{} is unchanged", job.full_name()));
        return Ok(());
    }
    let done = async {
        let documents = files::read(std::slice::from_ref(&file.path))?;
        let document = documents.first().filter(|document| documents.len() == 1 && document.is_only(&job.name));
        let another = || Failure::Usage(format!("only the job {} is edited here; its name stays", job.name));
        tell(place, document.ok_or_else(another)?, None, false).await
    };
    let told = match done.await {
        Ok(told) => told,
        Err(failure) => return Err(failure.about("not stored")),
    };
    file.remove();
    show(&[told], "is unchanged", screen)
}

/// The declaration of one job of an environment.
fn only(declared: &Value, name: &str) -> Result<Value> {
    let missing = || Failure::NotFound(format!("the job {name} is gone"));
    let job = declared.get("jobs").and_then(|jobs| jobs.get(name)).ok_or_else(missing)?;
    let jobs = Map::from_iter([(name.to_owned(), job.clone())]);
    Ok(json!({"project": declared.get("project"), "environment": declared.get("environment"), "jobs": jobs}))
}

/// A file that only this user can read.
struct TypedFile {
    path: PathBuf,
}

impl TypedFile {
    fn create(name: &str, text: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("windlass-{name}-{}.yaml", std::process::id()));
        let failed = |error: std::io::Error| Failure::Refused(format!("{}: {error}", path.display()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        Ok(Self { path })
    }

    /// What is in the file after the editor.
    fn edited(&self, editor: &str) -> Result<String> {
        let mut words = editor.split_whitespace();
        let program = words.next().ok_or_else(|| Failure::Usage("--editor must name a program".into()))?;
        let done = Command::new(program).args(words).arg(&self.path).status();
        let done = done.map_err(|error| Failure::Refused(format!("{program} cannot be started: {error}")))?;
        if !done.success() {
            self.remove();
            return Err(Failure::Refused(format!("{program} ended with {done}; nothing is changed")));
        }
        read(&self.path)
    }

    fn remove(&self) {
        // Whoever cleans up the folder of temporary files finds it otherwise.
        let _removed = fs::remove_file(&self.path);
    }
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| Failure::Refused(format!("{}: {error}", path.display())))
}
