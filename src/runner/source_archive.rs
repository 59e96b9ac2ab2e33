//! The files that a step of a workspace works on, packed for where it is executed.

use crate::git;
use crate::git::Folder;
use crate::runner::step_spec::SourceTree;
use crate::runner::terraform::layout::COMMIT_FILE;

/// A tape archive of a source, below a folder of this name.
///
/// # Errors
/// Why it cannot be had; for the reader of a run.
pub async fn pack(source: &SourceTree, root: &'static str) -> Result<Vec<u8>, String> {
    let folder = Folder::new()?;
    let files = folder.path().join("files");
    let failed = |error: std::io::Error| format!("its files could not be packed: {error}");
    tokio::fs::create_dir(&files).await.map_err(failed)?;
    if let SourceTree::Repository(wanted) = source {
        let commit = git::checkout_into(&files, wanted).await?;
        tokio::fs::write(files.join(COMMIT_FILE), commit.id).await.map_err(failed)?;
    }
    let packed = tokio::task::spawn_blocking(move || {
        let mut archive = tar::Builder::new(Vec::new());
        archive.follow_symlinks(false);
        archive.append_dir_all(root, &files)?;
        archive.into_inner()
    });
    packed.await.map_err(|error| error.to_string())?.map_err(failed)
}
