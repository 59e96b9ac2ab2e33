//! `cargo xtask screenshots`: pictures of the main pages of the console, light and dark, at two widths.

use std::path::PathBuf;
use std::process::Command;

use crate::client_program::{install, with};
use crate::clients::PACKAGES;
use crate::command::{Result, find, root, run};
use crate::{opentofu, packages, pages, server};

/// Writes them into a folder, below the target folder unless one is given.
pub(crate) fn write(words: &[&str]) -> Result<()> {
    let folder = match words {
        [] => root().join("target/screenshots"),
        [folder] => PathBuf::from(folder),
        _ => return Err("screenshots takes one folder".into()),
    };
    let folder = std::path::absolute(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    packages::install(&PACKAGES, &[]);
    let browser = find("chromium").ok_or("chromium is not installed")?;
    let program = install("console")?;
    let tools = opentofu::provide()?.display().to_string();
    let words = [&["--demo", "--runner", "process", "--log", "error", "--tools", &tools][..], &pages::WORDS].concat();
    let server = server::start(&program.join("demo"), &words)?;
    let mut command = Command::new("node");
    command.arg(program.join("screenshots.mjs")).arg(&folder).arg(browser).env("WINDLASS_LINK", &server.link);
    run(with(&server, &mut command))?;
    eprintln!("== {}", folder.display());
    Ok(())
}
