//! Finds the program of a workspace step on the machine of an agent, in a version that the workspace accepts.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use crate::runner::StepTool;
use crate::runner::terraform::toolbox::Toolbox;
use crate::runner::terraform::version_range::{FORMS, VersionRange};

/// Where other programs of a step are found.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The programs of this machine.
pub(super) struct StepTools {
    toolbox: Toolbox,
    /// The folder of folders that each have one program, under its plain name.
    links: PathBuf,
}

impl StepTools {
    pub(super) fn new(folder: Option<PathBuf>, links: PathBuf) -> Self {
        Self { toolbox: Toolbox::new(folder), links }
    }

    /// A value of PATH with which the plain name of the program means the right version.
    ///
    /// # Errors
    /// Why there is none; shown as the reason of the run.
    pub(super) async fn path_for(&self, tool: &StepTool) -> Result<String, String> {
        let range =
            VersionRange::parse(&tool.version).ok_or_else(|| format!("the version of {} {FORMS}", tool.name))?;
        let found = self.toolbox.find(&tool.name, &range).await.map_err(|others| {
            let wanted = if range.is_any() { tool.name.clone() } else { format!("{} {}", tool.name, tool.version) };
            match others.is_empty() {
                true => format!("{wanted} is not installed on the machine of the agent"),
                false => {
                    let others: Vec<String> = others.iter().map(ToString::to_string).collect();
                    format!("{wanted} is not installed on the machine of the agent, which has {}", others.join(", "))
                }
            }
        })?;
        let found = std::path::absolute(&found.path).unwrap_or(found.path);
        let folder = self.links.join(found.display().to_string().replace('/', "_"));
        let link = folder.join(&tool.name);
        if !link.exists() {
            let _broken = std::fs::remove_file(&link);
            let made = std::fs::create_dir_all(&folder).and_then(|()| symlink(&found, &link));
            // Another step may have been faster.
            if !link.exists() {
                made.map_err(|error| format!("{} cannot be created: {error}", link.display()))?;
            }
        }
        Ok(format!("{}:{PATH}", folder.display()))
    }
}
