//! Packs the source of a workspace step for the container or pod that runs it.

use std::io::Error;

use super::archive_file::ArchiveFile;
use crate::git;
use crate::git::TempFolder;
use crate::runner::step_spec::SourceTree;
use crate::runner::terraform::layout::COMMIT_FILE;

/// A tar archive of a source tree, below a folder of this name.
///
/// # Errors
/// Why the source cannot be packed; shown as the reason of the run.
pub async fn pack(source: &SourceTree, root: &'static str) -> Result<ArchiveFile, String> {
    let folder = TempFolder::new()?;
    let files = folder.path().join("files");
    let failed = |error: Error| format!("the source files could not be packed: {error}");
    tokio::fs::create_dir(&files).await.map_err(failed)?;
    if let SourceTree::Repository(wanted) = source {
        let commit = git::checkout_into(&files, wanted).await?;
        git::write_inside(&files, COMMIT_FILE, &commit.id).map_err(failed)?;
    }
    let packed =
        tokio::task::spawn_blocking(move || ArchiveFile::write(|archive| archive.append_dir_all(root, &files), |e| e));
    packed.await.map_err(|error| error.to_string())?.map_err(failed)
}
