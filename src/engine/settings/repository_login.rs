//! VCS connections and SSH keys, with which the repositories of workspaces are read. Both belong to a host: whoever gives them to another
//! one must give the secrets again. Callers have checked that the requester may manage them.

use chrono::{DateTime, Utc};
use entity::id::{OrganizationId, SshKeyId, VcsId};
use entity::{ssh_key, vcs};
use sea_orm::ConnectionTrait;

use crate::app::App;
use crate::engine::faults::Faults;
use crate::engine::workspace_definition::{DESCRIPTION, NAME};
use crate::error::{Error, Result};
use crate::input::Refusal;
use crate::secret::stored_binding::{of_ssh_key, vcs_host};
use crate::secret::{self, Origin, Scheme, Secret, has_secret, moves};
use crate::store;
use crate::store::workspace::Login;

/// How many workspaces an error names.
const NAMED: u64 = 5;
/// The longest texts, in characters.
const CLIENT_ID: usize = 256;
const URL: usize = 2048;
const KEY: usize = 64 * 1024;
/// The kinds of connections and keys.
pub const VCS_TYPES: [&str; 6] = ["PUBLIC", "GITHUB", "GITLAB", "BITBUCKET", "AZURE_DEVOPS", "AZURE_SP_MI"];
pub const CONNECTION_TYPES: [&str; 2] = ["OAUTH", "STANDALONE"];
pub const KEY_TYPES: [&str; 2] = ["rsa", "ed25519"];

/// What becomes of a stored secret.
pub enum SecretChange {
    Keep,
    Remove,
    Set(Secret<String>),
}

/// A VCS connection as somebody wants it. The names of its fields are those of the API.
pub struct WantedVcs {
    pub name: String,
    pub description: Option<String>,
    pub vcs_type: String,
    pub connection_type: String,
    pub client_id: Option<String>,
    pub client_secret: SecretChange,
    pub access_token: SecretChange,
    pub private_key: SecretChange,
    pub endpoint: Option<String>,
    pub api_url: Option<String>,
    pub redirect_url: Option<String>,
}

/// An SSH key as somebody wants it.
pub struct WantedSshKey {
    pub name: String,
    pub description: Option<String>,
    pub ssh_type: String,
    /// None keeps the stored key.
    pub private_key: Option<Secret<String>>,
    pub known_hosts: Option<String>,
}

/// Whether a connection would get another host with this type and this endpoint.
///
/// # Errors
/// The secret that would go to the other host, and has to be given again: `is_given` knows which are, by the names of the API.
pub fn check_host(
    stored: &vcs::Model,
    (vcs_type, endpoint): (&str, Option<&str>),
    is_given: impl Fn(&str) -> bool,
) -> Result<bool, Refusal> {
    if vcs_host(&stored.vcs_type, stored.endpoint.as_deref()) == vcs_host(vcs_type, endpoint) {
        return Ok(false);
    }
    let secrets = [
        ("accessToken", &stored.access_token),
        ("clientSecret", &stored.client_secret),
        ("privateKey", &stored.private_key),
    ];
    match secrets.into_iter().find(|(name, secret)| secret.is_some() && !is_given(name)) {
        Some((name, _)) => Err(Refusal {
            field: name.to_owned(),
            message: "must be given again, because endpoint or vcsType has another host".to_owned(),
        }),
        None => Ok(true),
    }
}

/// Whether a stored key would be sent to another host with these known hosts.
#[must_use]
pub fn is_sent_elsewhere(stored: &ssh_key::Model, known_hosts: Option<String>) -> bool {
    if known_hosts == stored.known_hosts {
        return false;
    }
    let before = of_ssh_key(stored, None);
    let had_none = stored.known_hosts.is_none();
    let is_unbound = had_none && before.origins.is_empty();
    // Whatever is compared by `ssh` only is another host.
    let elsewhere = Origin { scheme: Scheme::Ssh, host: String::new(), port: 0 };
    let named = of_ssh_key(&ssh_key::Model { known_hosts, ..stored.clone() }, Some(&elsewhere));
    !(is_unbound || had_none && !moves(&before, &named))
}

/// Rejects the deletion of a VCS connection or an SSH key that a workspace or a module uses. `kind` is its name in the API.
///
/// # Errors
/// `Conflict` with the names of workspaces or modules; database errors.
pub async fn refuse_used(tx: &impl ConnectionTrait, login: Login, kind: &str) -> Result<()> {
    let workspaces = store::workspace::users_of_login(tx, login, NAMED + 1).await?;
    refuse_users(kind, "workspaces", workspaces)?;
    let modules = store::private_registry::modules_of_login(tx, login, NAMED + 1).await?;
    refuse_users(kind, "modules", modules)
}

