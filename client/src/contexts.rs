//! Stored servers with their tokens: one JSON file that only its owner can read. What is given on the command line or by a variable
//! comes first.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::api::Api;
use crate::failure::{Failure, Result};
use crate::options::Options;

const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// A server and who is signed in there.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Context {
    pub(crate) url: String,
    pub(crate) token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) organization: Option<String>,
}

/// The file of all contexts.
#[derive(Default, Deserialize, Serialize)]
pub(crate) struct Contexts {
    /// The one that is used if none is named.
    #[serde(default)]
    pub(crate) current: Option<String>,
    #[serde(default)]
    pub(crate) contexts: BTreeMap<String, Context>,
}

/// Where the contexts are stored.
fn file(options: &Options) -> Result<PathBuf> {
    let folder = options.config_folder.clone();
    let folder = folder.or_else(|| options.xdg_config_home.as_ref().map(|folder| folder.join("windlass")));
    let folder = folder.or_else(|| options.home.as_ref().map(|home| home.join(".config/windlass")));
    let folder = folder.ok_or_else(|| Failure::Usage("there is no HOME: set WINDLASS_CONFIG_FOLDER".into()))?;
    Ok(folder.join("contexts.json"))
}

impl Contexts {
    pub(crate) fn read(options: &Options) -> Result<Self> {
        let file = file(options)?;
        match std::fs::read_to_string(&file) {
            Ok(text) => {
                serde_json::from_str(&text).map_err(|error| Failure::Refused(format!("{}: {error}", file.display())))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Failure::Refused(format!("{}: {error}", file.display()))),
        }
    }

    /// Replaces the file as a whole, so that it is never half-written.
    pub(crate) fn write(&self, options: &Options) -> Result<()> {
        let file = file(options)?;
        let refused = |error: std::io::Error| Failure::Refused(format!("{}: {error}", file.display()));
        let text = serde_json::to_string_pretty(self).map_err(|error| Failure::Refused(error.to_string()))?;
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).map_err(refused)?;
        }
        let new = file.with_extension("json.new");
        // A file that an earlier attempt left may have other permissions.
        let _removed = std::fs::remove_file(&new);
        let mut open = std::fs::OpenOptions::new();
        open.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut open, 0o600);
        let mut opened = open.open(&new).map_err(refused)?;
        opened.write_all(text.as_bytes()).and_then(|()| opened.sync_all()).map_err(refused)?;
        std::fs::rename(&new, &file).map_err(refused)
    }
}

/// The context that these options mean.
fn chosen(options: &Options) -> Result<Option<Context>> {
    if options.context.is_none() && options.url.is_some() && options.token.is_some() {
        return Ok(None);
    }
    let mut stored = Contexts::read(options)?;
    match (&options.context, stored.current.clone()) {
        (Some(name), _) => match stored.contexts.remove(name) {
            Some(context) => Ok(Some(context)),
            None => Err(Failure::NotFound(format!("there is no context {name}; `windlass context list` shows them"))),
        },
        (None, Some(current)) => Ok(stored.contexts.remove(&current)),
        (None, None) => Ok(None),
    }
}

/// The server, and the organization by name or id if one is named.
pub(crate) fn connect(options: &Options) -> Result<(Api, Option<String>)> {
    let context = chosen(options)?;
    let of_context = |get: fn(&Context) -> Option<String>| context.as_ref().and_then(get);
    let stored_url = of_context(|context| Some(context.url.clone()));
    // A token belongs to its server: it is not sent to another one.
    let is_same = options.url.is_none() || options.url == stored_url;
    let token = options.token.clone().or_else(|| of_context(|context| Some(context.token.clone())).filter(|_| is_same));
    let token = token
        .filter(|token| !token.is_empty())
        .ok_or_else(|| Failure::NotSignedIn("there is no token: set WINDLASS_TOKEN, or run `windlass login`".into()))?;
    let url = options.url.clone().or(stored_url).unwrap_or_else(|| DEFAULT_URL.into());
    let organization =
        options.organization.clone().or_else(|| of_context(|context| context.organization.clone()).filter(|_| is_same));
    Ok((Api::new(&url, token)?, organization))
}

/// The address for a new context.
pub(crate) fn url(options: &Options) -> String {
    options.url.clone().unwrap_or_else(|| DEFAULT_URL.into())
}
