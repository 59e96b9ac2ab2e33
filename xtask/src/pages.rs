//! `cargo xtask docs`: the pages of docs/ are run as they are printed, against a real server.
//!
//! All `sh` blocks of a page are one script, run in an empty folder. Lines of the script are lines of the page, so that a
//! failure names its line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Result, find, root};
use crate::server::{self, Server};
use crate::{opentofu, services};

/// What makes bash write the line and the text of a command that fails. It takes the place of the page's first line.
const TRAP: &str = r#"set -E; trap 'echo "$LINENO: $BASH_COMMAND" >> "$PAGE_FAILURES"' ERR"#;
/// The comment by which a page says what it cannot be run without: `docker`, or the name of a program.
const NEEDS: &str = "<!-- needs: ";
/// What every server that runs pages is started with.
pub(crate) const WORDS: [&str; 2] = ["--local-repositories", "--webhook-private-addresses"];

/// Where jobs of the server run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Docker,
    Processes,
}

/// Starts a server with what this machine has, and runs all pages.
pub(crate) fn run_all() -> Result<()> {
    let services = services::start()?;
    let docker = services.variables.iter().any(|(name, _)| *name == "WINDLASS_TEST_DOCKER");
    let (engine, runner) = if docker { (Engine::Docker, "docker") } else { (Engine::Processes, "process") };
    let tools = opentofu::provide()?.display().to_string();
    let words = [&["--runner", runner, "--log", "warn", "--tools", &tools][..], &WORDS].concat();
    let server = server::start(&root().join("target/docs"), &words)?;
    match run(&server, engine)?.as_slice() {
        [] => eprintln!("== all pages were run"),
        skipped => eprintln!("== all pages were run, but these were SKIPPED:\n  {}", skipped.join("\n  ")),
    }
    Ok(())
}

/// Runs all pages, each in an empty folder; returns those that were skipped, and why.
pub(crate) fn run(server: &Server, engine: Engine) -> Result<Vec<String>> {
    let mut pages = Vec::new();
    find_pages(&root().join("docs"), &mut pages)?;
    pages.sort();
    let mut skipped = Vec::new();
    for page in pages {
        let name = page.strip_prefix(root()).unwrap_or(&page).display().to_string();
        let text = fs::read_to_string(&page).map_err(|e| format!("{name}: {e}"))?;
        let Some(script) = script(&text) else { continue };
        match missing(&text, engine) {
            Some(missing) => skipped.push(format!("{name}: {missing}")),
            None => run_page(server, &name, &script)?,
        }
    }
    Ok(skipped)
}

fn find_pages(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            find_pages(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
    Ok(())
}

/// The blocks of a page with empty lines in place of everything else; none for a page without blocks.
fn script(text: &str) -> Option<String> {
    let (mut lines, mut inside, mut any) = (vec![TRAP], false, false);
    for line in text.lines().skip(1) {
        match line {
            "```sh" => (inside, any) = (true, true),
            "```" => inside = false,
            line if inside => {
                lines.push(line);
                continue;
            }
            _ => {}
        }
        lines.push("");
    }
    any.then(|| lines.join("\n"))
}

/// What a page cannot be run without and is not there.
fn missing(text: &str, engine: Engine) -> Option<String> {
    let needs = text.lines().filter_map(|line| line.strip_prefix(NEEDS)?.strip_suffix(" -->"));
    for need in needs {
        match need {
            "docker" if engine == Engine::Processes => return Some("there is no Docker engine".into()),
            "docker" => {}
            program if find(program).is_none() => return Some(format!("{program} is not installed")),
            _ => {}
        }
    }
    None
}

fn run_page(server: &Server, name: &str, script: &str) -> Result<()> {
    eprintln!("== {name}, as printed");
    let folder = root().join("target/pages").join(name);
    let failures = folder.with_extension("failures");
    let _old = (fs::remove_dir_all(&folder), fs::remove_file(&failures));
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", script]).current_dir(&folder).env("PAGE_FAILURES", &failures);
    command.env("WINDLASS_URL", &server.url).env("WINDLASS_TOKEN", &server.token);
    let status = command.status().map_err(|e| format!("bash: {e}"))?;
    if status.success() {
        return Ok(());
    }
    let failures = fs::read_to_string(&failures).unwrap_or_default();
    // An unset variable ends bash without the trap; bash has printed its line then.
    let failed = if failures.is_empty() { "see above".to_owned() } else { format!("line {}", failures.trim_end()) };
    Err(format!("{name}: {status}: {failed}"))
}

#[cfg(test)]
mod tests {
    use super::{Engine, TRAP, missing, script};

    #[test]
    fn lines_of_the_script_are_lines_of_the_page() {
        let page = "# A page\n\n```sh\none\n```\ntext\n```console\nnot this\n```\n```sh\ntwo\n```\n";
        let expected = [TRAP, "", "", "one", "", "", "", "", "", "", "two", ""].join("\n");
        assert_eq!(script(page), Some(expected));
        assert_eq!(script("# A page\n```console\nnot this\n```\n"), None);
    }

    #[test]
    fn a_page_says_what_it_needs() {
        let page = "# A page\n\n<!-- needs: docker -->\n";
        assert_eq!(missing(page, Engine::Docker), None);
        assert!(missing(page, Engine::Processes).is_some());
        assert!(missing("<!-- needs: no-such-program -->\n", Engine::Docker).is_some());
    }
}
