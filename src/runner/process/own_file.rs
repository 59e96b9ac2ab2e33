//! Reads a file that a process left, without leaving the folder of its run.

use std::io::ErrorKind;
use std::path::Path;

use tokio::io::AsyncReadExt as _;

use crate::runner::interface::OutputError;

/// The first `most` bytes of a file below `root`, if there is one. A symbolic link is followed inside `root`.
pub(super) async fn read_own_file(root: &Path, path: &Path, most: u64) -> Result<Option<Vec<u8>>, OutputError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let refused = |what: &str| OutputError::Refused(format!("{name} {what}"));
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::NotADirectory | ErrorKind::IsADirectory => {
            refused(&format!("cannot be read: {error}"))
        }
        _ => OutputError::Unavailable(format!("cannot read {}: {error}", path.display())),
    };
    match tokio::fs::symlink_metadata(path).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
        Ok(_) => {}
    }
    // The path exists, so what is missing or goes round in circles is the target of a link.
    let Ok(real) = tokio::fs::canonicalize(path).await else {
        return Err(refused("is a symbolic link that leads nowhere"));
    };
    let root = tokio::fs::canonicalize(root).await.map_err(failed)?;
    if !real.starts_with(&root) {
        return Err(refused("is a symbolic link that leads out of the folder of the run"));
    }
    let kind = tokio::fs::metadata(&real).await.map_err(failed)?;
    if kind.is_dir() {
        return Err(refused("is a folder"));
    }
    if !kind.is_file() {
        return Err(refused("is not a regular file"));
    }
    let mut content = Vec::new();
    let file = tokio::fs::File::open(&real).await.map_err(failed)?;
    file.take(most).read_to_end(&mut content).await.map_err(failed)?;
    Ok(Some(content))
}
