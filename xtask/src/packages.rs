//! Installs Debian packages for missing programs.

use std::process::{Command, Stdio};

use crate::command::{find, read, run};

/// Installs the packages of missing programs, and `more`; on Debian, as root. A failure shows when the program is used.
pub(crate) fn install(programs: &[(&str, &'static str)], more: &[&'static str]) {
    let mut wanted: Vec<&str> =
        programs.iter().filter(|(program, _)| find(program).is_none()).map(|(_, package)| *package).collect();
    wanted.extend(more);
    let root = read(Command::new("id").arg("-u")).is_ok_and(|id| id == "0");
    if wanted.is_empty() || !root || find("apt-get").is_none() {
        return;
    }
    eprintln!("installing {}", wanted.join(" "));
    let apt = |words: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(["-q", "-y", "-o", "Dpkg::Use-Pty=0"]).args(words);
        command.env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
        run(&mut command)
    };
    let mut words = vec!["install", "--no-install-recommends"];
    words.extend(&wanted);
    if let Err(reason) = apt(&["update"]).and_then(|()| apt(&words)) {
        eprintln!("{reason}");
    }
}