fn refuse_users(kind: &str, users: &str, mut names: Vec<String>) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    if names.len() as u64 > NAMED {
        names.truncate(NAMED as usize);
        names.push("others".into());
    }
    Err(Error::Conflict(format!("{kind} is used by the {users} {}; remove it from them first", names.join(", "))))
}

fn check_name(faults: &mut Faults, name: &str, description: Option<&str>) {
    if name.trim().is_empty() {
        faults.refuse("name", "must not be empty");
    }
    check_length(faults, "name", Some(name), NAME);
    check_length(faults, "description", description, DESCRIPTION);
}

fn check_length(faults: &mut Faults, field: &str, text: Option<&str>, most: usize) {
    if text.is_some_and(|text| text.chars().count() > most) {
        faults.refuse(field, format!("must have at most {most} characters"));
    }
}

fn check_choice(faults: &mut Faults, field: &str, text: &str, of: &[&str]) {
    if !of.contains(&text) {
        faults.refuse(field, format!("must be one of {}", of.join(", ")));
    }
}

impl WantedVcs {
    fn check(&self) -> Result<()> {
        let mut faults = Faults::default();
        check_name(&mut faults, &self.name, self.description.as_deref());
        check_choice(&mut faults, "vcsType", &self.vcs_type, &VCS_TYPES);
        check_choice(&mut faults, "connectionType", &self.connection_type, &CONNECTION_TYPES);
        check_length(&mut faults, "clientId", self.client_id.as_deref(), CLIENT_ID);
        for (field, url) in
            [("endpoint", &self.endpoint), ("apiUrl", &self.api_url), ("redirectUrl", &self.redirect_url)]
        {
            check_length(&mut faults, field, url.as_deref(), URL);
            if url.as_deref().is_some_and(has_secret) {
                let text = "must not contain a password or a token: they belong into accessToken or clientSecret";
                faults.refuse(field, text);
            }
        }
        for (field, secret) in [
            ("accessToken", &self.access_token),
            ("clientSecret", &self.client_secret),
            ("privateKey", &self.private_key),
        ] {
            if let SecretChange::Set(text) = secret {
                check_length(&mut faults, field, Some(text.expose()), KEY);
            }
        }
        faults.result()
    }

    /// Writes what is wanted to a row. Secrets that are kept belong to its host.
    fn write(&self, app: &App, row: vcs::Model) -> Result<vcs::Model> {
        let is_given = |name: &str| match name {
            "accessToken" => !matches!(self.access_token, SecretChange::Keep),
            "clientSecret" => !matches!(self.client_secret, SecretChange::Keep),
            _ => !matches!(self.private_key, SecretChange::Keep),
        };
        let moved = check_host(&row, (&self.vcs_type, self.endpoint.as_deref()), is_given)?;
        let place = secret::place("vcs", row.id.0);
        let sealed = |change: &SecretChange, stored: Option<Vec<u8>>| match change {
            SecretChange::Keep => Ok(stored),
            SecretChange::Remove => Ok(None),
            SecretChange::Set(text) => app.keys.seal(&place, text.expose().as_bytes()).map(Some),
        };
        Ok(vcs::Model {
            name: self.name.clone(),
            description: self.description.clone(),
            vcs_type: self.vcs_type.clone(),
            connection_type: self.connection_type.clone(),
            client_id: self.client_id.clone(),
            client_secret: sealed(&self.client_secret, row.client_secret)?,
            access_token: sealed(&self.access_token, row.access_token)?,
            private_key: sealed(&self.private_key, row.private_key)?,
            endpoint: self.endpoint.clone(),
            api_url: self.api_url.clone(),
            redirect_url: self.redirect_url.clone(),
            earlier_urls: row.earlier_urls.filter(|_| !moved),
            ..row
        })
    }
}

fn empty_vcs(by: &str, organization: OrganizationId, now: DateTime<Utc>) -> vcs::Model {
    vcs::Model {
        id: VcsId::create(),
        organization_id: organization,
        created_at: now,
        updated_at: now,
        created_by: by.to_owned(),
        updated_by: by.to_owned(),
        name: String::new(),
        description: None,
        vcs_type: String::new(),
        connection_type: String::new(),
        client_id: None,
        client_secret: None,
        access_token: None,
        private_key: None,
        endpoint: None,
        api_url: None,
        redirect_url: None,
        status: "PENDING".to_owned(),
        earlier_urls: None,
    }
}

