//! Where the keys of the server come from: a file, a variable of its environment, or a command.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use zeroize::Zeroizing;

use super::key_ring::KeyRing;
use super::redacted::Secret;
use crate::error::{Error, Result};

/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most bytes that a command may write.
const MOST_BYTES: u64 = 64 * 1024;
/// How much of its error output is shown, in bytes.
const SHOWN_BYTES: u64 = 500;

/// Where the keys come from.
#[derive(Clone, Debug)]
pub enum KeySource {
    File(PathBuf),
    /// Keys, separated by commas or white space.
    Keys(Secret<String>),
    /// A program and its arguments, separated by spaces. It writes one key per line, and does not get these variables.
    Command(String, Vec<OsString>),
}

impl KeySource {
    /// The name of the source in messages.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => format!("the key file {}", path.display()),
            Self::Keys(_) => "the setting --secret-keys (WINDLASS_SECRET_KEYS)".to_owned(),
            Self::Command(command, _) => {
                format!("the output of the key command {}", command.split_whitespace().next().unwrap_or_default())
            }
        }
    }

    /// Reads the keys. Creates a missing key file.
    ///
    /// # Errors
    /// When the keys cannot be read, or one of them is invalid.
    pub async fn load(&self) -> Result<KeyRing> {
        match self {
            Self::File(path) => KeyRing::load_or_create(path),
            Self::Keys(_) | Self::Command(..) => KeyRing::parse(&self.read().await?, &self.name()),
        }
    }

    /// Reads the text of the keys, one per line. Creates and changes nothing.
    ///
    /// # Errors
    /// When the keys cannot be read.
    pub async fn read(&self) -> Result<Zeroizing<String>> {
        match self {
            Self::File(path) => {
                let text = std::fs::read_to_string(path);
                text.map(Zeroizing::new)
                    .map_err(|error| Error::internal(format!("cannot read the key file {}: {error}", path.display())))
            }
            Self::Keys(keys) => Ok(Zeroizing::new(keys.expose().replace([',', ' ', '\t'], "\n"))),
            Self::Command(command, hidden) => output(command, hidden).await,
        }
    }
}

/// What a command writes. No shell is involved.
async fn output(command: &str, hidden: &[OsString]) -> Result<Zeroizing<String>> {
    let mut words = command.split_whitespace();
    let program = words.next().ok_or_else(|| Error::internal("--secret-key-command names no program"))?;
    let failed = |what: &str| Error::internal(format!("the key command {program} {what}"));
    let mut prepared = Command::new(program);
    for variable in hidden {
        prepared.env_remove(variable);
    }
    let started =
        prepared.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = started.spawn().map_err(|error| failed(&format!("could not be started: {error}")))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let all = async {
        let (keys, errors) = tokio::join!(read(stdout, MOST_BYTES + 1), read(stderr, SHOWN_BYTES));
        if keys.len() as u64 > MOST_BYTES {
            return Err(failed(&format!("wrote more than {} KiB", MOST_BYTES / 1024)));
        }
        let status = child.wait().await.map_err(|error| failed(&format!("could not be observed: {error}")))?;
        Ok((keys, errors, status))
    };
    let (keys, errors, status) = tokio::time::timeout(PATIENCE, all)
        .await
        .map_err(|_| failed(&format!("did not end within {} s", PATIENCE.as_secs())))??;
    if !status.success() {
        let errors = String::from_utf8_lossy(&errors);
        return Err(failed(&format!("failed ({status}): {}", errors.trim())));
    }
    let text = std::str::from_utf8(&keys).map_err(|_| failed("wrote something that is not text"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Reads up to `most` bytes. What follows is read too, so that the program can end, but up to the same limit again.
async fn read(from: Option<impl AsyncRead + Unpin>, most: u64) -> Zeroizing<Vec<u8>> {
    let mut found = Zeroizing::new(Vec::new());
    let Some(mut from) = from else { return found };
    // What could not be read is missing, and is noticed as such.
    let _read = (&mut from).take(most).read_to_end(&mut found).await;
    let _rest = tokio::io::copy(&mut from.take(MOST_BYTES), &mut tokio::io::sink()).await;
    found
}

#[cfg(test)]
mod tests {
    use super::{KeySource, Secret};
    use crate::error::Error;

    const KEY: &str = "1111111111111111111111111111111111111111111111111111111111111111";

    async fn load(source: &KeySource) -> Result<Vec<String>, String> {
        match source.load().await {
            Ok(keys) => Ok(keys.fingerprints()),
            Err(Error::Internal(source)) => Err(source.to_string()),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn keys_come_from_a_variable_or_a_command() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        std::fs::write(&path, format!("{KEY}\n\n{}\n", KEY.replace('1', "2"))).unwrap();
        let expected = load(&KeySource::File(path.clone())).await.unwrap();
        let keys = format!("{KEY}, {}", KEY.replace('1', "2"));
        assert_eq!(load(&KeySource::Keys(Secret::new(keys))).await.unwrap(), expected);
        assert_eq!(load(&KeySource::Command(format!("cat {}", path.display()), Vec::new())).await.unwrap(), expected);
    }

    #[tokio::test]
    async fn what_is_wrong_is_told_without_the_keys() {
        let folder = tempfile::tempdir().unwrap();
        let script = |text: &str| {
            let path = folder.path().join(format!("{}.sh", uuid::Uuid::now_v7()));
            std::fs::write(&path, text).unwrap();
            KeySource::Command(format!("sh {}", path.display()), Vec::new())
        };
        for (source, expected) in [
            (KeySource::Keys(Secret::new("abc".into())), "every key in the setting --secret-keys"),
            (KeySource::Command("/no/such --flag".into(), Vec::new()), "the key command /no/such could not be started"),
            (KeySource::Command(" ".into(), Vec::new()), "--secret-key-command names no program"),
            (script("echo sealed >&2; exit 3"), "the key command sh failed (exit status: 3): sealed"),
            (script("head -c 70000 /dev/zero"), "the key command sh wrote more than 64 KiB"),
            (script("echo 12345"), "every key in the output of the key command sh must have 64 hexadecimal digits"),
            (script(":"), "every key in the output of the key command sh must have 64 hexadecimal digits"),
        ] {
            let error = load(&source).await.unwrap_err();
            assert!(error.starts_with(expected) && !error.contains("12345"), "{error}");
        }
    }
}
