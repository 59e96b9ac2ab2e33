//! SSH keys for git: which host gets a key, and which host keys are trusted.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::temp_folder::TempFolder;
use crate::secret::{Origin, Scheme, Secret};

const PORT: u16 = 22;

/// What git runs instead of `ssh`: it refuses to offer the key to other hosts, for example to that of a submodule. Its arguments
/// are options, the host with or without a user, and the remote command.
const COMMAND: &str = r#"own() {
  port=22 next= host=
  for word in "$@"; do
    case $next in
      port) port=$word next=; continue ;;
      option) next=; continue ;;
    esac
    case $word in
      -p) next=port ;;
      -o) next=option ;;
      -*) ;;
      *) host=${word##*@}; break ;;
    esac
  done
  if [ "$host:$port" != "$WINDLASS_SSH_HOST:$WINDLASS_SSH_PORT" ]; then
    echo "the SSH key belongs to $WINDLASS_SSH_HOST:$WINDLASS_SSH_PORT and is not sent to $host:$port" >&2
    exit 1
  fi
  exec ssh -i "$WINDLASS_SSH_KEY" -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes \
    -o "StrictHostKeyChecking=$WINDLASS_SSH_CHECK" -o "UserKnownHostsFile=\"$WINDLASS_SSH_KEY.hosts\"" "$@"
}; own"#;

/// A private key for a repository.
#[derive(Clone, Debug)]
pub struct SshKey {
    pub private: Secret<String>,
    /// The keys of hosts in the format of OpenSSH; others are refused. Without them the key of a host is trusted on first use,
    /// because nobody can confirm it.
    pub known_hosts: Option<String>,
}

/// A private key in a file.
pub(super) struct KeyFile {
    path: PathBuf,
    host: String,
    port: u16,
    is_host_known: bool,
    _folder: TempFolder,
}

impl KeyFile {
    /// Writes the key, for the host of a repository only. A repository that is read by HTTP may have submodules that are read by
    /// SSH from the same host.
    pub(super) fn new(key: &SshKey, url: &str) -> Result<Self, String> {
        let folder = TempFolder::new()?;
        let failed = |error: std::io::Error| format!("cannot write the SSH key: {error}");
        let path = folder.path().join("key");
        write(&path, key.private.expose()).map_err(failed)?;
        let known = key.known_hosts.as_deref().filter(|known| !known.trim().is_empty());
        if let Some(known) = known {
            write(&folder.path().join("key.hosts"), known).map_err(failed)?;
        }
        let origin = Origin::of(url);
        let port = origin.as_ref().filter(|origin| origin.scheme == Scheme::Ssh).map_or(PORT, |origin| origin.port);
        let host = origin.map(|origin| origin.host).unwrap_or_default();
        Ok(Self { path, host, port, is_host_known: known.is_some(), _folder: folder })
    }

    pub(super) fn configure(&self, command: &mut Command) {
        command
            .env("GIT_SSH_COMMAND", COMMAND)
            .env("GIT_SSH_VARIANT", "ssh")
            .env("WINDLASS_SSH_KEY", &self.path)
            .env("WINDLASS_SSH_HOST", &self.host)
            .env("WINDLASS_SSH_PORT", self.port.to_string())
            .env("WINDLASS_SSH_CHECK", if self.is_host_known { "yes" } else { "accept-new" });
    }
}

/// Writes a file that only this user can read, with the trailing newline that ssh requires.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.trim_end().as_bytes())?;
    file.write_all(b"\n")
}
