//! Stored servers with their tokens: one JSON file that only its owner can read. What is given on the command line or by a variable
//! comes first.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use serde::{Deserialize, Serialize};

use crate::api::{Api, Renew, is_same_server};
use crate::device::{Device, SignIn};
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
    /// How the token is renewed, if a person has signed in at an issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sign_in: Option<SignIn>,
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
        Self::read_from(&file(options)?)
    }

    fn read_from(file: &Path) -> Result<Self> {
        match std::fs::read_to_string(file) {
            Ok(text) => {
                serde_json::from_str(&text).map_err(|error| Failure::Refused(format!("{}: {error}", file.display())))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Failure::Refused(format!("{}: {error}", file.display()))),
        }
    }

    pub(crate) fn write(&self, options: &Options) -> Result<()> {
        self.write_to(&file(options)?)
    }

    /// Replaces the file as a whole, so that it is never half-written.
    fn write_to(&self, file: &Path) -> Result<()> {
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
        std::fs::rename(&new, file).map_err(refused)
    }
}

/// The context that these options mean, with its name.
fn chosen(options: &Options) -> Result<Option<(String, Context)>> {
    if options.context.is_none() && options.url.is_some() && options.token.is_some() {
        return Ok(None);
    }
    let mut stored = Contexts::read(options)?;
    match (&options.context, stored.current.clone()) {
        (Some(name), _) => match stored.contexts.remove(name) {
            Some(context) => Ok(Some((name.clone(), context))),
            None => Err(Failure::NotFound(format!("there is no context {name}; `windlass context list` shows them"))),
        },
        (None, Some(current)) => Ok(stored.contexts.remove(&current).map(|context| (current, context))),
        (None, None) => Ok(None),
    }
}

/// The sign-in of a stored context.
struct StoredSignIn {
    file: PathBuf,
    name: String,
}

impl StoredSignIn {
    /// The token, renewed if it is not valid. A refresh token may be used only once: commands that run at the same time take turns, and
    /// use what the first of them has got.
    async fn token(&self, is_valid: impl Fn(&str, &SignIn) -> bool) -> Result<String> {
        let path = self.file.with_extension("lock");
        let refused = |error: std::io::Error| Failure::Refused(format!("{}: {error}", path.display()));
        let lock = std::fs::OpenOptions::new().create(true).append(true).open(&path).map_err(refused)?;
        let turn = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await;
        let _turn = turn.map_err(|error| Failure::Refused(error.to_string()))?.map_err(refused)?;
        let mut stored = Contexts::read_from(&self.file)?;
        let gone = || Failure::NotFound(format!("the context {} is gone", self.name));
        let Context { token, sign_in, .. } = stored.contexts.get_mut(&self.name).ok_or_else(gone)?;
        let Some(sign_in) = sign_in.as_mut().filter(|sign_in| !is_valid(token, sign_in)) else {
            return Ok(token.clone());
        };
        let tokens = Device::new()?.refreshed(sign_in).await?;
        let missing =
            || Failure::NotSignedIn("the issuer has sent no token: run `windlass login --device` again".into());
        tokens.get(sign_in.uses).ok_or_else(missing)?.clone_into(token);
        sign_in.expires_at = tokens.end(sign_in.uses, crate::times::now());
        sign_in.refresh_token = tokens.refresh_token.or(sign_in.refresh_token.take());
        let token = token.clone();
        stored.write_to(&self.file)?;
        Ok(token)
    }
}

impl Renew for StoredSignIn {
    fn renewed<'a>(&'a self, refused: &'a str) -> Pin<Box<dyn Future<Output = Result<String>> + 'a>> {
        Box::pin(self.token(move |token, _| token != refused))
    }
}

/// The server, and the organization by name or id if one is named.
pub(crate) async fn connect(options: &Options) -> Result<(Api, Option<String>)> {
    let context = chosen(options)?;
    let of_context = |get: fn(&Context) -> Option<String>| context.as_ref().and_then(|(_, context)| get(context));
    let stored_url = of_context(|context| Some(context.url.clone()));
    // A token belongs to its server: it is not sent to another one.
    let is_same = options
        .url
        .as_ref()
        .is_none_or(|url| stored_url.as_ref().is_some_and(|stored_url| is_same_server(url, stored_url)));
    let mut renewal = None;
    let token = match (&options.token, &context) {
        (Some(token), _) => Some(token.clone()),
        (None, Some((name, Context { token, sign_in: Some(sign_in), .. }))) if is_same => {
            let now = crate::times::now();
            let stored = StoredSignIn { file: file(options)?, name: name.clone() };
            let is_over = sign_in.is_over(now);
            let token = if is_over { stored.token(|_, stored| !stored.is_over(now)).await? } else { token.clone() };
            renewal = Some(stored);
            Some(token)
        }
        (None, Some((_, context))) if is_same => Some(context.token.clone()),
        (None, _) => None,
    };
    let token = token
        .filter(|token| !token.is_empty())
        .ok_or_else(|| Failure::NotSignedIn("there is no token: set WINDLASS_TOKEN, or run `windlass login`".into()))?;
    let url = options.url.clone().or(stored_url).unwrap_or_else(|| DEFAULT_URL.into());
    let organization =
        options.organization.clone().or_else(|| of_context(|context| context.organization.clone()).filter(|_| is_same));
    let api = Api::new(&url, token)?;
    let api = match renewal {
        Some(renewal) => api.renewed_by(renewal),
        None => api,
    };
    Ok((api, organization))
}

/// The address of the server, for commands that need no token.
pub(crate) fn url(options: &Options) -> Result<String> {
    match &options.url {
        Some(url) => Ok(url.clone()),
        None => Ok(chosen(options)?.map_or_else(|| DEFAULT_URL.into(), |(_, context)| context.url)),
    }
}

/// The address for a new context.
pub(crate) fn new_url(options: &Options) -> String {
    options.url.clone().unwrap_or_else(|| DEFAULT_URL.into())
}
