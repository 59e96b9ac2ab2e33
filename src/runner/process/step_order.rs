//! Pure: a step to start, in the form in which the server sends it to a supervisor: texts, each terminated by a NUL.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use zeroize::Zeroizing;

/// A step to start.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Order {
    /// The name of the step.
    pub(super) name: String,
    /// The user and the group of the step, if they are not those of the server.
    pub(super) account: Option<(u32, u32)>,
    pub(super) folder: PathBuf,
    pub(super) environment: Vec<(OsString, OsString)>,
    /// The program and its arguments.
    pub(super) command: Vec<OsString>,
}

impl Order {
    /// The bytes that `parse` reads. They are wiped when dropped: the environment contains secrets.
    ///
    /// # Errors
    /// A text contains a NUL, which no argument and no variable of a process can.
    pub(super) fn encode(&self) -> Result<Zeroizing<Vec<u8>>, String> {
        let account = self.account.map_or_else(|| "-".to_owned(), |(user, group)| format!("{user}:{group}"));
        let count = self.environment.len().to_string();
        let head = [OsStr::new(&self.name), OsStr::new(&account), self.folder.as_os_str(), OsStr::new(&count)];
        let variables = self.environment.iter().flat_map(|(name, value)| [name.as_os_str(), value.as_os_str()]);
        let fields: Vec<&OsStr> =
            head.into_iter().chain(variables).chain(self.command.iter().map(|word| &**word)).collect();
        // At once in its final size, so that no copy of a secret is left behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(fields.iter().map(|field| field.len() + 1).sum()));
        for field in fields {
            if field.as_bytes().contains(&0) {
                return Err("an argument or a variable contains the character NUL".to_owned());
            }
            bytes.extend_from_slice(field.as_bytes());
            bytes.push(0);
        }
        Ok(bytes)
    }

    /// Reads what `encode` has written; nothing if it is not that.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut fields = bytes.strip_suffix(&[0])?.split(|byte| *byte == 0).map(OsStr::from_bytes);
        let mut text = || fields.next()?.to_str();
        let name = text()?.to_owned();
        let account = match text()? {
            "-" => None,
            account => {
                let (user, group) = account.split_once(':')?;
                Some((user.parse().ok()?, group.parse().ok()?))
            }
        };
        let folder = PathBuf::from(fields.next()?);
        let count: usize = fields.next()?.to_str()?.parse().ok()?;
        let environment = (0..count).map(|_| Some((fields.next()?.to_owned(), fields.next()?.to_owned())));
        let environment = environment.collect::<Option<_>>()?;
        Some(Self { name, account, folder, environment, command: fields.map(OsStr::to_owned).collect() })
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;

    use super::Order;

    #[test]
    fn what_is_written_is_read() {
        for account in [None, Some((1000, 100))] {
            let order = Order {
                name: "step".into(),
                account,
                folder: "/some where".into(),
                environment: vec![("EMPTY".into(), "".into()), ("A".into(), OsString::from_vec(vec![0xFF, b'\n']))],
                command: vec!["sh".into(), "".into(), "two words".into()],
            };
            assert_eq!(Order::parse(&order.encode().unwrap()), Some(order));
        }
    }

    #[test]
    fn what_no_process_can_get_is_refused() {
        let order = Order {
            name: "step".into(),
            account: None,
            folder: "/".into(),
            environment: Vec::new(),
            command: vec!["a\0b".into()],
        };
        assert!(order.encode().unwrap_err().contains("NUL"));
        for wrong in [&b""[..], b"step\0", b"step\0-\0/\0two\0", b"step\0-\0/\x002\0A\0b\0", b"step\x001\0/\x000\0"] {
            assert_eq!(Order::parse(wrong), None, "{wrong:?}");
        }
    }
}
