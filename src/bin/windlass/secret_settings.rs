//! Takes the secret settings out of the environment of this process: root can read the environment of every process, and so could the
//! jobs of a server that runs as root.
//!
//! The program replaces itself by itself, without these variables; their values come through a pipe.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use windlass::config::{AGENT_TOKEN, secret_variables};
use zeroize::Zeroizing;

/// Says that secret settings are on standard input.
const ON_INPUT: &str = "WINDLASS_SECRET_SETTINGS_ON_INPUT";

/// What fits into a pipe without a reader.
const MOST_BYTES: usize = 32 * 1024;

/// The words of the command line, with the secret settings as flags. On the first call, this may replace the program.
pub(super) fn words() -> Vec<OsString> {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    if std::env::vars_os().any(|(name, _)| name == ON_INPUT) {
        let mut settings = Zeroizing::new(Vec::new());
        // What cannot be read is missing, and is noticed as such.
        let _read = std::io::stdin().take(MOST_BYTES as u64).read_to_end(&mut settings);
        let flags = settings.split(|byte| *byte == 0).filter(|flag| !flag.is_empty());
        words.extend(flags.map(|flag| OsString::from_vec(flag.to_vec())));
        return words;
    }
    let mut secret = secret_variables();
    // Only an agent has this flag.
    if words.get(1).is_some_and(|word| word == "agent") {
        secret.push(AGENT_TOKEN.into());
    }
    let mut settings = Zeroizing::new(Vec::new());
    for (name, value) in std::env::vars_os() {
        let Some(name) = name.to_str().filter(|_| secret.contains(&name)) else { continue };
        let flag = format!("--{}", name.trim_start_matches("WINDLASS_").to_lowercase().replace('_', "-"));
        // A flag takes precedence.
        if words.iter().any(|word| is_flag(&word.to_string_lossy(), &flag)) {
            continue;
        }
        settings.extend_from_slice(flag.as_bytes());
        settings.push(b'=');
        settings.extend_from_slice(value.as_bytes());
        settings.push(0);
    }
    if !settings.is_empty() && settings.len() <= MOST_BYTES {
        // If that fails, the settings stay where they are.
        let _failed = replace(&words, &settings, &secret);
    }
    words
}

/// Whether a word of the command line gives the value of a flag. That of an agent's token has a shorter name, too.
fn is_flag(word: &str, flag: &str) -> bool {
    let name = word.split('=').next().unwrap_or_default();
    name == flag || (flag == "--agent-token" && (name == "--token" || name == "--token-file"))
}

/// Replaces this program. Returns only if that fails.
fn replace(words: &[OsString], settings: &[u8], secret: &[OsString]) -> std::io::Result<()> {
    let (reader, mut writer) = std::io::pipe()?;
    writer.write_all(settings)?;
    drop(writer);
    let own = std::env::current_exe().ok().filter(|path| path.exists());
    let mut command = Command::new(own.unwrap_or_else(|| PathBuf::from("/proc/self/exe")));
    if let Some((name, rest)) = words.split_first() {
        command.arg0(name).args(rest);
    }
    for variable in secret {
        command.env_remove(variable);
    }
    Err(command.env(ON_INPUT, "yes").stdin(Stdio::from(reader)).exec())
}
