//! The repository of a module, with the login or the SSH key to read it.

use entity::terraform_module;

use crate::app::App;
use crate::error::Result;
use crate::git::{self, Checkout};

/// The repository of a module. The inner error says why it cannot be read.
pub(super) async fn repository(app: &App, of: &terraform_module::Model) -> Result<Result<Checkout, String>> {
    let known = ["https://", "http://", "ssh://", "git@"].iter().any(|scheme| of.source.starts_with(scheme));
    let local = app.config.local_repositories && of.source.starts_with("file://");
    if !known && !local {
        let text = "source must be the URL of a repository and begin with https://, http://, ssh:// or git@";
        return Ok(Err(text.to_owned()));
    }
    let login = match of.vcs_id {
        Some(id) => match git::login::of_connection(app, of.organization_id, id, &of.source).await? {
            Ok(login) => login,
            Err(reason) => return Ok(Err(format!("the vcs of the module: {reason}"))),
        },
        None => None,
    };
    let key = match of.ssh_key_id {
        Some(id) => match git::login::of_key(app, of.organization_id, id, &of.source).await? {
            Ok(key) => key,
            Err(reason) => return Ok(Err(format!("the ssh key of the module: {reason}"))),
        },
        None => None,
    };
    Ok(Ok(Checkout { url: of.source.clone(), branch: None, commit: None, submodules: false, login, key, local }))
}
