//! The user that a process runs as, if it is another one than that of the server.

use std::path::Path;

use rustix::process::geteuid;

/// Where the users of this machine are.
const USERS: &str = "/etc/passwd";

/// A user of this machine and its main group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) user: u32,
    pub(super) group: u32,
}

/// Checks the user of all steps that name none.
///
/// # Errors
/// Why the server cannot start processes as this user.
pub fn check_default_user(name: &str) -> Result<(), String> {
    let found = Account::find(name)?;
    if !geteuid().is_root() {
        return Err("needs a server that runs as root".to_owned());
    }
    if found.user == 0 { Err("must not be root".to_owned()) } else { Ok(()) }
}

/// Whether the processes of steps that name no user run as root.
#[must_use]
pub fn runs_as_root() -> bool {
    geteuid().is_root()
}

impl Account {
    /// The account of a step; none if it is that of the server. `default` is that of steps that name none. Where there is one, a step
    /// cannot get back to root.
    pub(super) fn choose(default: Option<&str>, wanted: Option<&str>) -> Result<Option<Self>, String> {
        let Some(name) = wanted.or(default) else { return Ok(None) };
        let found = Self::find(name).map_err(|reason| format!("process.user: {reason}"))?;
        let is_server = found.user == 0 || found.user == geteuid().as_raw();
        if default.is_some() && is_server {
            return Err(format!("process.user: {name} must not be the user of the server, which has --process-user"));
        }
        Ok(Some(found))
    }

    /// The account with a name or an id.
    pub(super) fn find(name: &str) -> Result<Self, String> {
        let users = std::fs::read_to_string(USERS).map_err(|error| format!("cannot read {USERS}: {error}"))?;
        find_in(&users, name).ok_or_else(|| format!("{name:?} is not a user of this machine"))
    }

    /// Gives the user everything in the folder of a run, and lets nobody else enter it.
    pub(super) fn take(self, folder: &Path) -> Result<(), String> {
        use std::os::unix::fs::PermissionsExt as _;
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::PermissionDenied => {
                "only a server that runs as root may start other users' processes".to_owned()
            }
            _ => format!("cannot give {} to the user: {error}", folder.display()),
        };
        self.take_all(folder).map_err(failed)?;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).map_err(failed)
    }

    fn take_all(self, path: &Path) -> std::io::Result<()> {
        std::os::unix::fs::lchown(path, Some(self.user), Some(self.group))?;
        if std::fs::symlink_metadata(path)?.is_dir() {
            for entry in std::fs::read_dir(path)? {
                self.take_all(&entry?.path())?;
            }
        }
        Ok(())
    }
}

fn find_in(users: &str, name: &str) -> Option<Account> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (known, _, user, group) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let found = known == name || user == name;
        found.then(|| Some(Account { user: user.parse().ok()?, group: group.parse().ok()? }))?
    })
}

#[cfg(test)]
mod tests {
    use super::{Account, find_in};

    #[test]
    fn users_have_a_name_and_an_id() {
        let users = "root:x:0:0:root:/root:/bin/sh\nbroken\nnobody:x:65534:65533:nobody:/:/bin/false\n";
        let nobody = Some(Account { user: 65_534, group: 65_533 });
        assert_eq!((find_in(users, "nobody"), find_in(users, "65534")), (nobody, nobody));
        assert_eq!(find_in(users, "root"), Some(Account { user: 0, group: 0 }));
        assert_eq!((find_in(users, "x"), find_in(users, "")), (None, None));
    }
}
