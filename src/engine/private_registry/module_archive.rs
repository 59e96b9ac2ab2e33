//! Archives of versions of modules: made from a checkout of the tag when somebody needs one, and kept.

use std::fs::File;
use std::io::{BufWriter, Error as IoError, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use entity::{module_version, registry_file, terraform_module};
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::Semaphore;

use super::module_source::repository;
use super::registry_file::{Owner, most_bytes, store_file, too_large};
use crate::app::App;
use crate::error::{Error, Result};
use crate::git::{self, Checkout, TempFolder};
use crate::store;

/// How many archives a server makes at a time.
static MAKERS: Semaphore = Semaphore::const_new(2);
/// How long a request waits for its turn.
const TURN: Duration = Duration::from_secs(300);
/// The most files of a module, and how deep its folders are.
const MOST_FILES: usize = 50_000;
const DEEPEST: usize = 64;

/// The archive of a version, which is made if there is none yet. The inner error says why it cannot be made.
///
/// # Errors
/// Database errors.
pub async fn archive_of(
    app: &App,
    module: &terraform_module::Model,
    version: &module_version::Model,
) -> Result<Result<registry_file::Model, String>> {
    if let Some(file) = store::private_registry::file_of_version(&app.db, version.id).await? {
        return Ok(Ok(file));
    }
    let Ok(turn) = tokio::time::timeout(TURN, MAKERS.acquire()).await else {
        return Ok(Err("the server is busy with the archives of other modules; try again later".to_owned()));
    };
    let _turn = turn.map_err(Error::internal)?;
    // Somebody else may have asked for the same one.
    if let Some(file) = store::private_registry::file_of_version(&app.db, version.id).await? {
        return Ok(Ok(file));
    }
    let wanted = match repository(app, module).await? {
        Ok(wanted) => Checkout {
            branch: Some(format!("refs/tags/{}", version.git_tag)),
            commit: Some(version.commit_id.clone()),
            ..wanted
        },
        Err(reason) => return Ok(Err(reason)),
    };
    let (folder, _) = match git::checkout(&wanted).await {
        Ok(made) => made,
        Err(reason) => return Ok(Err(reason)),
    };
    let (most, subfolder) = (most_bytes(app), module.folder.clone().unwrap_or_default());
    let packed = tokio::task::spawn_blocking(move || pack(folder.path(), &subfolder, most));
    let file = match packed.await.map_err(Error::internal)? {
        Ok(file) => file,
        Err(NotPacked::TooLarge) => return Ok(Err(format!("the archive of the repository {}", too_large(app)))),
        Err(NotPacked::Failed(reason)) => return Ok(Err(reason)),
    };
    let stored = store_file(app, module.organization_id, file).await?;
    let given = store::write(&app.db, async |tx| {
        // The tag may have been moved in the meantime.
        let row = store::row::by_id::<module_version::Model>(tx, version.id).await?;
        if row.is_none_or(|row| row.commit_id != version.commit_id) {
            return Err(Error::NotFound("version"));
        }
        if store::private_registry::file_of_version(tx, version.id).await?.is_none() {
            stored.give(app, tx, Owner::Module(version.id)).await?;
        }
        Ok(())
    })
    .await;
    match given {
        Ok(()) => {}
        Err(Error::Conflict(reason)) => return Ok(Err(reason)),
        Err(error) => return Err(error),
    }
    let file = store::private_registry::file_of_version(&app.db, version.id).await?;
    Ok(Ok(file.ok_or(Error::NotFound("version"))?))
}

/// Why a repository was not packed.
enum NotPacked {
    TooLarge,
    Failed(String),
}

/// A file that may only get so large.
struct Bounded {
    to: BufWriter<File>,
    left: u64,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, IoError> {
        let written = self.to.write(bytes)?;
        self.left = self.left.checked_sub(written as u64).ok_or(IoError::from(std::io::ErrorKind::FileTooLarge))?;
        Ok(written)
    }

    fn flush(&mut self) -> Result<(), IoError> {
        self.to.flush()
    }
}

impl From<IoError> for NotPacked {
    fn from(error: IoError) -> Self {
        match error.kind() {
            std::io::ErrorKind::FileTooLarge => Self::TooLarge,
            _ => Self::Failed(format!("the repository could not be packed: {error}")),
        }
    }
}

/// Packs a whole checkout, because modules of a repository refer to each other. The same checkout makes the same archive. Blocks.
fn pack(folder: &Path, subfolder: &str, most: u64) -> Result<File, NotPacked> {
    let inside = folder.join(subfolder.trim_matches('/'));
    if !inside.is_dir() {
        return Err(NotPacked::Failed(format!("the tag has no folder {subfolder}")));
    }
    let mut paths = Vec::new();
    collect(folder, Path::new(""), 0, &mut paths)?;
    let to = TempFolder::new().map_err(NotPacked::Failed)?;
    let file = File::options().read(true).write(true).create_new(true).open(to.path().join("module"))?;
    let packed = Bounded { to: BufWriter::new(file), left: most };
    let mut archive = tar::Builder::new(GzEncoder::new(packed, Compression::default()));
    archive.mode(tar::HeaderMode::Deterministic);
    archive.follow_symlinks(false);
    for path in paths {
        archive.append_path_with_name(folder.join(&path), &path)?;
    }
    let Bounded { to, .. } = archive.into_inner()?.finish()?;
    to.into_inner().map_err(|error| error.into_error().into())
}

/// The files and folders of a checkout, in alphabetical order, without what belongs to git.
fn collect(root: &Path, below: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> Result<(), NotPacked> {
    let mut entries = std::fs::read_dir(root.join(below))?.collect::<Result<Vec<_>, IoError>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries.into_iter().filter(|entry| depth > 0 || entry.file_name() != ".git") {
        let path = below.join(entry.file_name());
        paths.push(path.clone());
        if paths.len() > MOST_FILES || depth > DEEPEST {
            return Err(NotPacked::Failed(format!(
                "the repository has more than {MOST_FILES} files, or too deep folders"
            )));
        }
        if entry.file_type()?.is_dir() {
            collect(root, &path, depth + 1, paths)?;
        }
    }
    Ok(())
}