fn empty_ssh_key(by: &str, organization: OrganizationId, now: DateTime<Utc>) -> ssh_key::Model {
    ssh_key::Model {
        id: SshKeyId::create(),
        organization_id: organization,
        created_at: now,
        updated_at: now,
        created_by: by.to_owned(),
        updated_by: by.to_owned(),
        name: String::new(),
        description: None,
        ssh_type: String::new(),
        private_key: None,
        known_hosts: None,
        bound_urls: None,
    }
}

/// Stores a VCS connection: a new one, or `old` with other values.
///
/// # Errors
/// `Invalid` with all faults; `Conflict` if the name is taken; database errors.
pub async fn save_vcs(
    app: &App,
    by: &str,
    organization: OrganizationId,
    old: Option<vcs::Model>,
    wanted: WantedVcs,
) -> Result<()> {
    wanted.check()?;
    let (now, old) = (app.clock.now(), old.map(|old| old.id));
    let taken = format!("the organization already has a VCS connection {}", wanted.name);
    store::write(&app.db, async |tx| {
        let edit = |row: vcs::Model| {
            // A new one has no secrets that could belong to another host.
            let row = wanted.write(app, row)?;
            Ok(vcs::Model { updated_at: now, updated_by: by.to_owned(), ..row })
        };
        let row = (old, empty_vcs(by, organization, now));
        let saved = store::row::save(tx, row, edit, |error| Error::or_taken(error, taken)).await?;
        saved.map(drop).ok_or(Error::NotFound("VCS connection"))
    })
    .await
}

/// Stores an SSH key: a new one, or `old` with other values.
///
/// # Errors
/// `Invalid` with all faults; `Conflict` if the name is taken; database errors.
pub async fn save_ssh_key(
    app: &App,
    by: &str,
    organization: OrganizationId,
    old: Option<ssh_key::Model>,
    wanted: WantedSshKey,
) -> Result<()> {
    let WantedSshKey { name, description, ssh_type, private_key, known_hosts } = wanted;
    let mut faults = Faults::default();
    check_name(&mut faults, &name, description.as_deref());
    check_choice(&mut faults, "sshType", &ssh_type, &KEY_TYPES);
    check_length(&mut faults, "privateKey", private_key.as_ref().map(|text| text.expose().as_str()), KEY);
    check_length(&mut faults, "knownHosts", known_hosts.as_deref(), KEY);
    match (&private_key, &old) {
        (None, None) => faults.refuse("privateKey", "must not be empty"),
        (None, Some(old)) if is_sent_elsewhere(old, known_hosts.clone()) => {
            faults.refuse("privateKey", "must be given again, because knownHosts changes");
        }
        _ => {}
    }
    faults.result()?;
    let (now, old) = (app.clock.now(), old.map(|old| old.id));
    let taken = format!("the organization already has an SSH key {name}");
    store::write(&app.db, async |tx| {
        let edit = |row: ssh_key::Model| {
            let (private_key, bound_urls) = match private_key {
                Some(text) => {
                    let sealed = app.keys.seal(&secret::place("ssh_key", row.id.0), text.expose().as_bytes())?;
                    // A new key belongs to no host yet.
                    (Some(sealed), None)
                }
                // A step that used the key meanwhile has bound it to its host.
                None if is_sent_elsewhere(&row, known_hosts.clone()) => {
                    return Err(Error::invalid("privateKey", "must be given again, because knownHosts changes"));
                }
                None => (row.private_key, row.bound_urls),
            };
            let (updated_at, updated_by) = (now, by.to_owned());
            let row = ssh_key::Model { updated_at, updated_by, private_key, bound_urls, ..row };
            Ok(ssh_key::Model { name, description, ssh_type, known_hosts, ..row })
        };
        let row = (old, empty_ssh_key(by, organization, now));
        let saved = store::row::save(tx, row, edit, |error| Error::or_taken(error, taken)).await?;
        saved.map(drop).ok_or(Error::NotFound("SSH key"))
    })
    .await
}

/// Deletes a VCS connection.
///
/// # Errors
/// `Conflict` if a workspace uses it; database errors.
pub async fn delete_vcs(app: &App, row: vcs::Model) -> Result<()> {
    store::write(&app.db, async |tx| {
        refuse_used(tx, Login::Vcs(row.id), "vcs").await?;
        store::row::delete::<vcs::Model>(tx, row.id).await.map(drop).map_err(Error::from)
    })
    .await
}

/// Deletes an SSH key.
///
/// # Errors
/// `Conflict` if a workspace uses it; database errors.
pub async fn delete_ssh_key(app: &App, row: ssh_key::Model) -> Result<()> {
    store::write(&app.db, async |tx| {
        refuse_used(tx, Login::Ssh(row.id), "ssh").await?;
        store::row::delete::<ssh_key::Model>(tx, row.id).await.map(drop).map_err(Error::from)
    })
    .await
}
