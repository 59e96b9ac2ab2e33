//! Packs the source of a workspace step for the container or pod that runs it.

use std::io::Error;
use std::path::Path;

use super::archive_file::ArchiveFile;
use crate::git;
use crate::git::TempFolder;
use crate::runner::step_spec::SourceTree;
use crate::runner::terraform::layout::COMMIT_FILE;

/// Fills an empty folder with the files of a source tree.
///
/// # Errors
/// Why that is not possible; shown as the reason of the run.
pub(in crate::runner) async fn fill(folder: &Path, source: &SourceTree) -> Result<(), String> {
    let commit = match source {
        SourceTree::Empty => return Ok(()),
        SourceTree::Repository(wanted) => git::checkout_into(folder, wanted).await?.id,
        SourceTree::Upload(upload) => {
            let (upload, to) = (upload.clone(), folder.to_owned());
            tokio::task::spawn_blocking(move || upload.unpack(&to)).await.map_err(|error| error.to_string())??;
            // Uploaded files have no commit, whatever they contain.
            String::new()
        }
    };
    let failed = |error: Error| format!("the commit of the source could not be noted: {error}");
    git::write_inside(folder, COMMIT_FILE, &commit).map_err(failed)
}

/// A tar archive of a source tree, below a folder of this name.
///
/// # Errors
/// Why the source cannot be packed; shown as the reason of the run.
pub async fn pack(source: &SourceTree, root: &'static str) -> Result<ArchiveFile, String> {
    let folder = TempFolder::new()?;
    let files = folder.path().join("files");
    let failed = |error: Error| format!("the source files could not be packed: {error}");
    tokio::fs::create_dir(&files).await.map_err(failed)?;
    fill(&files, source).await?;
    let packed =
        tokio::task::spawn_blocking(move || ArchiveFile::write(|archive| archive.append_dir_all(root, &files), |e| e));
    packed.await.map_err(|error| error.to_string())?.map_err(failed)
}
