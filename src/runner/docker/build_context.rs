//! Packs the build context for the engine.

use std::path::{Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::runner::archive_file::{ArchiveBuilder, ArchiveFile};

/// The largest build context, in bytes (limit of the official API).
const LARGEST: u64 = 5 * 1024 * 1024 * 1024;

/// Resolves a path inside a folder. Symbolic links are followed, but not out of the folder.
pub(super) fn inside(folder: &Path, path: &str) -> Result<PathBuf, String> {
    let missing = || format!("the repository has no {path}");
    let found = folder.join(path.trim_start_matches('/')).canonicalize().map_err(|_| missing())?;
    let folder = folder.canonicalize().map_err(|_| missing())?;
    if found.starts_with(&folder) { Ok(found) } else { Err(format!("{path} is outside the repository")) }
}

/// The folder as a tar archive, without the files that `.dockerignore` excludes.
pub(super) fn context(root: &Path, dockerfile: &str) -> Result<ArchiveFile, String> {
    ArchiveFile::write(|archive| fill(archive, root, dockerfile), failed)
}

fn failed(error: std::io::Error) -> String {
    format!("the build context could not be packed: {error}")
}

fn fill(archive: &mut ArchiveBuilder, root: &Path, dockerfile: &str) -> Result<(), String> {
    let ignored = ignored(root);
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
            let excluded = !needed && ignored.matched_path_or_any_parents(&name, kind.is_dir()).is_ignore();
            if kind.is_dir() {
                // A later rule may include files of an excluded folder again.
                folders.push(path.clone());
            }
            if excluded {
                continue;
            }
            size += entry.metadata().map_err(failed)?.len();
            if size > LARGEST {
                return Err(format!("the build context is larger than {LARGEST} bytes"));
            }
            if kind.is_dir() {
                archive.append_dir(&name, &path).map_err(failed)?;
            } else if kind.is_file() || kind.is_symlink() {
                archive.append_path_with_name(&path, &name).map_err(failed)?;
            }
        }
    }
    Ok(())
}

/// The rules of `.dockerignore`: like those of `.gitignore`, but relative to the root of the context.
fn ignored(root: &Path) -> Gitignore {
    let mut rules = GitignoreBuilder::new("");
    let text = inside(root, ".dockerignore").and_then(|path| std::fs::read_to_string(path).map_err(|e| e.to_string()));
    for line in text.unwrap_or_default().lines() {
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
            tracing::debug!(%error, line, "ignoring an invalid rule of .dockerignore");
        }
    }
    rules.build().unwrap_or_else(|_| Gitignore::empty())
}

#[cfg(test)]
mod tests {
    use super::{context, inside};

    #[tokio::test]
    async fn the_context_has_what_is_not_left_out() {
        use futures_util::TryStreamExt as _;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in ["Dockerfile", "a.txt", "b.log", "deep/c.log", "deep/keep.log", "target/x", ".git/config"] {
            std::fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            std::fs::write(root.join(name), "x").unwrap();
        }
        std::fs::write(root.join(".dockerignore"), "# rules\n**/*.log\n!deep/keep.log\ntarget\nDockerfile\n").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", root.join("link")).unwrap();
        let pieces: Vec<_> = context(root, "Dockerfile").unwrap().pieces().try_collect().await.unwrap();
        let bytes = pieces.concat();
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
}
